"""The rebuild_files table: every file that a rebuild saw, what it holds, and which asset it was given to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from app.db.assets import CHUNK
from app.db.rows import build, columns_for
from app.db.tables import rebuild_files
from app.model import Signature

INSERT = (
    "INSERT INTO rebuild_files (root_id, path, area, group_name, size_bytes, mtime_ns, ctime_ns, device, inode, seen, "
    "note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root_id, path) DO UPDATE SET area = excluded.area, "
    "group_name = excluded.group_name, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, "
    "ctime_ns = excluded.ctime_ns, device = excluded.device, inode = excluded.inode, seen = excluded.seen, "
    "note = excluded.note, digest = NULL, digest_algorithm = NULL, sha256 = NULL"
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One file on disk. `area` says in which part of the tree it lies, `group_name` whose stem names its group."""

    id: int
    root_id: int
    path: bytes
    area: str
    group_name: bytes
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    digest: str | None = None
    digest_algorithm: str | None = None
    sha256: str | None = None
    note: str | None = None

    @property
    def signature(self) -> Signature:
        """What the file system said of the file when it was seen."""
        return Signature(self.device, self.inode, self.size_bytes, self.mtime_ns, self.ctime_ns)


Seen = tuple[int, bytes, str, bytes, Signature, str | None]


def note(conn: Connection, found: Iterable[Seen], seen: int) -> None:
    """Write files that are new or have changed: (root id, path, area, group name, signature, note)."""
    rows = [
        (root_id, path, area, name, s.size_bytes, s.mtime_ns, s.ctime_ns, s.device, s.inode, seen, words)
        for root_id, path, area, name, s, words in found
    ]
    if rows:
        conn.exec_driver_sql(INSERT, rows)


def mark_seen(conn: Connection, ids: Sequence[int], seen: int) -> None:
    """These are as they were."""
    if ids:
        conn.exec_driver_sql("UPDATE rebuild_files SET seen = ? WHERE id = ?", [(seen, i) for i in ids])


def list_at(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, Sighting]:
    """What is written of these places of a root."""
    found: dict[bytes, Sighting] = {}
    for start in range(0, len(paths), CHUNK):
        part = rebuild_files.c.path.in_(paths[start : start + CHUNK])
        query = select(*columns_for(rebuild_files, Sighting)).where(rebuild_files.c.root_id == root_id, part)
        found.update({one.path: one for one in _built(conn, query)})
    return found


def forget_unseen(conn: Connection, seen: int) -> None:
    """Drop what this look did not see again."""
    conn.execute(rebuild_files.delete().where(rebuild_files.c.seen != seen))


def count(conn: Connection) -> tuple[int, int]:
    """(files, bytes) of all that was seen."""
    files, size = conn.execute(
        select(func.count(), func.coalesce(func.sum(rebuild_files.c.size_bytes), 0)).select_from(rebuild_files)
    ).one()
    return int(files), int(size)


def list_unread(conn: Connection, algorithm: str, after_id: int, limit: int, areas: Sequence[str]) -> list[Sighting]:
    """Files that have no digest of this algorithm yet, in id order; those of other areas are not read."""
    c = rebuild_files.c
    lacks = c.sha256.is_(None) | (c.digest_algorithm != algorithm)
    query = select(*columns_for(rebuild_files, Sighting)).where(c.id > after_id, lacks, c.area.in_(areas))
    return _built(conn, query.order_by(c.id).limit(limit))


def write_digests(conn: Connection, read: Sequence[tuple[int, str, str]], algorithm: str) -> None:
    """Write (id, digest, sha256)."""
    if read:
        conn.exec_driver_sql(
            "UPDATE rebuild_files SET digest = ?, digest_algorithm = ?, sha256 = ?, note = NULL WHERE id = ?",
            [(digest, algorithm, sha256, i) for i, digest, sha256 in read],
        )


def forget_findings(conn: Connection) -> None:
    """Everything is judged anew."""
    conn.exec_driver_sql("UPDATE rebuild_files SET asset_id = NULL, finding = NULL")


def write_findings(conn: Connection, found: Sequence[tuple[int, int | None, str | None, str | None]]) -> None:
    """Write (id, asset id, finding, note): whose file it is, and what a person may want to know of it."""
    if found:
        conn.exec_driver_sql(
            "UPDATE rebuild_files SET asset_id = ?, finding = ?, note = ? WHERE id = ?",
            [(asset_id, finding, words, i) for i, asset_id, finding, words in found],
        )


def forget_finding(conn: Connection, root_id: int, path: bytes) -> None:
    """Nothing needs to be looked at in the file at this place; whose it is stays known."""
    sql = "UPDATE rebuild_files SET finding = NULL, note = NULL WHERE root_id = ? AND path = ?"
    conn.exec_driver_sql(sql, (root_id, path))


def list_contents(conn: Connection, after: str, limit: int) -> list[str]:
    """The SHA-256 of every content that was seen or that a manifest names, in order, those after `after`."""
    sql = (
        "SELECT sha256 FROM (SELECT sha256 FROM rebuild_files WHERE sha256 > ? "
        "UNION SELECT sha256 FROM rebuild_entries WHERE sha256 > ?) ORDER BY sha256 LIMIT ?"
    )
    return [row[0] for row in conn.exec_driver_sql(sql, (after, after, limit))]


def list_of(conn: Connection, contents: Sequence[str]) -> dict[str, list[Sighting]]:
    """The files that hold each of these contents, in id order."""
    c = rebuild_files.c
    query = select(*columns_for(rebuild_files, Sighting)).where(c.sha256.in_(contents)).order_by(c.id)
    found: dict[str, list[Sighting]] = {sha256: [] for sha256 in contents}
    for one in _built(conn, query):
        found[one.sha256 or ""].append(one)
    return found


def list_without_content(conn: Connection, after_id: int, limit: int) -> list[Sighting]:
    """Files that were not read, because they need not be or cannot be, in id order."""
    c = rebuild_files.c
    query = select(*columns_for(rebuild_files, Sighting)).where(c.id > after_id, c.sha256.is_(None))
    return _built(conn, query.order_by(c.id).limit(limit))


def find_paths(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, str | None]:
    """The SHA-256 of what was seen at these places; a place where nothing was seen is left out."""
    c = rebuild_files.c
    found: dict[bytes, str | None] = {}
    for start in range(0, len(paths), CHUNK):
        query = select(c.path, c.sha256).where(c.root_id == root_id, c.path.in_(paths[start : start + CHUNK]))
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found


def contents_in(conn: Connection, contents: Sequence[str], areas: Sequence[str]) -> set[str]:
    """Those of these contents that were seen in one of these areas."""
    c = rebuild_files.c
    found: set[str] = set()
    for start in range(0, len(contents), CHUNK):
        query = select(c.sha256).where(c.sha256.in_(contents[start : start + CHUNK]), c.area.in_(areas)).distinct()
        found.update(conn.execute(query).scalars())
    return found


def list_by_finding(conn: Connection, finding: str) -> list[Sighting]:
    """Every file of one finding, in id order."""
    c = rebuild_files.c
    return _built(conn, select(*columns_for(rebuild_files, Sighting)).where(c.finding == finding).order_by(c.id))


def list_of_size(conn: Connection, size_bytes: int, areas: Sequence[str], limit: int) -> list[Sighting]:
    """Files of one size that were read, in one of these areas."""
    c = rebuild_files.c
    fit = (c.size_bytes == size_bytes, c.area.in_(areas), c.sha256.is_not(None))
    return _built(conn, select(*columns_for(rebuild_files, Sighting)).where(*fit).order_by(c.id).limit(limit))


def count_findings(conn: Connection) -> dict[str, int]:
    """How many files there are of each finding."""
    c = rebuild_files.c
    query = select(c.finding, func.count()).where(c.finding.is_not(None)).group_by(c.finding)
    return {str(finding): int(number) for finding, number in conn.execute(query).all()}


def count_by_root(conn: Connection) -> dict[int, tuple[int, int]]:
    """(files, bytes) seen under each root."""
    c = rebuild_files.c
    query = select(c.root_id, func.count(), func.sum(c.size_bytes)).group_by(c.root_id)
    return {row[0]: (int(row[1]), int(row[2])) for row in conn.execute(query).all()}


def forget_plain(conn: Connection) -> None:
    """Keep only what is worth a look."""
    conn.execute(rebuild_files.delete().where(rebuild_files.c.finding.is_(None)))


def _built(conn: Connection, query: Any) -> list[Sighting]:
    return [build(Sighting, row, {}) for row in conn.execute(query).all()]
