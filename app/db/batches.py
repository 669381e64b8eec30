"""The batches table. A status changes only through `change`, which claims the row by its present status."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import batches, runs
from app.errors import IllegalTransition, NotFound, OpenBatchExists
from app.model import BATCH_CHANGES, OPEN_BATCH, AssetStatus, Batch, BatchStatus, Run

CONVERTERS = {"status": BatchStatus, "returns_as": AssetStatus}

#: The instant column that each status fills in when it is first reached.
REACHED_AT = {
    BatchStatus.SYNCING: "syncing_at",
    BatchStatus.SYNCED: "synced_at",
    BatchStatus.SORTED: "sorted_at",
}


def _select() -> Select[Any]:
    return select(*columns_for(batches, Batch))


def _batch(row: Sequence[Any]) -> Batch:
    return build(Batch, row, CONVERTERS)


def reserve(
    conn: Connection,
    *,
    naming_pattern: str,
    allow_parallel: bool,
    target: str,
    transfer_mode: str,
    peer_policy: str,
    device_id: str | None,
) -> Batch:
    """Make a PENDING batch without files, under the next free name of the pattern, and return it.

    Raises OpenBatchExists when a batch that has not ended stands in the way and `allow_parallel` is off.
    """
    require_none_open(conn, allow_parallel=allow_parallel)
    values = {
        "name": _next_name(conn, naming_pattern),
        "status": BatchStatus.PENDING.value,
        "target": target,
        "transfer_mode": transfer_mode,
        "peer_policy": peer_policy,
        "device_id": device_id,
        "created_at": now(),
    }
    key = conn.execute(insert(batches).values(**values)).inserted_primary_key
    assert key is not None
    return get(conn, int(key[0]))


def require_none_open(conn: Connection, *, allow_parallel: bool) -> None:
    """Raises OpenBatchExists when a batch that has not ended stands in the way of a new one."""
    blocking = find_open(conn)
    if blocking is not None and not allow_parallel:
        raise OpenBatchExists(blocking.id, blocking.name, blocking.status)


def _next_name(conn: Connection, naming_pattern: str, also_taken: Collection[str] = ()) -> str:
    index = int(conn.execute(select(func.coalesce(func.max(batches.c.id), 0))).scalar_one()) + 1
    taken = set(list_names(conn))
    while (name := naming_pattern.format(index=index)) in taken or name in also_taken:
        index += 1
    return name


def free_name(conn: Connection, batch: Batch, naming_pattern: str, taken_on_disk: Collection[str]) -> str:
    """The batch's own name, or the next free one when something on disk has taken that."""
    return batch.name if batch.name not in taken_on_disk else _next_name(conn, naming_pattern, taken_on_disk)


def find(conn: Connection, batch_id: int) -> Batch | None:
    """The batch, or None."""
    row = conn.execute(_select().where(batches.c.id == batch_id)).first()
    return _batch(row) if row else None


def get(conn: Connection, batch_id: int) -> Batch:
    """The batch. Raises NotFound."""
    batch = find(conn, batch_id)
    if batch is None:
        raise NotFound("batch", batch_id)
    return batch


def find_open(conn: Connection) -> Batch | None:
    """The oldest batch that has not ended, or None."""
    row = conn.execute(_select().where(batches.c.status.in_(OPEN_BATCH)).order_by(batches.c.id).limit(1)).first()
    return _batch(row) if row else None


def list_by_status(conn: Connection, statuses: Sequence[BatchStatus]) -> list[Batch]:
    """Every batch in one of these statuses, in id order."""
    return [_batch(r) for r in conn.execute(_select().where(batches.c.status.in_(statuses)).order_by(batches.c.id))]


def list_recent(conn: Connection, limit: int = 5, before_id: int | None = None) -> list[Batch]:
    """The newest batches first, those before `before_id` if given."""
    query = _select().order_by(batches.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(batches.c.id < before_id)
    return [_batch(row) for row in conn.execute(query)]


def list_named(conn: Connection, names: Sequence[str]) -> list[Batch]:
    """The batches of these names, in id order."""
    return [_batch(r) for r in conn.execute(_select().where(batches.c.name.in_(names)).order_by(batches.c.id))]


def list_names(conn: Connection) -> list[str]:
    """The name of every batch."""
    return list(conn.execute(select(batches.c.name)).scalars())


def count_by_status(conn: Connection) -> dict[BatchStatus, int]:
    """How many batches have each status; every status is present."""
    rows = conn.execute(select(batches.c.status, func.count()).group_by(batches.c.status))
    found = {status: int(number) for status, number in rows}
    return {status: found.get(status.value, 0) for status in BatchStatus}


def last_delivered_at(conn: Connection) -> str | None:
    """When the last batch was delivered, or None when none was."""
    found: str | None = conn.execute(select(func.max(batches.c.synced_at))).scalar()
    return found


def first_created_at(conn: Connection) -> str | None:
    """When the first batch was made, or None when there is none."""
    found: str | None = conn.execute(select(func.min(batches.c.created_at))).scalar()
    return found


def change(conn: Connection, batch: Batch, status: BatchStatus, **columns: Any) -> Batch:
    """Move the batch from the status it was read with to another, with other columns; returns it afresh.

    Raises IllegalTransition when the state table forbids it or someone else changed it meanwhile.
    """
    if status not in BATCH_CHANGES[batch.status]:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, status)
    reached = REACHED_AT.get(status)
    values = {"status": status.value, **({reached: now()} if reached else {}), **columns}
    claim = update(batches).where(batches.c.id == batch.id, batches.c.status == batch.status.value)
    if conn.execute(claim.values(**values)).rowcount != 1:
        raise IllegalTransition(f"Batch {batch.name}", "changed meanwhile", status)
    return get(conn, batch.id)


def make_looks_due(conn: Connection) -> list[Batch]:
    """Make every delivery to a peer that was begun due for a look now; returns those batches."""
    begun = (batches.c.target == "syncthing") & (
        (batches.c.status == BatchStatus.SYNCING.value)
        | ((batches.c.status == BatchStatus.PENDING.value) & batches.c.next_look_at.is_not(None))
    )
    conn.execute(update(batches).where(begun).values(next_look_at=now()))
    return [_batch(row) for row in conn.execute(_select().where(begun).order_by(batches.c.id))]


def bring_looks_forward(conn: Connection, batch_ids: Sequence[int]) -> None:
    """Make these batches due for a look now instead of later, unless a look brings them no further by now: then their
    time is that of the peer's copies, or of a wait that a person has chosen."""
    moment = now()
    is_delivered = batches.c.status == BatchStatus.SYNCED.value
    is_awaited = is_delivered & (batches.c.peer_policy == "release") & batches.c.released_at.is_(None)
    is_undelivered = batches.c.status.in_([BatchStatus.PENDING.value, BatchStatus.SYNCING.value])
    where = (batches.c.id.in_(batch_ids), is_undelivered | is_awaited, batches.c.next_look_at > moment)
    conn.execute(update(batches).where(*where).values(next_look_at=moment))


def set_columns(conn: Connection, batch_id: int, **columns: Any) -> None:
    """Write columns other than the status."""
    assert "status" not in columns
    conn.execute(update(batches).where(batches.c.id == batch_id).values(**columns))


def drop_reserved_by(conn: Connection, run: Run) -> None:
    """Remove the batch that was reserved for this run and never got a file: it would only stand in the way."""
    batch = find(conn, run.batch_id) if run.batch_id is not None else None
    if batch is not None and batch.run_id == run.id:
        drop_reserved(conn, batch.id)


def drop_reserved(conn: Connection, batch_id: int) -> None:
    """Remove a reserved batch that never got a file, so that an empty build leaves no row behind.

    A run that was to build it keeps its row and forgets the batch. Any other batch is left alone.
    """
    where = (
        batches.c.id == batch_id,
        batches.c.status == BatchStatus.PENDING.value,
        batches.c.file_count == 0,
        batches.c.published_at.is_(None),
    )
    if conn.execute(select(batches.c.id).where(*where)).first() is not None:
        conn.execute(update(runs).where(runs.c.batch_id == batch_id).values(batch_id=None))
        conn.execute(batches.delete().where(*where))
