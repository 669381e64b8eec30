"""Asking for a verification, by hand or by the clock."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.db import idempotency, journal, runs
from app.errors import BadRequest
from app.jobs.requests import request_run
from app.jobs.wake import wake_worker
from app.model import VERIFIABLE, VERIFIED_BY_DEFAULT, Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services

#: As far as a calendar goes back, and as fast as no disk is.
MOST_DAYS, MOST_MB_PER_SECOND = 36_500, 100_000.0
#: A year.
MOST_MINUTES = 525_600.0
#: What is verified; two that agree in this are one, whatever their pace.
WHAT = ("roots", "older_than_days")


def start_verify(
    services: Services,
    trigger: Trigger,
    *,
    roots: Sequence[str] | None = None,
    max_mb_per_second: float | None = None,
    max_minutes: float | None = None,
    older_than_days: int | None = None,
) -> Run:
    """Ask for files to be read again and compared with what they should hold; one that let others go first, and was
    asked for in the same words, goes on where it stopped.

    `roots`: archive, batch, duplicates, ingest (None: all but ingest). `max_mb_per_second`: 0 is no cap, None is what
    the settings say. `max_minutes`: in one go; 0 is no limit, None is what the settings say. `older_than_days`: only
    files that were not found intact for so long (None or 0: all). Raises BadRequest, RunInProgress.
    """
    names = list(VERIFIED_BY_DEFAULT if roots is None else dict.fromkeys(roots))
    _refuse(names, max_mb_per_second, max_minutes, older_than_days)
    pace = {"max_mb_per_second": max_mb_per_second, "max_minutes": max_minutes}
    arguments = {"roots": names, "older_than_days": older_than_days or None, **pace}
    resting = _find_resting(services, arguments)
    if resting is not None:
        return _go_on(services, resting, arguments)
    message = f"A verification was asked for: {', '.join(names)}."
    return request_run(services, RunKind.VERIFY, trigger, (Stage.VERIFY,), message, arguments=arguments)


def _find_resting(services: Services, arguments: Mapping[str, Any]) -> Run | None:
    with services.db.reading() as conn:
        waiting = runs.list_by_status(conn, [RunStatus.WAITING])
    resting = (run for run in waiting if run.kind is RunKind.VERIFY)
    return next((run for run in resting if all(run.arguments.get(n) == arguments[n] for n in WHAT)), None)


def _go_on(services: Services, resting: Run, arguments: Mapping[str, Any]) -> Run:
    """Let it go on at the pace that was asked for now. Raises RunInProgress."""
    with services.db.transaction() as conn:
        run = runs.change(conn, resting, RunStatus.QUEUED, wish=None, arguments=json.dumps(dict(arguments)))
        idempotency.note_run(conn, run.id)
        journal.record(conn, "run.resumed", f"Run {run.id} goes on where it stopped.", run_id=run.id)
    wake_worker(services, run.id)
    return run


def start_scheduled_verify(services: Services) -> Run:
    """Ask for the verification that the settings schedule. Raises as `start_verify` does."""
    days = services.config.verify.older_than_days
    return start_verify(services, Trigger.SCHEDULE, older_than_days=days)


def _refuse(names: Sequence[str], rate: float | None, minutes: float | None, days: int | None) -> None:
    unknown = [name for name in names if name not in VERIFIABLE]
    if unknown or not names:
        raise BadRequest(f"roots must be some of {', '.join(VERIFIABLE)}.")
    if rate is not None and not (math.isfinite(rate) and 0 <= rate <= MOST_MB_PER_SECOND):
        raise BadRequest(f"max_mb_per_second must be between 0 (no cap) and {MOST_MB_PER_SECOND:,.0f}.")
    if minutes is not None and not (math.isfinite(minutes) and 0 <= minutes <= MOST_MINUTES):
        raise BadRequest(f"max_minutes must be between 0 (no limit) and {MOST_MINUTES:,.0f}.")
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise BadRequest(f"older_than_days must be between 0 (everything) and {MOST_DAYS:,}.")
