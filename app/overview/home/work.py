"""The state of runs and the worker."""

from __future__ import annotations

from typing import Any

from app.model import RunStatus
from app.overview.home.values import NOTHING, instant, text

IDLE = "idle"
#: What `status` may be.
STATUSES = (IDLE, *(s.value for s in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.WAITING)))
#: As app/jobs/control.py asks for it.
PAUSE = "pause"


def of_runs(seen: dict[str, Any]) -> dict[str, str | int | bool]:
    """The run that is there, the last one that ended, when the next one starts, the worker; `seen` is the overview."""
    last = seen["last_run"] or {}
    return {
        **_of_current(seen["run"] or {}),
        "running": seen["running"],
        "last_run_id": last.get("id", 0),
        "last_run_status": last.get("status", NOTHING),
        "last_run_ended_at": instant(last.get("ended_at")),
        "last_run_error": text(last.get("error")),
        "next_run_at": instant(seen["by_itself"]["next_at"]),
        "worker_alive": seen["worker"]["alive"],
    }


def _of_current(run: dict[str, Any]) -> dict[str, str | int | bool]:
    status = run.get("status", IDLE)
    step = run["steps"][-1] if run.get("steps") else {}
    return {
        "status": status,
        # A wish counts: the switch in Home Assistant must not jump back until the next safe point.
        "paused": status == RunStatus.PAUSED.value or run.get("wish") == PAUSE,
        "waiting": status == RunStatus.WAITING.value,
        "run_id": run.get("id", 0),
        "run_kind": run.get("kind", NOTHING),
        "run_started_at": instant(run.get("started_at")),
        "run_stage": step.get("name", NOTHING),
        "run_stage_done": step.get("done", 0),
        "run_stage_total": step.get("total", 0),
    }
