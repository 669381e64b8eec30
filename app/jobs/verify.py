"""Asking for a verification, by hand or by the clock."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.errors import BadRequest
from app.jobs.requests import request_run
from app.model import VERIFIABLE, VERIFIED_BY_DEFAULT, Run, RunKind, Stage, Trigger
from app.services import Services

#: As far as a calendar goes back, and as fast as no disk is.
MOST_DAYS, MOST_MB_PER_SECOND = 36_500, 100_000.0


def start_verify(
    services: Services,
    trigger: Trigger,
    *,
    roots: Sequence[str] | None = None,
    max_mb_per_second: float | None = None,
    older_than_days: int | None = None,
) -> Run:
    """Ask for files to be read again and compared with what they should hold.

    `roots`: archive, batch, duplicates, ingest (None: all but ingest). `max_mb_per_second`: 0 is no cap, None is what
    the settings say. `older_than_days`: only files that were not found intact for so long (None or 0: all).
    Raises BadRequest, RunInProgress.
    """
    names = list(VERIFIED_BY_DEFAULT if roots is None else dict.fromkeys(roots))
    _refuse(names, max_mb_per_second, older_than_days)
    arguments = {"roots": names, "max_mb_per_second": max_mb_per_second, "older_than_days": older_than_days or None}
    message = f"A verification was asked for: {', '.join(names)}."
    return request_run(services, RunKind.VERIFY, trigger, (Stage.VERIFY,), message, arguments=arguments)


def start_scheduled_verify(services: Services) -> Run:
    """Ask for the verification that the settings schedule. Raises as `start_verify` does."""
    days = services.config.verify.older_than_days
    return start_verify(services, Trigger.SCHEDULE, older_than_days=days)


def _refuse(names: Sequence[str], rate: float | None, days: int | None) -> None:
    unknown = [name for name in names if name not in VERIFIABLE]
    if unknown or not names:
        raise BadRequest(f"roots must be some of {', '.join(VERIFIABLE)}.")
    if rate is not None and not (math.isfinite(rate) and 0 <= rate <= MOST_MB_PER_SECOND):
        raise BadRequest(f"max_mb_per_second must be between 0 (no cap) and {MOST_MB_PER_SECOND:,.0f}.")
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise BadRequest(f"older_than_days must be between 0 (everything) and {MOST_DAYS:,}.")
