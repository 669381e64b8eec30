"""The idempotency_keys table: requests that must not be carried out twice, with the answers that they got.

A key is claimed in a transaction of its own before its request is carried out. The run that the request starts is
noted in the very transaction that starts it, and only while the claim stands. So what was started is known after any
crash, and a request that was given up for dead cannot start anything any more.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from app.db.clock import later, now
from app.db.tables import idempotency_keys
from app.errors import Conflict

#: How long an answer is kept.
KEEP_SECONDS = 24 * 3600
#: A request that has not been answered for so long was cut off.
GIVE_UP_SECONDS = 60


@dataclass(frozen=True)
class Claim:
    """The right to carry out a request; `at` tells it from an earlier claim of the same key."""

    key: str
    at: str


@dataclass(frozen=True)
class Stored:
    """What became of an earlier request with this key: its answer, or the run that it started before it was cut off."""

    status: int | None
    answer: str | None
    run_id: int | None


class Busy(Conflict):
    """A request with this key is being carried out."""

    retryable = True


class Reused(Conflict):
    """The key was sent with another request."""


_CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)


def work_under(claim: Claim | None) -> None:
    """From now on this thread carries out the request of this claim, or of none."""
    _CLAIM.set(claim)


def claim(conn: Connection, key: str, request: str) -> Claim | Stored:
    """The right to carry the request out, or what became of it before. Raises Busy and Reused."""
    k = idempotency_keys.c
    conn.execute(delete(idempotency_keys).where(k.at < later(-KEEP_SECONDS)))
    row = conn.execute(select(k.request, k.status, k.answer, k.run_id, k.at).where(k.key == key)).first()
    mine = Claim(key, now())
    if row is None:
        conn.execute(insert(idempotency_keys).values(key=key, request=request, at=mine.at))
        return mine
    if row.request != request:
        raise Reused("This idempotency key was sent with another request; use a new key for each new request.")
    if row.status is not None:
        return Stored(row.status, row.answer, row.run_id)
    if row.run_id is not None:
        return Stored(None, None, row.run_id)
    if row.at > later(-GIVE_UP_SECONDS):
        raise Busy("A request with this idempotency key is being carried out; send it again in a moment.")
    conn.execute(update(idempotency_keys).where(k.key == key).values(at=mine.at))
    return mine


def note_run(conn: Connection, run_id: int) -> None:
    """Write, in the transaction that starts a run, that the request at hand has started it.

    Raises Conflict, so that nothing is started, when the request was given up and another one has taken its place.
    """
    mine = _CLAIM.get()
    if mine is None:
        return
    k = idempotency_keys.c
    held = update(idempotency_keys).where(k.key == mine.key, k.at == mine.at, k.status.is_(None))
    if conn.execute(held.values(run_id=run_id)).rowcount != 1:
        raise Conflict("This request took so long that another one with its idempotency key has taken its place.")


def store(conn: Connection, mine: Claim, status: int, answer: str) -> None:
    """Keep the answer for whoever asks again with this key."""
    k = idempotency_keys.c
    held = update(idempotency_keys).where(k.key == mine.key, k.at == mine.at)
    conn.execute(held.values(status=status, answer=answer))


def release(conn: Connection, mine: Claim) -> None:
    """Forget a request that changed nothing, so that it may be sent again; one that started a run stays known."""
    k = idempotency_keys.c
    conn.execute(
        delete(idempotency_keys).where(k.key == mine.key, k.at == mine.at, k.status.is_(None), k.run_id.is_(None))
    )
