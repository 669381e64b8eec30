"""Filing the archive anew: asking for a plan, for its files to be moved, and for that to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.db import runs
from app.errors import BadRequest, Conflict, NotFound
from app.jobs.requests import request_run
from app.model import Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services

#: More are named by saying since when they were decided about, or all are filed anew.
MAX_FILES = 10_000
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True)
class RefileWish:
    """Which files: these, those whose date was decided at this instant or later, each with its group; else all of the
    archive. `plan` is the run whose plan was shown."""

    asset_ids: Sequence[int] = ()
    decided_since: str | None = None
    plan: int | None = None


def plan_refile(services: Services, wish: RefileWish, trigger: Trigger) -> Run:
    """Ask what filing the archive anew would move. Nothing is moved. Raises BadRequest, RunInProgress."""
    message = "A plan for filing the archive anew was asked for."
    return _ask(services, trigger, {**_which(wish), "dry_run": True}, message)


def start_refile(services: Services, wish: RefileWish, trigger: Trigger) -> Run:
    """Ask for archived files to be moved to where they belong today. Raises BadRequest, NotFound, RunInProgress."""
    arguments = _which(wish)
    if wish.plan is not None:
        _require(services, wish.plan)
        arguments["plan"] = wish.plan
    return _ask(services, trigger, arguments, "The archive is to be filed anew.")


def undo_refile(services: Services, run_id: int, trigger: Trigger, *, dry_run: bool = False) -> Run:
    """Ask for files to go back to where they lay before a run filed them anew, or only for the plan of that.

    Raises NotFound when that is no such run, Conflict when it has not ended or was only a plan, RunInProgress.
    """
    run = _require(services, run_id)
    if run.arguments.get("dry_run"):
        raise Conflict(f"Run {run_id} was only a plan: it has moved nothing.")
    if run.status not in ENDED:
        raise Conflict(f"Run {run_id} has not ended: it is {run.status}.")
    arguments = {"undo_of": run_id, **({"dry_run": True} if dry_run else {})}
    return _ask(services, trigger, arguments, f"What run {run_id} filed anew is to go back.")


def _which(wish: RefileWish) -> dict[str, Any]:
    if len(wish.asset_ids) > MAX_FILES:
        raise BadRequest(f"Name at most {MAX_FILES:,} files, or say since when their dates were decided about.")
    named: dict[str, Any] = {"asset_ids": sorted(set(wish.asset_ids))} if wish.asset_ids else {}
    return named | ({"decided_since": _instant(wish.decided_since)} if wish.decided_since is not None else {})


def _instant(text: str) -> str:
    """As instants are stored; a day or a time without an offset is in UTC."""
    try:
        told = datetime.fromisoformat(text)
        return (told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise BadRequest(f"{text!r} is no instant; write one like 2026-05-06T07:08:09+00:00.") from None


def _require(services: Services, run_id: int) -> Run:
    with services.db.reading() as conn:
        run = runs.find(conn, run_id)
    if run is None or run.kind is not RunKind.REFILE:
        raise NotFound("run that files the archive anew", run_id)
    return run


def _ask(services: Services, trigger: Trigger, arguments: dict[str, Any], message: str) -> Run:
    return request_run(services, RunKind.REFILE, trigger, (Stage.REFILE,), message, arguments=arguments)
