"""The part of a page that renews itself: the browser asks for it every few seconds, and gets nothing while nothing has
changed.

A page renders with `live(content, busy)` and includes the partial; the partial's route answers with `answer_live(...)`.
The outermost element of the partial carries the macro `live` of templates/macros.html, which asks with the mark that it
holds. A part that costs something and is the same for all who look is made for all their tabs at once: `answer_shared`.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from flask import Response, make_response, render_template, request

from app import __version__
from app.db.connection import Database
from app.db.news import News
from app.web.context import services

#: Seconds between two looks: while a run is on, and otherwise.
BUSY_SECONDS, QUIET_SECONDS = 2, 5
#: How long an answer serves other tabs when nobody writes: times and free room go on meanwhile.
SHARED_SECONDS = 1.5
#: So many different answers are kept.
SHARED = 32
#: What changes with every look and shows nothing new.
VOLATILE = ("generated_at", "heartbeat_at")
#: Free room is told in steps of this size, so that a growing log does not redraw every page.
ROOM_STEP_BYTES = 100_000_000


def live(content: dict[str, Any], busy: bool, seconds: int | None = None) -> dict[str, Any]:
    """What a template shows, with `mark` (of the content) and `every` (seconds until the next look)."""
    usual = BUSY_SECONDS if busy else QUIET_SECONDS
    return {**content, "mark": mark_of(content), "every": usual if seconds is None else seconds}


def answer_live(template: str, content: dict[str, Any], busy: bool, seconds: int | None = None) -> Response:
    """The renewed part; 204 when its content has not changed since the mark that the page holds."""
    context = live(content, busy, seconds)
    if request.args.get("mark") == context["mark"]:
        return make_response("", 204)
    return make_response(render_template(template, **context))


def answer_shared(template: str, key: Hashable, make: Callable[[], tuple[dict[str, Any], bool]]) -> Response:
    """As `answer_live` with what `make` makes (content, busy), once for all tabs that ask with this key in a moment.

    For parts that show the same to everybody who may see them.
    """
    found, which = services(), (template, key, services().revision)
    context = shared(found.db).get(which, lambda: live(*make()))
    if request.args.get("mark") == context["mark"]:
        return make_response("", 204)
    return make_response(shared(found.db).get(("html", *which), lambda: render_template(template, **context)))


def mark_of(content: dict[str, Any]) -> str:
    """The same for the same content, whatever changes with every look; another one after an update of the program."""
    text = json.dumps([__version__, _steady(content)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: inner // ROOM_STEP_BYTES if key == "free_bytes" and inner else _steady(inner)
            for key, inner in value.items()
            if key not in VOLATILE
        }
    return [_steady(inner) for inner in value] if isinstance(value, list | tuple) else value


class Shared:
    """What was made for one tab serves the others that ask in the next moment, unless somebody has written since."""

    def __init__(self, db: Database) -> None:
        self._news = News(db)
        self._lock = threading.Lock()
        self._found: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made for this key a moment ago, else what `make` makes now; one at a time makes something."""
        with self._lock:
            if self._news.has_come() or len(self._found) >= SHARED:
                self._found.clear()
            until, made = self._found.get(key, (0.0, None))
            if time.monotonic() >= until:
                made = make()
                self._found[key] = (time.monotonic() + SHARED_SECONDS, made)
            return made


_shared: dict[str, Shared] = {}


def shared(db: Database) -> Shared:
    """The one of this database."""
    found = _shared.get(db.path)
    if found is None:
        found = _shared.setdefault(db.path, Shared(db))
    return found
