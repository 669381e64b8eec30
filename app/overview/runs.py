"""What is shown of runs: the one in flight with its steps and live progress, the last one, the worker."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from app.db import heartbeat, runs, totals
from app.db.tables import assets
from app.errors import printable
from app.model import AssetStatus, Run, RunKind, RunStatus, Stage, Step, StepStatus

#: One warning per such step is shown.
STEPS_WITH_FAULTS_SHOWN = 5
#: Words for a step's end that clients of the first product know.
STEP_WORDS = {StepStatus.DONE: "completed", StepStatus.FAILED: "error"}
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)
SHOWN_AS_CURRENT = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.WAITING)


def run_summary(run: Run) -> dict[str, Any]:
    """A run as JSON-ready values, without its steps."""
    return {
        "id": run.id,
        "kind": run.kind.value,
        "trigger": run.trigger.value,
        "status": run.status.value,
        "stages": [stage.value for stage in run.stages],
        "batch_id": run.batch_id,
        "arguments": run.arguments,
        "config_revision": run.config_revision,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "wish": run.wish,
        "error": run.error,
    }


def step_summary(step: Step) -> dict[str, Any]:
    """A step as JSON-ready values; `progress` is in percent, or null while the total is unknown."""
    return {
        "id": step.id,
        "name": step.stage.value,
        "status": STEP_WORDS.get(step.status, step.status.value),
        "message": step.error or str(step.report.get("message") or ""),
        "batch_id": step.batch_id,
        "started_at": step.started_at,
        "finished_at": step.ended_at,
        "done": step.progress_done,
        "total": step.progress_total,
        "size_bytes": step.progress_bytes,
        "progress": _percent(step),
        "data": step.report,
    }


def _percent(step: Step) -> float | None:
    if step.status is not StepStatus.RUNNING:
        return 100.0 if step.status in (StepStatus.DONE, StepStatus.SKIPPED) else None
    return round(100 * step.progress_done / step.progress_total, 1) if step.progress_total else None


def run_with_steps(conn: Connection, run: Run, last: int | None = None) -> dict[str, Any]:
    """A run with its steps in the order in which they began; only the last ones if a number is given."""
    return {**run_summary(run), "steps": [step_summary(step) for step in runs.list_steps(conn, run.id, last)]}


def find_current(conn: Connection) -> Run | None:
    """The run in flight; else the newest one that waits for a delivery, or for its turn; else None."""
    found = runs.list_by_status(conn, SHOWN_AS_CURRENT)
    in_flight = [run for run in found if run.status is not RunStatus.WAITING]
    shown = in_flight or [run for run in found if run.kind is not RunKind.VERIFY] or found
    return shown[-1] if shown else None


def find_last_ended(conn: Connection) -> Run | None:
    """The newest run that has ended, or None."""
    ended = [run for run in runs.list_recent(conn, 20) if run.status in ENDED]
    return ended[0] if ended else None


def left_out(conn: Connection, run: Run | None) -> list[dict[str, Any]]:
    """The steps of a run that could not handle some file: how many, and the first one with its reason."""
    steps = runs.list_warned_steps(conn, run.id, STEPS_WITH_FAULTS_SHOWN) if run is not None else []
    return [
        {
            "run_id": step.run_id,
            "step": step.stage.value,
            # Dedup's own count of files that became `failed` has the same name, and may be smaller.
            "files": max(step.report["failed"], len(step.report["failures"])),
            **step.report["failures"][0],
        }
        for step in steps
        if step.report.get("failures")
    ]


def is_in_flight(run: Run | None) -> bool:
    """Whether the run is being worked on or stands first in line."""
    return run is not None and run.status is not RunStatus.WAITING and run.status not in ENDED


def dedup_status(conn: Connection) -> dict[str, Any]:
    """How the last dedup went, or how far the present one is."""
    step = runs.find_last_step(conn, Stage.DEDUP)
    running = step is not None and step.status is StepStatus.RUNNING
    return {
        "running": running,
        "total_files": step.progress_total if step else 0,
        "processed_files": step.progress_done if step else 0,
        "duplicate_files": totals.read(conn)[AssetStatus.DUPLICATE][0],
        "error": step.error if step else None,
        "last_processed": _last_compared(conn),
        "run_id": step.run_id if step else None,
    }


def _last_compared(conn: Connection) -> str | None:
    """The newest file of those that dedup has decided about; asked per status, so that an index answers."""
    newest = [
        conn.execute(
            select(assets.c.id, assets.c.path)
            .where(assets.c.status == status.value)
            .order_by(assets.c.id.desc())
            .limit(1)
        ).first()
        for status in (AssetStatus.UNIQUE, AssetStatus.DUPLICATE)
    ]
    found = [(row.id, row.path) for row in newest if row is not None]
    return printable(max(found)[1]) if found else None


def worker_state(conn: Connection) -> dict[str, Any]:
    """Whether a worker lives, by its last heartbeat."""
    seen_at = heartbeat.find(conn)
    return {"alive": heartbeat.is_recent(seen_at), "heartbeat_at": seen_at}
