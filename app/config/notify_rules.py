"""Rules about notifications, webhooks and scripts; never says what an address or a secret is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from app.config.addresses import is_link_local
from app.config.hours import hours_problem
from app.config.key_rules import ENOUGH_CHARACTERS, KEY_NAME
from app.config.notifying import NotifyEvents, Webhook
from app.config.schema import Config
from app.errors import Problem
from app.log import MASK

#: Services of Apprise that reach no farther than the desktop, the log or the disk of this machine.
LOCAL_SCHEMES = ("dbus", "file", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
#: The name of a file in the folder of scripts, and no path.
SCRIPT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def notify_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with where news go, when, and what runs after a step."""
    names: set[str] = set()
    for number, address in enumerate(config.notify.urls):
        place = f"notify.urls.{number}"
        yield from _name_problems(place, address.name, names)
        yield from _problem(f"{place}.url", _apprise_fault(address.url))
    names = set()
    for number, webhook in enumerate(config.notify.webhooks):
        place = f"notify.webhooks.{number}"
        yield from _name_problems(place, webhook.name, names)
        yield from _webhook_problems(place, webhook)
    if config.notify.quiet_hours:
        yield from _problem("notify.quiet_hours", hours_problem(config.notify.quiet_hours))
    yield from _script_problems(config)


def _script_problems(config: Config) -> Iterator[Problem]:
    for name in ("after_batch", "after_sync", "after_sort"):
        script = getattr(config.hooks, name)
        if script and not SCRIPT_NAME.fullmatch(script):
            yield Problem(f"hooks.{name}", "must be the name of a file in the folder hooks/ beside the database")


def _name_problems(place: str, name: str, taken: set[str]) -> Iterator[Problem]:
    if not KEY_NAME.fullmatch(name):
        yield Problem(f"{place}.name", "must be 1 to 40 letters, digits, dots and dashes, as in my-phone")
    elif name in taken:
        yield Problem(f"{place}.name", f"{name} is the name of another entry; each needs its own")
    taken.add(name)


def _webhook_problems(place: str, webhook: Webhook) -> Iterator[Problem]:
    yield from _problem(f"{place}.url", _http_fault(webhook.url))
    yield from _problem(f"{place}.secret", _secret_fault(webhook.secret))
    unknown = [word for word in webhook.wanted if word not in NotifyEvents.model_fields]
    if unknown:
        known = ", ".join(NotifyEvents.model_fields)
        yield Problem(f"{place}.events", f"names {unknown[0][:40]!r}, which is none of {known}")


def _problem(place: str, fault: str | None) -> Iterator[Problem]:
    if fault is not None:
        yield Problem(place, fault)


def _apprise_fault(url: str) -> str | None:
    fault = _text_fault(url)
    scheme = SCHEME.match(url)
    if fault is None and (scheme is None or scheme[0].lower() in LOCAL_SCHEMES):
        return "must be an address of a notification service, as in ntfy://ntfy.sh/topic"
    return fault or _host_fault(url)


def _http_fault(url: str) -> str | None:
    fault = _text_fault(url)
    if fault is None and not url.startswith(("http://", "https://")):
        return "must begin with http:// or https://"
    return fault or _host_fault(url) or _login_fault(url)


def _login_fault(url: str) -> str | None:
    parts = urlsplit(url)
    if not parts.hostname:
        return "must name a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password; the signature shows who posts"
    return "must end before any #" if parts.fragment else None


def _host_fault(url: str) -> str | None:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "cannot be read as an address"
    return "must not be a link-local address" if is_link_local(host) else None


def _text_fault(text: str) -> str | None:
    if not text:
        return "is empty; write one, or remove the entry"
    if text == MASK:
        return "is the mask, and nothing is kept under this name; write the value itself"
    is_clean = text.isprintable() and text == text.strip() and " " not in text
    return None if is_clean else "has spaces or characters that cannot be seen"


def _secret_fault(secret: str) -> str | None:
    if 0 < len(secret) < ENOUGH_CHARACTERS and secret != MASK:
        return f"has fewer than {ENOUGH_CHARACTERS} characters and can be guessed; write a longer one"
    return _text_fault(secret)
