"""The web application with a route that fails in a way that nobody foresaw."""

from __future__ import annotations

from flask import Flask

from app.web import create_app as create_pages

MESSAGE = "nobody foresaw this"


def create_app() -> Flask:
    """The pages, and /fails."""
    app = create_pages()
    app.add_url_rule("/fails", view_func=fail)
    return app


def fail() -> str:
    raise RuntimeError(MESSAGE)
