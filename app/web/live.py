"""The part of a page that renews itself: the browser asks for it every few seconds, and gets nothing while nothing has
changed.

A page renders with `live(content, busy)` and includes the partial; the partial's route answers with `answer_live(...)`.
The outermost element of the partial carries the macro `live` of templates/macros.html, which asks with the mark that it
holds.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, make_response, render_template, request

from app import __version__

#: Seconds between two looks: while a run is on, and otherwise.
BUSY_SECONDS, QUIET_SECONDS = 2, 5
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
