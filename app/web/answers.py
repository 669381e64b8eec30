"""Answers to commands: JSON for programs; for people a notice in place (HTMX), or a way back to the page (a form)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, redirect, render_template, request

from app import jobs
from app.db import batches
from app.errors import RunInProgress
from app.model import Run, Trigger
from app.overview.transfer import live_progress
from app.services import Services
from app.web.context import htmx, services, trigger, wants_page
from app.web.prefix import without_prefix

#: Pages that a plain form may send its reader back to.
PAGES = (
    "/dashboard", "/control", "/peer", "/dates", "/dates/decided", "/failed", "/findings", "/runs", "/batches",
    "/preview",
)  # fmt: skip
#: Others that it may: one run, one batch.
PAGES_OF_ONE = re.compile(r"/(runs|batches)/[0-9]{1,19}")


def answer_start(begin: Callable[[], Run], sentence: str, **more: Any) -> Response:
    """Ask for a run. 202 with its id; 200 with `started: false` and the reason when another one is in flight."""
    try:
        run = begin()
    except RunInProgress as error:
        return not_started(error, **more)
    return accepted({"started": True, "run_id": run.id, **more}, f"{sentence} (run {run.id}).")


def start_sync(batch_id: int) -> Response:
    """Ask for the delivery of a batch."""
    return _start_on_batch(batch_id, jobs.start_sync, "The delivery of batch {name} was started")


def start_sort(batch_id: int) -> Response:
    """Ask for a delivered batch to be filed into the archive."""
    return _start_on_batch(batch_id, jobs.start_sort, "The archiving of batch {name} was started")


def refresh_sync() -> Response:
    """Have every delivery that was begun looked at now."""
    found = services()
    refreshed = jobs.look_now(found)
    with found.db.reading() as conn:
        shown = [live_progress(conn, batch) for batch in refreshed.batches]
    body = {"count": len(shown), "batches": shown, "worker_alive": refreshed.worker_alive}
    return accepted(body, refreshed.sentence)


def _start_on_batch(batch_id: int, start: Callable[[Services, int, Trigger], Run], sentence: str) -> Response:
    found = services()
    with found.db.reading() as conn:
        batch = batches.get(conn, batch_id)
    return answer_start(
        lambda: start(found, batch_id, trigger()),
        sentence.format(name=batch.name),
        batch_id=batch.id,
        batch=batch.name,
        status=batch.status.value,
    )


def not_started(error: RunInProgress, **more: Any) -> Response:
    """Nothing was started, because a run is in flight."""
    body = {"started": False, "reason": str(error), "run_id": error.run_id, **more}
    return _answer(body, 200, str(error), "warning")


def accepted(body: dict[str, Any], sentence: str) -> Response:
    """The command was taken and goes on in the background."""
    return _answer(body, 202, sentence, "info")


def done(body: dict[str, Any], sentence: str) -> Response:
    """The command has been carried out."""
    return _answer(body, 200, sentence, "info")


def partly_done(body: dict[str, Any], sentence: str) -> Response:
    """Some of it has been carried out; the sentence says what was not, and why. Its notice stays until it is closed."""
    return _answer(body, 200, sentence, "warning", "Not all of it")


def _answer(body: dict[str, Any], status: int, sentence: str, level: str, title: str = "Not now") -> Response:
    if htmx:
        answer = make_response(render_template("partials/notice.html", sentence=sentence, level=level))
        answer.headers["HX-Trigger"] = "refresh"
        return answer
    if wants_page():
        if level == "warning":
            return make_response(render_template("problem.html", status=status, title=title, detail=sentence, more={}))
        return make_response(redirect(_page_asked_from(), 303))
    answer = jsonify(body)
    answer.status_code = status
    return answer


def _page_asked_from() -> str:
    path = without_prefix(urlsplit(request.headers.get("Referer", "")).path)
    is_ours = path in PAGES or path.startswith("/welcome") or PAGES_OF_ONE.fullmatch(path)
    return path if is_ours else PAGES[0]
