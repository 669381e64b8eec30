"""The state of the workflow in the shape of the first product's GET /api/workflow/status."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import runs
from app.model import Run, RunStatus, StepStatus
from app.overview.runs import find_current, find_last_ended, is_in_flight, run_summary, step_summary

#: How many past steps the debug block shows.
DEBUG_HISTORY = 25
#: How many steps the status tells at most; GET /api/runs/{id} has them all.
STEPS_TOLD = 500


def workflow_status(conn: Connection, config: Config) -> dict[str, Any]:
    """Whether a run is on, what the present or last one did step by step, and the debug block."""
    current, last = find_current(conn), find_last_ended(conn)
    shown = current or last
    return {
        "running": is_in_flight(current),
        "waiting": current is not None and current.status is RunStatus.WAITING,
        "run_id": shown.id if shown else None,
        "run": run_summary(shown) if shown else None,
        "last_result": run_result(conn, shown) if shown else None,
        "error": last.error if last and last.status is RunStatus.FAILED else None,
        "debug": debug_block(conn, config, current),
    }


def run_result(conn: Connection, run: Run) -> dict[str, Any]:
    """What a run did: the reports and errors of its last steps, in order."""
    steps = runs.list_steps(conn, run.id, STEPS_TOLD)
    errors = [f"{step.stage.value}: {step.error}" for step in steps if step.error]
    if run.error and not errors:
        errors.append(run.error)
    return {
        "run_id": run.id,
        "status": run.status.value,
        "started_at": run.started_at,
        "finished_at": run.ended_at,
        "steps": [step_summary(step) for step in steps],
        "errors": errors,
    }


def debug_block(conn: Connection, config: Config, current: Run | None) -> dict[str, Any]:
    """Where a run that goes step by step stands, and whether it waits for a person."""
    debug = config.workflow.debug
    steps = runs.list_steps(conn, current.id, DEBUG_HISTORY + 1) if current else []
    running = [step for step in steps if step.status is StepStatus.RUNNING]
    ended = [step for step in steps if step.status is not StepStatus.RUNNING]
    waiting = debug.enabled and current is not None and current.status is RunStatus.PAUSED
    return {
        "enabled": debug.enabled,
        "waiting": waiting,
        "current_step": running[-1].stage.value if running else None,
        "last_step": ended[-1].stage.value if ended else None,
        "history": [{"step": step.stage.value, "status": step.status.value} for step in ended[-DEBUG_HISTORY:]],
        "note": "Paused after a step; POST /api/workflow/debug/advance goes on." if waiting else None,
        "settings": {"auto_advance": debug.auto_advance, "step_timeout_sec": debug.step_timeout_sec},
    }
