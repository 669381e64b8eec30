"""What a request works with: the services of the present configuration, and what is known of its file."""

from __future__ import annotations

from flask import current_app, g, request
from flask_htmx import HTMX

from app.model import Trigger
from app.overview import ConfigFacts, config_facts_of
from app.services import ServiceContainer, Services

EXTENSION = "media_pipeline"
htmx = HTMX()


def container() -> ServiceContainer:
    """The container that this application was made with."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, ServiceContainer)
    return found


def services() -> Services:
    """The services for this request; the same ones until it ends, whatever is saved meanwhile."""
    if "services" not in g:
        g.services = container().services
    found: Services = g.services
    return found


def config_facts() -> ConfigFacts:
    """Path, fault and warnings of the configuration file."""
    return config_facts_of(container())


def trigger() -> Trigger:
    """Who asks: a person at a page, or a program."""
    return Trigger.CONTROL if wants_page() else Trigger.API


def actor() -> str:
    """Who asks, for history and journal: the name of the key, else the door; what X-Actor says is an addition only."""
    key = g.get("access_key")
    name = key.name if key is not None else trigger().value
    added = "".join(c for c in request.headers.get("X-Actor", "")[:40] if c.isprintable()).strip()
    return f"{name} ({added})" if added else name


def wants_page() -> bool:
    """Whether the answer is for a person in a browser: HTMX, a plain form, or a page that was opened."""
    if htmx:
        return True
    accepts_html = "text/html" in request.headers.get("Accept", "")
    if request.path.startswith("/api/"):
        return accepts_html and request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded"
    return accepts_html
