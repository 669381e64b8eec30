"""Findings about files that no row knows: what they hold, whether a missing file is among them, which are ignored."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from app.db.clock import now
from app.db.findings import drop, facts, from_row
from app.db.rows import columns_for
from app.db.tables import findings
from app.model import Finding, FindingKind, Signature

IS_SAME = (
    "findings.size_bytes = excluded.size_bytes AND findings.mtime_ns = excluded.mtime_ns "
    "AND findings.inode = excluded.inode AND findings.ctime_ns = excluded.ctime_ns AND findings.asset_id IS NULL"
)
#: A foreign file stays ignored, and what was read of it stays known, as long as it is the same file.
PUT_FOREIGN = f"""
INSERT INTO findings (run_id, kind, root_id, path, size_bytes, reason, found_at, device, inode, mtime_ns, ctime_ns)
VALUES (?, 'foreign', ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (root_id, path) DO UPDATE SET run_id = excluded.run_id, asset_id = NULL,
  kind = CASE WHEN findings.kind = 'ignored' AND {IS_SAME} THEN 'ignored' ELSE 'foreign' END,
  reason = CASE WHEN {IS_SAME} THEN findings.reason ELSE excluded.reason END,
  found_at = CASE WHEN {IS_SAME} THEN findings.found_at ELSE excluded.found_at END,
  digest = CASE WHEN {IS_SAME} THEN findings.digest END, sha256 = CASE WHEN {IS_SAME} THEN findings.sha256 END,
  digest_algorithm = CASE WHEN {IS_SAME} THEN findings.digest_algorithm END,
  told_as = CASE WHEN {IS_SAME} THEN findings.told_as END, new_root_id = NULL, new_path = NULL,
  size_bytes = excluded.size_bytes, device = excluded.device, inode = excluded.inode, mtime_ns = excluded.mtime_ns,
  ctime_ns = excluded.ctime_ns
"""



def put(conn: Connection, run_id: int, root_id: int, found: Sequence[tuple[bytes, Signature, str]]) -> None:
    """Write (path, signature, reason) of files that no row knows; ignored ones stay so while they are the same."""
    at = now()
    rows = [(run_id, root_id, path, s.size_bytes, reason, at, *facts(s)) for path, s, reason in found]
    if rows:
        conn.exec_driver_sql(PUT_FOREIGN, rows)


def list_unread(conn: Connection, run_id: int, after_id: int, limit: int) -> list[Finding]:
    """Foreign files of a run whose content is not known yet, in id order after an id."""
    c = findings.c
    query = select(*columns_for(findings, Finding)).where(
        c.run_id == run_id, c.id > after_id, c.kind == FindingKind.FOREIGN.value, c.sha256.is_(None)
    )
    return [from_row(row) for row in conn.execute(query.order_by(c.id).limit(limit)).all()]


def sizes_of_missing(conn: Connection, sizes: Sequence[int]) -> set[int]:
    """Those of these sizes which a missing file had."""
    c = findings.c
    query = select(c.size_bytes).where(c.size_bytes.in_(sizes), c.kind == FindingKind.MISSING.value).distinct()
    return set(conn.execute(query).scalars())


def write_content(conn: Connection, read: Sequence[tuple[int, Signature, str, str, str, str]]) -> None:
    """Write what foreign files hold: (finding id, signature, digest, its algorithm, SHA-256, reason)."""
    if read:
        conn.exec_driver_sql(
            "UPDATE findings SET device = ?, inode = ?, size_bytes = ?, mtime_ns = ?, ctime_ns = ?, digest = ?, "
            "digest_algorithm = ?, sha256 = ?, reason = ? WHERE id = ?",
            [(*s, digest, algorithm, sha256, reason, i) for i, s, digest, algorithm, sha256, reason in read],
        )


def list_holding(
    conn: Connection, run_id: int, contents: Sequence[str], kind: FindingKind = FindingKind.FOREIGN
) -> dict[str, list[Finding]]:
    """Foreign files of a run, or findings of another kind, by what lies there (SHA-256), in id order."""
    c = findings.c
    query = select(*columns_for(findings, Finding)).where(
        c.sha256.in_(contents), c.run_id == run_id, c.kind == kind.value
    )
    found: dict[str, list[Finding]] = {}
    for row in conn.execute(query.order_by(c.id)).all():
        finding = from_row(row)
        found.setdefault(finding.sha256 or "", []).append(finding)
    return found


def join_as_moved(conn: Connection, pairs: Sequence[tuple[Finding, Finding, str]]) -> None:
    """Tell of files as moved: (a finding, the one where its content lies, the sentence about both).

    Of a missing file and a foreign one this makes one finding; of files that took each other's places each keeps its.
    """
    drop(conn, [found.id for _, found, _ in pairs if found.kind is FindingKind.FOREIGN])
    rows = [
        (found.root_id, found.path, reason, found.size_bytes, found.device, found.inode, found.mtime_ns,
         found.ctime_ns, found.digest, found.digest_algorithm, found.sha256, lost.id)
        for lost, found, reason in pairs
    ]  # fmt: skip
    if rows:
        conn.exec_driver_sql(
            "UPDATE findings SET kind = 'moved', new_root_id = ?, new_path = ?, reason = ?, size_bytes = ?, "
            "device = ?, inode = ?, mtime_ns = ?, ctime_ns = ?, digest = ?, digest_algorithm = ?, sha256 = ? "
            "WHERE id = ?",
            rows,
        )


def ignore(conn: Connection, finding_id: int) -> None:
    """Hear no more of a foreign file, as long as it is the same file."""
    conn.exec_driver_sql("UPDATE findings SET kind = 'ignored' WHERE id = ?", (finding_id,))


def report_again(conn: Connection, finding_id: int) -> None:
    """Let a foreign file that was ignored be a finding again."""
    conn.exec_driver_sql("UPDATE findings SET kind = 'foreign', told_as = 'foreign' WHERE id = ?", (finding_id,))
