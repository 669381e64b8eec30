"""The last step of a group: one commit with the ends of its moves and the places of its assets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from app.db import assets, journal, kept_copies, moves
from app.db.moves import Ending
from app.files.moving import Group, Moved, OpenMove
from app.model import AssetStatus, MoveState

#: Called inside the commit that ends a group, with those of its moves that reached their targets.
Settle = Callable[[Connection, Sequence[Moved]], None]


def finish(group: Group, settle: Settle | None) -> None:
    """DONE or ABORTED for every row, the assets' new places and statuses, kept copies, and what the caller adds."""
    with group.db.transaction() as conn:
        _finish(conn, group, settle)


def _finish(conn: Connection, group: Group, settle: Settle | None) -> None:
    for moving in group.going_on():
        moving.state = MoveState.DONE
    moves.close(conn, [_ending(m) for m in group.moves if m.row_id])
    placing = [m for m in group.going_on() if m.move.places_asset]
    for status in {m.move.status_after for m in placing}:
        _place(conn, group.batch_id, [m for m in placing if m.move.status_after == status], status)
    _keep_copies(conn, placing)
    _note_holds(conn, [m for m in group.going_on() if m.move.is_hold])
    _tell(conn, group)
    done = [m.result() for m in group.going_on()]
    if settle is not None and done:
        settle(conn, done)


def _ending(moving: OpenMove) -> Ending:
    inode = moving.placed.inode if moving.placed else None
    return Ending(moving.row_id, moving.state, moving.method, inode, moving.trashed, moving.note)


def _place(conn: Connection, batch_id: int | None, placed: list[OpenMove], status: AssetStatus | None) -> None:
    rows = []
    for m in placed:
        assert m.placed is not None
        rows.append((m.move.asset, m.move.target.root.id, m.move.target.path, m.placed))
    assets.place_many(conn, rows, status)
    if status == AssetStatus.BATCHED and batch_id is not None:
        unbound = [m.move.asset.id for m in placed if m.move.asset.batch_id != batch_id]
        assets.set_columns(conn, [(asset_id, {"batch_id": batch_id}) for asset_id in unbound])


def _keep_copies(conn: Connection, placed: list[OpenMove]) -> None:
    """A source that stays is a known file: the next scan must not take it for a new one."""
    rows = []
    for m in placed:
        if (m.move.keep_source or m.source_kept) and m.source is not None:
            rows.append((m.move.asset.id, m.move.source.root.id, m.move.source.path, m.source))
    kept_copies.add(conn, rows)


def _note_holds(conn: Connection, held: list[OpenMove]) -> None:
    """A hold is a kept copy that is the same file: its second name has changed the ctime of both."""
    rows, changed = [], []
    for m in held:
        assert m.placed is not None
        rows.append((m.move.asset.id, m.move.target.root.id, m.move.target.path, m.placed))
        if (m.move.asset.device, m.move.asset.inode) == (m.placed.device, m.placed.inode):
            changed.append((m.move.asset.id, {"ctime_ns": m.placed.ctime_ns}))
    kept_copies.add(conn, rows)
    assets.set_columns(conn, changed)


def _tell(conn: Connection, group: Group) -> None:
    for m in group.moves:
        if m.state == MoveState.QUARANTINE or m.source_kept:
            kind = "move.source_kept" if m.source_kept else "move.quarantined"
            journal.record(
                conn,
                kind,
                m.note or "",
                level="warning" if m.source_kept else "error",
                run_id=group.run_id,
                batch_id=group.batch_id,
                asset_id=m.move.asset.id,
                detail={"move_id": m.row_id},
            )
