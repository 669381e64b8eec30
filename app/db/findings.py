"""The findings table: one row per place that is not as it should be. A place that is right again has none.

What a file holds is kept with the finding as long as the file is still the very same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from app.db.clock import now
from app.db.paging import Walk, read_page
from app.db.rows import build, columns_for
from app.db.tables import findings
from app.errors import NotFound
from app.model import OPEN_FINDINGS, Finding, FindingKind, Signature

CONVERTERS = {"kind": FindingKind}
NOTHING = (None, None, None, None)

#: A file that was found elsewhere the last time is not news while that is being looked at again.
PUT = """
INSERT INTO findings (run_id, kind, asset_id, root_id, path, size_bytes, reason, found_at, device, inode, mtime_ns,
  ctime_ns, digest, digest_algorithm, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (root_id, path) DO UPDATE SET run_id = excluded.run_id, kind = excluded.kind, asset_id = excluded.asset_id,
  size_bytes = excluded.size_bytes, reason = excluded.reason, device = excluded.device, inode = excluded.inode,
  mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, digest = excluded.digest,
  digest_algorithm = excluded.digest_algorithm, sha256 = excluded.sha256, new_root_id = NULL, new_path = NULL,
  found_at = CASE WHEN findings.kind = excluded.kind
    OR (findings.kind = 'moved' AND excluded.kind IN ('missing', 'altered'))
    THEN findings.found_at ELSE excluded.found_at END
"""


#: Rows that hold what a finding's file should hold, and copies of it that were kept; nothing was found at any of them.
GOOD_COPIES = """
SELECT g.root_id, g.path FROM (
  SELECT b.root_id, b.path, 0 AS part, b.id FROM assets a JOIN assets b ON b.digest = a.digest
  WHERE a.id = :asset_id AND b.digest_algorithm IS a.digest_algorithm AND b.status != 'gone'
  UNION ALL
  SELECT k.root_id, k.path, 1 AS part, k.id FROM kept_copies k WHERE k.asset_id = :asset_id
) g
WHERE NOT (g.root_id = :root_id AND g.path = :path)
AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.root_id = g.root_id AND f.path = g.path)
ORDER BY g.part, g.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class NewFinding:
    """What is wrong at a place; the signature and the digests are of the file that lies there now, if one was read."""

    kind: FindingKind
    asset_id: int | None
    root_id: int
    path: bytes
    size_bytes: int | None
    reason: str
    signature: Signature | None = None
    digest: str | None = None
    digest_algorithm: str | None = None
    sha256: str | None = None


def put(conn: Connection, run_id: int, found: Sequence[NewFinding]) -> None:
    """Write findings about files that rows know; another finding at the same place gives way."""
    at = now()
    rows = [
        (run_id, f.kind.value, f.asset_id, f.root_id, f.path, f.size_bytes, f.reason, at, *facts(f.signature),
         f.digest, f.digest_algorithm, f.sha256)
        for f in found
    ]  # fmt: skip
    if rows:
        conn.exec_driver_sql(PUT, rows)


def facts(s: Signature | None) -> tuple[int | None, ...]:
    """Device, inode, mtime and ctime, as the table holds them."""
    return NOTHING if s is None else (s.device, s.inode, s.mtime_ns, s.ctime_ns)


def confirm(conn: Connection, run_id: int, places: Sequence[tuple[int, bytes]]) -> None:
    """Let findings at these (root id, path) stand, without a new look: nothing could be said of them now."""
    if places:
        conn.exec_driver_sql(
            "UPDATE findings SET run_id = ? WHERE root_id = ? AND path = ?", [(run_id, *place) for place in places]
        )


def drop_at(conn: Connection, places: Sequence[tuple[int, bytes]]) -> None:
    """Forget what was found at these (root id, path)."""
    if places:
        conn.exec_driver_sql("DELETE FROM findings WHERE root_id = ? AND path = ?", places)


def drop(conn: Connection, ids: Sequence[int]) -> None:
    """Forget these findings."""
    if ids:
        conn.exec_driver_sql("DELETE FROM findings WHERE id = ?", [(i,) for i in ids])


def drop_of_assets(conn: Connection, asset_ids: Sequence[int]) -> None:
    """Forget what was found about these assets: they have a new place."""
    if asset_ids and conn.exec_driver_sql("SELECT 1 FROM findings LIMIT 1").first() is not None:
        conn.exec_driver_sql("DELETE FROM findings WHERE asset_id = ?", [(i,) for i in asset_ids])


def drop_unseen(conn: Connection, run_id: int, root_id: int, *, foreign: bool) -> None:
    """Forget what earlier runs found under a root and this one did not: about foreign files, or about all others."""
    which = "IS NULL" if foreign else "IS NOT NULL"
    conn.exec_driver_sql(
        f"DELETE FROM findings WHERE root_id = ? AND run_id <> ? AND asset_id {which}", (root_id, run_id)
    )


def find(conn: Connection, finding_id: int) -> Finding | None:
    """The finding, or None."""
    row = conn.execute(select(*columns_for(findings, Finding)).where(findings.c.id == finding_id)).first()
    return from_row(row) if row else None


def find_at(conn: Connection, root_id: int, path: bytes) -> Finding | None:
    """The finding at a place, or None."""
    c = findings.c
    query = select(*columns_for(findings, Finding)).where(c.root_id == root_id, c.path == path)
    row = conn.execute(query).first()
    return from_row(row) if row else None


def get(conn: Connection, finding_id: int) -> Finding:
    """The finding. Raises NotFound."""
    finding = find(conn, finding_id)
    if finding is None:
        raise NotFound("finding", finding_id)
    return finding


def find_good_copy(conn: Connection, finding: Finding) -> tuple[int, bytes] | None:
    """The (root id, path) of another file that holds, as far as rows tell, what this one should; None without one."""
    wanted = {"asset_id": finding.asset_id, "root_id": finding.root_id, "path": finding.path}
    row = conn.execute(text(GOOD_COPIES), wanted).first()
    return (row[0], row[1]) if row else None


def from_row(row: Sequence[object]) -> Finding:
    """The finding that a row of its columns holds."""
    return build(Finding, row, CONVERTERS)


def list_page(
    conn: Connection, kind: FindingKind | None, after_id: int, limit: int
) -> tuple[list[Finding], int | None]:
    """Findings in id order after an id, of one kind or all that wait for a person, and the id to go on after."""
    if kind is not None:
        walk = Walk(findings, ("id",), (lambda c: c.kind == kind.value,), after=(after_id,))
    else:
        walk = Walk(findings, ("id",), filters=(lambda c: c.kind != FindingKind.IGNORED.value,), after=(after_id,))
    page = read_page(conn, columns_for(findings, Finding), walk, limit)
    return [from_row(row) for row in page.rows], page.next_key[0] if page.next_key else None


def places_at(conn: Connection, places: Sequence[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
    """Those of these (root id, path) at which something was found."""
    c = findings.c
    by_root: dict[int, list[bytes]] = {}
    for root_id, path in places:
        by_root.setdefault(root_id, []).append(path)
    found: set[tuple[int, bytes]] = set()
    for root_id, paths in by_root.items():
        query = select(c.root_id, c.path).where(c.root_id == root_id, c.path.in_(paths))
        found.update((row[0], row[1]) for row in conn.execute(query))
    return found


def count_open(conn: Connection) -> dict[FindingKind, int]:
    """How many findings of each kind wait for a person; every such kind is present."""
    query = select(findings.c.kind, func.count()).group_by(findings.c.kind)
    counted = {row[0]: row[1] for row in conn.execute(query)}
    return {kind: counted.get(kind.value, 0) for kind in OPEN_FINDINGS}


def count_of_run(conn: Connection, run_id: int) -> dict[FindingKind, int]:
    """How many findings of each kind a run has made or confirmed; every kind is present."""
    query = select(findings.c.kind, func.count()).where(findings.c.run_id == run_id).group_by(findings.c.kind)
    counted = {row[0]: row[1] for row in conn.execute(query)}
    return {kind: counted.get(kind.value, 0) for kind in FindingKind}


def list_by_run(conn: Connection, run_id: int, kind: FindingKind, after_id: int, limit: int) -> list[Finding]:
    """Findings of one kind that a run has made or confirmed, in id order after an id."""
    c = findings.c
    query = select(*columns_for(findings, Finding)).where(c.kind == kind.value, c.run_id == run_id, c.id > after_id)
    return [from_row(row) for row in conn.execute(query.order_by(c.id).limit(limit)).all()]


def list_untold(conn: Connection, run_id: int, kind: FindingKind, limit: int) -> list[Finding]:
    """Findings of one kind of a run that the journal has not told of as such, in id order."""
    c = findings.c
    query = select(*columns_for(findings, Finding)).where(
        c.kind == kind.value, c.run_id == run_id, func.coalesce(c.told_as, "") != kind.value
    )
    return [from_row(row) for row in conn.execute(query.order_by(c.id).limit(limit)).all()]


def count_untold(conn: Connection, run_id: int, kind: FindingKind) -> int:
    """How many findings of one kind of a run the journal has not told of as such."""
    c = findings.c
    untold = (c.kind == kind.value) & (c.run_id == run_id) & (func.coalesce(c.told_as, "") != kind.value)
    return int(conn.execute(select(func.count()).select_from(findings).where(untold)).scalar_one())


def mark_told(conn: Connection, run_id: int) -> None:
    """Note that the journal has told of every finding of a run."""
    conn.exec_driver_sql("UPDATE findings SET told_as = kind WHERE run_id = ? AND kind <> 'ignored'", (run_id,))
