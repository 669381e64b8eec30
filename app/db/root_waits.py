"""Runs that wait for a folder that is away: one small JSON value in the facts table, as long as any run does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, select

from app.db import facts
from app.db.tables import runs
from app.model import RunStatus

FACT = "runs_waiting_for_roots"
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)


@dataclass(frozen=True)
class RootWait:
    """What one run waits for. `is_over` since the run goes on, at `woken_at` when the folder had come back; `times` is
    how often it was gone again soon after that."""

    root_id: int
    words: str
    next_look_at: str = ""
    is_over: bool = False
    woken_at: str = ""
    times: int = 0


def find(conn: Connection, run_id: int) -> RootWait | None:
    """What a run waits for, or has waited for before it went on; None when it never did."""
    return _load(conn).get(run_id)


def is_waiting(conn: Connection, run_id: int) -> bool:
    """Whether a run waits for a folder now."""
    found = find(conn, run_id)
    return found is not None and not found.is_over


def is_waited_for(conn: Connection, root_id: int) -> bool:
    """Whether a run waits for this folder already."""
    waiting = [run_id for run_id, wait in _load(conn).items() if wait.root_id == root_id and not wait.is_over]
    status = runs.c.status == RunStatus.WAITING.value
    return conn.execute(select(runs.c.id).where(runs.c.id.in_(waiting), status)).first() is not None


def put(conn: Connection, run_id: int, wait: RootWait) -> None:
    """Write down what a run waits for."""
    _save(conn, {**_load(conn), run_id: wait})


def end(conn: Connection, run_id: int) -> None:
    """The run goes on, for whatever reason."""
    found = find(conn, run_id)
    if found is not None and not found.is_over:
        put(conn, run_id, replace(found, is_over=True))


def _load(conn: Connection) -> Mapping[int, RootWait]:
    text = facts.find(conn, FACT)
    return {int(run_id): RootWait(**values) for run_id, values in json.loads(text).items()} if text else {}


def _save(conn: Connection, waits: Mapping[int, RootWait]) -> None:
    """What runs that have ended waited for is forgotten."""
    known = conn.execute(select(runs.c.id).where(runs.c.id.in_(waits), runs.c.status.not_in(ENDED))).scalars()
    kept = set(known)
    facts.put(conn, FACT, json.dumps({str(i): asdict(wait) for i, wait in waits.items() if i in kept}))
