"""The date_sidecars table: which photos and videos have, or are to have, a sidecar of ours with the decided date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from app.db.clock import now
from app.db.tables import assets, date_sidecars
from app.model import AssetStatus

#: Ids named in one statement.
CHUNK = 5_000

WANT = (
    "INSERT INTO date_sidecars (asset_id, due_at) VALUES (?, ?) "
    "ON CONFLICT (asset_id) DO UPDATE SET due_at = excluded.due_at, note = NULL"
)


class DateSidecar(NamedTuple):
    """`sidecar_id`: the asset that lies beside this one; `sha256`: what was written, or is being written; `note`: why
    there is none."""

    asset_id: int
    sidecar_id: int | None
    sha256: str | None
    due_at: str | None
    note: str | None


_c = date_sidecars.c
_COLUMNS = tuple(_c[name] for name in DateSidecar._fields)
_JOINED = date_sidecars.join(assets, assets.c.id == _c.asset_id)
_CAN_BE_DONE = or_(_c.sidecar_id.is_not(None), assets.c.status == AssetStatus.ARCHIVED)


def want(conn: Connection, asset_ids: Iterable[int]) -> None:
    """From now on these are to have one, as soon as they are in the archive."""
    at = now()
    rows = [(asset_id, at) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql(WANT, rows)


def look_again(conn: Connection, asset_ids: Iterable[int]) -> None:
    """Those of these that have one, or are to have one, may need another one, or none."""
    at = now()
    rows = [(at, asset_id) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql("UPDATE date_sidecars SET due_at = ?, note = NULL WHERE asset_id = ?", rows)


def list_due(conn: Connection, after_id: int, limit: int) -> list[DateSidecar]:
    """Those to be looked at, in id order after one, at most `limit`: where something lies, or the file is archived."""
    query = select(*_COLUMNS).select_from(_JOINED).where(_c.asset_id > after_id, _c.due_at.is_not(None), _CAN_BE_DONE)
    return [DateSidecar(*row) for row in conn.execute(query.order_by(_c.asset_id).limit(limit))]


def is_any_due(conn: Connection, at: str) -> bool:
    """Whether one of them was to be looked at by this instant."""
    query = select(_c.asset_id).select_from(_JOINED).where(_c.due_at <= at, _CAN_BE_DONE)
    return conn.execute(query.limit(1)).first() is not None


def put_off(conn: Connection, asset_ids: Sequence[int], until: str) -> None:
    """Look at these no earlier than then, if they are still due."""
    rows = [(until, asset_id) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql("UPDATE date_sidecars SET due_at = ? WHERE asset_id = ? AND due_at IS NOT NULL", rows)


def settle(conn: Connection, asset_id: int, seen_due_at: str | None, **columns: Any) -> None:
    """Write what lies beside an asset now. It stays due when it became so again since `seen_due_at`."""
    sets = "".join(f"{name} = ?, " for name in columns)
    conn.exec_driver_sql(
        f"UPDATE date_sidecars SET {sets}due_at = CASE WHEN due_at IS ? THEN NULL ELSE due_at END WHERE asset_id = ?",
        (*columns.values(), seen_due_at, asset_id),
    )


def intend(conn: Connection, asset_id: int, sha256: str) -> None:
    """What is about to be written; nothing lies there yet."""
    conn.exec_driver_sql(
        "UPDATE date_sidecars SET sidecar_id = NULL, sha256 = ? WHERE asset_id = ?", (sha256, asset_id)
    )


def find(conn: Connection, asset_id: int) -> DateSidecar | None:
    """What is known of an asset, or None."""
    row = conn.execute(select(*_COLUMNS).where(_c.asset_id == asset_id)).first()
    return DateSidecar(*row) if row else None


def list_of_batch(conn: Connection, batch_id: int) -> list[int]:
    """The assets of a batch, by id, beside which one lies."""
    query = select(_c.asset_id).join(assets, assets.c.id == _c.asset_id)
    return [row[0] for row in conn.execute(query.where(assets.c.batch_id == batch_id, _c.sidecar_id.is_not(None)))]


def adopt(conn: Connection, asset_id: int, sidecar_id: int, sha256: str) -> None:
    """A file that lies beside an asset is the one that we wrote."""
    conn.exec_driver_sql(
        "INSERT INTO date_sidecars (asset_id, sidecar_id, sha256) VALUES (?, ?, ?) ON CONFLICT (asset_id) "
        "DO UPDATE SET sidecar_id = excluded.sidecar_id, sha256 = excluded.sha256",
        (asset_id, sidecar_id, sha256),
    )


def forget(conn: Connection, asset_id: int) -> None:
    """Nothing of ours lies beside an asset any more."""
    conn.exec_driver_sql("UPDATE date_sidecars SET sidecar_id = NULL, sha256 = NULL WHERE asset_id = ?", (asset_id,))


def drop(conn: Connection, asset_id: int) -> None:
    """Nothing lies beside an asset, and nothing is to lie there."""
    conn.exec_driver_sql(
        "DELETE FROM date_sidecars WHERE asset_id = ? AND sidecar_id IS NULL AND due_at IS NULL", (asset_id,)
    )


def list_ours(conn: Connection, asset_ids: Sequence[int]) -> set[int]:
    """Those of these assets that are sidecars which we wrote."""
    found: set[int] = set()
    for start in range(0, len(asset_ids), CHUNK):
        part = _c.sidecar_id.in_(asset_ids[start : start + CHUNK])
        found.update(row[0] for row in conn.execute(select(_c.sidecar_id).where(part)))
    return found
