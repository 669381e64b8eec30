"""What the processes wrote: the last lines of their logs, what has come since, and a stream of what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from flask import Response, current_app, g, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, Field, StringConstraints

from app.diagnostics.logs import PROCESSES, Wanted, cursor_of, ends, look, places_of, read_last
from app.model import Stage
from app.web.context import container, services
from app.web.errors import problem
from app.web.log_streams import EXTENSION, MAX_SECONDS, MAX_STREAMS, Reader, Slots, Stream
from app.web.models import responses
from app.web.queries import Id

api = APIBlueprint(
    "logs", __name__, url_prefix="/api/logs", abp_tags=[Tag(name="logs", description="What the processes wrote")]
)

#: When a reader who found no free stream may try again.
RETRY_AFTER_SECONDS = 30
Cursor = Annotated[str, StringConstraints(max_length=200, pattern=r"^[a-z0-9.~-]*$")]


class LogFilter(BaseModel):
    """Which lines."""

    process: Literal["api", "worker", "dbui", "cli"] | None = Field(None, description="Only this process.")
    level: Literal["debug", "info", "warning", "error", "critical"] = Field("debug", description="At least this level.")
    stage: Stage | None = Field(None, description="Only lines of this stage.")
    run_id: Id | None = Field(None, description="Only lines of this run.")
    batch_id: Id | None = Field(None, description="Only lines of this batch.")
    after: Cursor = Field("", description="Only lines after this place; a `cursor`, or the id of an event.")

    def wanted(self) -> Wanted:
        """The same for the reading."""
        processes = (self.process,) if self.process else PROCESSES
        stage = self.stage.value if self.stage else None
        return Wanted(processes, self.level, stage, self.run_id, self.batch_id)


class LogQuery(LogFilter):
    """Which lines, and how many."""

    limit: int = Field(50, ge=1, le=1000, description="At most so many, the last ones.")


class StreamQuery(LogFilter):
    """Which lines, and how long."""

    seconds: int = Field(MAX_SECONDS, ge=1, le=MAX_SECONDS, description="The stream ends after so many seconds.")


STREAM_ANSWERS: ResponseDict = {
    "200": {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@api.get("", responses=responses(400), summary="The last lines of the logs")
def index(query: LogQuery) -> Response:
    """In the order of their times, the oldest first. Secrets are masked when a line is written.

    To follow the logs, ask again with `after` set to `cursor`. `skipped` is true when lines between were left out.
    """
    log_dir, wanted = services().config.system.log_dir, query.wanted()
    if not query.after:
        lines, places = read_last(log_dir, wanted, query.limit)
        return _answer(lines, cursor_of(places), skipped=False)
    seen = look(log_dir, wanted, places_of(query.after))
    lines = [record for record, _ in seen.found]
    is_cut = seen.is_passed_over or len(lines) > query.limit
    return _answer(lines[-query.limit :], cursor_of(seen.places), skipped=is_cut)


@api.get("/stream", responses=responses(400, 503) | STREAM_ANSWERS, summary="Follow the logs")
def stream(query: StreamQuery) -> Response:
    """Each new line as an event (`text/event-stream`), its `data` one JSON object, its `id` the place behind it.

    A browser that comes back sends the last id by itself and goes on there. At most 8 streams are open at once: the
    next one is answered 503 with Retry-After; follow with `after` then. Lines left out are told as the event `skipped`.
    """
    wanted, log_dir = query.wanted(), services().config.system.log_dir
    given = request.headers.get("Last-Event-ID") or query.after
    beginning = {**ends(log_dir, wanted.processes), **(places_of(given) if given else {})}
    told = Stream(log_dir, wanted, beginning, Reader(request.environ), query.seconds, _still_allowed())
    slots: Slots = current_app.extensions[EXTENSION]
    if not slots.take():
        sentence = f"{MAX_STREAMS} readers follow the logs already. Ask for the lines again and again instead, or wait."
        answer = problem(503, sentence, retryable=True)
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
    answer = Response(told.chunks(), mimetype="text/event-stream")
    answer.call_on_close(slots.give_back)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _answer(lines: list[dict[str, Any]], cursor: str, *, skipped: bool) -> Response:
    return jsonify({"lines": lines, "cursor": cursor, "skipped": skipped})


def _still_allowed() -> Callable[[], bool]:
    """Whether the reader's key is still one: a stream must not outlive it."""
    store, key = container().store, g.get("access_key")

    def is_allowed() -> bool:
        every_key = store.current().config.auth.every_key
        return key in every_key if key is not None else not every_key

    return is_allowed
