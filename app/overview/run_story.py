"""One run with everything that belongs to it, and lists of runs, as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.db import findings, lists, runs
from app.model import OPEN_FINDINGS, Run, RunKind, RunStatus, Step
from app.overview.events import EventSearch, find_events
from app.overview.hindrances import what_run_waits_for
from app.overview.pace import pace_of
from app.overview.rebuild import rebuild_overview
from app.overview.refile import refile_summary
from app.overview.runs import ENDED, run_summary, step_summary

#: A run over a large library has thousands of steps and events; its page shows the last ones.
STEPS_SHOWN, EVENTS_SHOWN = 60, 30
#: So many pairs of folders of a run that files the archive anew are shown.
FOLDERS_SHOWN = 50
#: What a report says for programs, or what is shown in another way.
NOT_SHOWN = ("outcome", "message", "batch_id", "failures", "pace", "summary")


def list_runs(
    conn: Connection, kind: RunKind | None, status: RunStatus | None, before_id: int | None, limit: int
) -> dict[str, Any]:
    """A page of runs, newest first, each with what came of it; and the `before_id` of the next page."""
    found, next_id = lists.page_of_runs(conn, kind, status, None, before_id, limit)
    steps = runs.list_telling_steps(conn, [run.id for run in found])
    return {"runs": [run_line(run, steps.get(run.id)) for run in found], "next_before_id": next_id}


def run_line(run: Run, last: Step | None) -> dict[str, Any]:
    """What a list shows of a run, by the step that says what came of it."""
    said = str(last.error or last.report.get("message") or "") if last is not None else ""
    return {**run_summary(run), "message": run.error or said, "took_seconds": seconds_between(run)}


def seconds_between(run: Run) -> float | None:
    """How long a run took that has ended; None of any other."""
    if run.started_at is None or run.ended_at is None:
        return None
    return (datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)).total_seconds()


def run_story(conn: Connection, run_id: int) -> dict[str, Any]:
    """A run with its last steps, what each counted, its newest events, and what its kind leaves. Raises NotFound."""
    run = runs.get(conn, run_id)
    found = runs.list_steps(conn, run.id, STEPS_SHOWN + 1)
    moment = datetime.now(UTC)
    steps = [_told(step_summary(step), moment) for step in found[-STEPS_SHOWN:]]
    events = find_events(conn, EventSearch(run_id=run.id, limit=EVENTS_SHOWN))
    return {
        **run_line(run, found[-1] if found else None),
        "steps": steps,
        "has_more_steps": len(found) > STEPS_SHOWN,
        "is_over": run.status in ENDED,
        "waits_for": what_run_waits_for(conn, run),
        "events": events["events"],
        "has_more_events": events["has_more"],
        **_beside(conn, run),
    }


def _told(step: dict[str, Any], moment: datetime) -> dict[str, Any]:
    report = step["data"]
    numbers = {
        name: value
        for name, value in report.items()
        if name not in NOT_SHOWN and isinstance(value, int | float) and not isinstance(value, bool) and value
    }
    shown = {name: value for name, value in step.items() if name != "data"}
    return {**shown, "numbers": numbers, "failures": report.get("failures", []), "pace": pace_of(step, moment),
            "seconds": _seconds(step)}  # fmt: skip


def _seconds(step: dict[str, Any]) -> float | None:
    if not step["finished_at"]:
        return None
    began, ended = (datetime.fromisoformat(step[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _beside(conn: Connection, run: Run) -> dict[str, Any]:
    """What runs of some kinds leave for a person to look at."""
    if run.kind is RunKind.REFILE:
        told = refile_summary(conn, run.id)
        return {"refile": {**told, "folders": told["folders"][:FOLDERS_SHOWN]}}
    if run.kind is RunKind.REBUILD and run == runs.find_last(conn, RunKind.REBUILD):
        told = rebuild_overview(conn)
        return {"rebuild": {name: told[name] for name in ("state", "message", "worth_a_look")}}
    if run.kind is RunKind.VERIFY:
        counts = findings.count_of_run(conn, run.id)
        return {"found": {kind.value: counts[kind] for kind in OPEN_FINDINGS if counts[kind]}}
    return {}
