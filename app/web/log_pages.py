"""The page Logs: the last lines, which a script follows as more come; and the same lines as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from app.diagnostics.logs import LEVELS, PROCESSES, Record, Wanted, cursor_of, read_last
from app.model import Stage
from app.web.context import services
from app.web.models import MAX_ID

blueprint = Blueprint("log_pages", __name__)

SHOWN, DOWNLOADED = 200, 20_000
PROCESS_NAMES = {"api": "pages and API", "worker": "worker", "dbui": "database browser", "cli": "command line"}
LEVEL_NAMES = {"debug": "everything", "info": "information", "warning": "warnings", "error": "errors"}
#: What stands at a place of its own in a line.
PLACED = ("at", "process", "level", "event", "logger", "exception", "run_id", "batch_id", "stage")


@blueprint.get("/logs")
def logs() -> str:
    """The last lines of the logs; without a script, those of the moment."""
    wanted, log_dir = read_wanted(request.args), services().config.system.log_dir
    records, places = read_last(log_dir, wanted, SHOWN)
    return render_template(
        "logs.html",
        wanted=wanted,
        query=urlencode(_named(wanted)),
        cursor=cursor_of(places),
        lines=[_line(record) for record in records],
        log_dir=log_dir,
        processes=PROCESS_NAMES,
        levels=LEVEL_NAMES,
        stages=[stage.value for stage in Stage],
    )


@blueprint.get("/logs/download")
def download() -> Response:
    """The last lines as a file, one JSON object a line."""
    records, _ = read_last(services().config.system.log_dir, read_wanted(request.args), DOWNLOADED)

    def lines() -> Iterator[str]:
        for record in records:
            yield json.dumps(record) + "\n"

    answer = Response(lines(), mimetype="application/x-ndjson")
    answer.headers["Content-Disposition"] = 'attachment; filename="media-pipeline-logs.jsonl"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def read_wanted(args: MultiDict[str, str]) -> Wanted:
    """What an address asks for; a value that means nothing is left out."""
    process, level, stage = args.get("process"), args.get("level", "info"), args.get("stage")
    return Wanted(
        (process,) if process in PROCESSES else PROCESSES,
        level if level in LEVELS else "info",
        stage if stage in [each.value for each in Stage] else None,
        _id(args.get("run_id", "")),
        _id(args.get("batch_id", "")),
    )


def _named(wanted: Wanted) -> dict[str, Any]:
    process = wanted.processes[0] if len(wanted.processes) == 1 else None
    given: dict[str, Any] = {"process": process, "level": wanted.level, "stage": wanted.stage}
    given |= {"run_id": wanted.run_id, "batch_id": wanted.batch_id}
    return {name: value for name, value in given.items() if value is not None}


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:20]) <= MAX_ID else None


def _line(record: Record) -> dict[str, Any]:
    """A record as the page shows it; logs.js does the same with what comes later."""
    told: dict[str, Any] = {name: record.get(name) for name in ("run_id", "batch_id", "stage")}
    for name in ("at", "process", "level", "event", "exception"):
        told[name] = str(record.get(name) or "")
    more = ((name, value) for name, value in record.items() if name not in PLACED)
    told["more"] = "  ".join(f"{name}={_shown(value)}" for name, value in more)
    return told


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
