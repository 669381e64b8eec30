"""The assets table: one row per media file ever seen.

A status changes only through `mark` and `place`, which keep the totals right in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select, text, update

from app.db import findings, present_names, totals
from app.db.clock import now
from app.db.names import name_key
from app.db.rows import build, columns_for
from app.db.tables import assets
from app.errors import IllegalTransition, NotFound
from app.model import ASSET_CHANGES, Asset, AssetStatus, Signature

CONVERTERS = {"status": AssetStatus}
#: SQLite takes at most 32,766 variables in a statement; lists are cut well below that.
CHUNK = 5_000
#: Spelled out, not bound: only so does SQLite take the partial index on places.
NOT_GONE = text("status != 'gone'")

#: What is the same for all of them is in the statement: handing it over for each row costs as much as the row.
INSERT = (
    "INSERT INTO assets (id, path, origin_path, name, status, device, inode, size_bytes, mtime_ns, ctime_ns, group_id, "
    "head_digest, digest, digest_algorithm, original_id, root_id, origin_root_id, first_seen_at, updated_at) "
    "VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULLIF(?11, ''), NULLIF(?12, ''), "
    "CASE WHEN ?12 <> '' THEN '{algorithm}' END, NULLIF(?13, 0), {root_id:d}, {root_id:d}, '{at}', '{at}')"
)
#: Digests that are known of new files are of this algorithm.
QUICK_ALGORITHM = "blake3"


#: A file that is new: id, path, key of its name, status, the five values of its signature, group, head digest, digest,
#: original; '' for a digest and 0 for an original that there is not.
#: For each value that is bytes or None the driver looks for an adapter first, which takes longer than to bind it.
NewAsset = tuple[int, bytearray, bytearray, str, int, int, int, int, int, int | None, str, str, int]


def _select() -> Select[Any]:
    return select(*columns_for(assets, Asset))


def _asset(row: Sequence[Any]) -> Asset:
    return build(Asset, row, CONVERTERS)


def insert_new(conn: Connection, root_id: int, new: Sequence[NewAsset]) -> Counter[str]:
    """Insert new files, an original before its duplicates, with the totals; how many there are of each status.

    An id is above all that are there.
    """
    counts = Counter(row[3] for row in new)
    if new:
        conn.exec_driver_sql(INSERT.format(algorithm=QUICK_ALGORITHM, root_id=root_id, at=now()), new)
        sizes = {status: sum(row[6] for row in new if row[3] == status) for status in counts}
        totals.add(conn, {status: (count, sizes[status]) for status, count in counts.items()})
    return counts


def insert_discovered(conn: Connection, root_id: int, found: Iterable[tuple[bytes, Signature, int | None]]) -> int:
    """Insert newly found files (relative path, signature, group id) as `discovered`; returns how many."""
    first, status = last_id(conn) + 1, AssetStatus.DISCOVERED.value
    new: list[NewAsset] = [
        (first + i, bytearray(path), bytearray(name_key(path)), status, *seen, group_id, "", "", 0)
        for i, (path, seen, group_id) in enumerate(found)
    ]
    insert_new(conn, root_id, new)
    return len(new)


def find(conn: Connection, asset_id: int) -> Asset | None:
    """The asset, or None."""
    row = conn.execute(_select().where(assets.c.id == asset_id)).first()
    return _asset(row) if row else None


def get(conn: Connection, asset_id: int) -> Asset:
    """The asset. Raises NotFound."""
    asset = find(conn, asset_id)
    if asset is None:
        raise NotFound("asset", asset_id)
    return asset


def find_at(conn: Connection, root_id: int, path: bytes) -> Asset | None:
    """The asset whose place is this, unless it is gone."""
    row = conn.execute(_select().where(assets.c.root_id == root_id, assets.c.path == path, NOT_GONE)).first()
    return _asset(row) if row else None


def list_at(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, Asset]:
    """The assets whose places are these, unless they are gone; asks in slices."""
    found: dict[bytes, Asset] = {}
    for start in range(0, len(paths), CHUNK):
        where = (assets.c.root_id == root_id, assets.c.path.in_(paths[start : start + CHUNK]), NOT_GONE)
        found.update({asset.path: asset for asset in map(_asset, conn.execute(_select().where(*where)))})
    return found


def list_by_status(
    conn: Connection, status: AssetStatus, after_id: int = 0, limit: int = 1_000, root_id: int | None = None
) -> list[Asset]:
    """Assets of one status in id order, those after `after_id`, at most `limit`."""
    query = _select().where(assets.c.status == status, assets.c.id > after_id)
    if root_id is not None:
        query = query.where(assets.c.root_id == root_id)
    return [_asset(row) for row in conn.execute(query.order_by(assets.c.id).limit(limit))]


def list_page(
    conn: Connection, *, status: AssetStatus | None, prefix: bytes, batch_id: int | None, after_id: int, limit: int
) -> list[Asset]:
    """Assets in id order after `after_id`: of one status, of one batch, with a path that begins so; each if given."""
    query = _select().where(assets.c.id > after_id).order_by(assets.c.id).limit(limit)
    if status is not None:
        query = query.where(assets.c.status == status)
    if batch_id is not None:
        query = query.where(assets.c.batch_id == batch_id)
    if prefix:
        query = query.where(func.substr(assets.c.path, 1, len(prefix)) == prefix)
    return [_asset(row) for row in conn.execute(query)]


def list_in_batch(conn: Connection, batch_id: int, status: AssetStatus | None = None) -> list[Asset]:
    """Every asset of a batch in id order, optionally only those of one status."""
    query = _select().where(assets.c.batch_id == batch_id)
    if status is not None:
        query = query.where(assets.c.status == status)
    return [_asset(row) for row in conn.execute(query.order_by(assets.c.id)).all()]


def list_places(conn: Connection, root_id: int) -> Iterator[tuple[int, bytes, str, Signature]]:
    """(id, path, status, signature) of every asset under a root that is not gone, streamed."""
    c = assets.c
    query = select(c.id, c.path, c.status, c.device, c.inode, c.size_bytes, c.mtime_ns, c.ctime_ns).where(
        c.root_id == root_id, c.status != AssetStatus.GONE
    )
    for row in conn.execute(query):
        yield row[0], row[1], row[2], Signature(*row[3:8])


def count_under(conn: Connection, root_ids: Sequence[int]) -> int:
    """How many files lie under these roots, counted afresh."""
    query = select(func.count()).where(assets.c.root_id.in_(root_ids), NOT_GONE)
    return int(conn.execute(query).scalar_one())


def last_id(conn: Connection) -> int:
    """The highest id so far, 0 when there is none."""
    return int(conn.execute(select(func.coalesce(func.max(assets.c.id), 0))).scalar_one())


def count(conn: Connection, status: AssetStatus, after_id: int = 0) -> int:
    """How many assets have this status, counted afresh; only those after an id if one is given."""
    here = (assets.c.status == status, assets.c.id > after_id)
    return int(conn.execute(select(func.count()).where(*here)).scalar_one())


def mark(
    conn: Connection,
    changed: Sequence[Asset],
    status: AssetStatus,
    *,
    reason: str | None = None,
    **columns: Any,
) -> None:
    """Give these assets a new status (and other columns, the same for all), with the totals.

    Raises IllegalTransition when one of them may not become that, or was changed since it was read.
    """
    _refuse_illegal(changed, status)
    by_status: dict[AssetStatus, list[Asset]] = {}
    for asset in changed:
        by_status.setdefault(asset.status, []).append(asset)
    for before, group in by_status.items():
        _mark_alike(conn, group, before, status, {"reason": reason, **columns})
    if status is AssetStatus.GONE:
        findings.drop_of_assets(conn, [asset.id for asset in changed])


def _refuse_illegal(changed: Sequence[Asset], status: AssetStatus) -> None:
    for asset in changed:
        if asset.status is not status and status not in ASSET_CHANGES[asset.status]:
            raise IllegalTransition(f"Asset {asset.id}", asset.status, status)


def _mark_alike(
    conn: Connection, group: Sequence[Asset], before: AssetStatus, status: AssetStatus, columns: dict[str, Any]
) -> None:
    names = ["status", "updated_at", *columns]
    sets = ", ".join(f"{name} = ?" for name in names)
    values = [status.value, now(), *columns.values()]
    result = conn.exec_driver_sql(
        f"UPDATE assets SET {sets} WHERE id = ? AND status = ?",
        [(*values, a.id, before.value) for a in group],
    )
    _count_marked(conn, group, before, status, result.rowcount)


def _count_marked(
    conn: Connection, group: Sequence[Asset], before: AssetStatus, status: AssetStatus, changed: int
) -> None:
    """Keep the totals right after `changed` rows became something else; all of the group must have."""
    if changed != len(group):
        raise IllegalTransition(f"One of {len(group)} assets", "changed meanwhile", status)
    size = sum(a.size_bytes for a in group)
    if before != status:
        totals.add(conn, {before: (-len(group), -size), status: (len(group), size)})


def set_columns(conn: Connection, rows: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Write other columns than status and size, per asset; every row must name the same columns."""
    if not rows:
        return
    names = list(rows[0][1])
    assert not {"status", "size_bytes"} & set(names)
    sets = ", ".join(f"{name} = ?" for name in names)
    conn.exec_driver_sql(
        f"UPDATE assets SET {sets}, updated_at = ? WHERE id = ?",
        [(*(columns[name] for name in names), now(), asset_id) for asset_id, columns in rows],
    )


def bind(conn: Connection, asset_ids: Sequence[int], batch_id: int) -> None:
    """Make these members of a batch."""
    at = now()
    for start in range(0, len(asset_ids), CHUNK):
        part = asset_ids[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        conn.exec_driver_sql(f"UPDATE assets SET batch_id = ?, updated_at = ? WHERE id IN ({marks})",
                             (batch_id, at, *part))


def place(
    conn: Connection, asset_id: int, root_id: int, path: bytes, signature: Signature, status: AssetStatus | None
) -> None:
    """Record where an asset is now, with its signature there, and its new status if one is given.

    This is what a finished move and recovery call. The size must not differ: a move never changes content.
    """
    asset = get(conn, asset_id)
    if status is not None and status != asset.status:
        mark(conn, [asset], status, reason=None)
    values = {
        "root_id": root_id,
        "path": path,
        "device": signature.device,
        "inode": signature.inode,
        "mtime_ns": signature.mtime_ns,
        "ctime_ns": signature.ctime_ns,
        "updated_at": now(),
    }
    conn.execute(update(assets).where(assets.c.id == asset_id).values(**values))
    present_names.note(conn, [(asset_id, asset.path, path)])
    findings.drop_of_assets(conn, [asset_id])


def place_many(
    conn: Connection, placed: Sequence[tuple[Asset, int, bytes, Signature]], status: AssetStatus | None
) -> None:
    """`place` for many assets at once: (asset as read, root id, path, signature there).

    With a status this is `mark` as well, in the same statement: it raises as `mark` does.
    """
    at = now()
    findings.drop_of_assets(conn, [one[0].id for one in placed])
    present_names.note(conn, [(asset.id, asset.path, path) for asset, _, path, _ in placed])
    if status is None:
        rows = [(*_where(root_id, path, s), at, asset.id) for asset, root_id, path, s in placed]
        if rows:
            conn.exec_driver_sql(f"UPDATE assets SET {PLACE}, updated_at = ? WHERE id = ?", rows)
        return
    by_status: dict[AssetStatus, list[tuple[Asset, int, bytes, Signature]]] = {}
    for one in placed:
        by_status.setdefault(one[0].status, []).append(one)
    for before, alike in by_status.items():
        _refuse_illegal([one[0] for one in alike], status)
        marked = [
            (*_where(root_id, path, s), at, status.value, asset.id, before.value) for asset, root_id, path, s in alike
        ]
        sets = f"{PLACE}, updated_at = ?, status = ?, reason = NULL"
        result = conn.exec_driver_sql(f"UPDATE assets SET {sets} WHERE id = ? AND status = ?", marked)
        _count_marked(conn, [one[0] for one in alike], before, status, result.rowcount)


PLACE = "root_id = ?, path = ?, device = ?, inode = ?, mtime_ns = ?, ctime_ns = ?"


def _where(root_id: int, path: bytes, s: Signature) -> tuple[int, bytes, int, int, int, int]:
    return root_id, path, s.device, s.inode, s.mtime_ns, s.ctime_ns
