"""A missing file and a foreign one of the same content are one file that somebody moved or renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import findings, foreign_files, verification
from app.db.connection import Connection
from app.db.verification import Content
from app.model import Finding, FindingKind, Place, Root
from app.pipeline.verify import words
from app.pipeline.verify.scope import Scope

SLICE = 500


def join_moved(conn: Connection, scope: Scope) -> None:
    """Make one finding of every such two."""
    roots = {root.id: root for root in scope.roots}
    last = 0
    while page := findings.list_by_run(conn, scope.run_id, FindingKind.MISSING, last, SLICE):
        _join(conn, scope, roots, page)
        last = page[-1].id


def _join(conn: Connection, scope: Scope, roots: Mapping[int, Root], page: Sequence[Finding]) -> None:
    contents = verification.list_contents(conn, [f.asset_id for f in page if f.asset_id is not None])
    wanted = {content.sha256 for content in contents.values() if content.sha256}
    held = foreign_files.list_holding(conn, scope.run_id, sorted(wanted)) if wanted else {}
    joined = []
    for lost, found in pair(page, contents, held):
        joined.append((lost, found, words.moved(Place(roots[found.root_id], found.path).absolute)))
    foreign_files.join_as_moved(conn, joined)


def pair(
    missing: Sequence[Finding], contents: Mapping[int, Content], held: Mapping[str, Sequence[Finding]]
) -> list[tuple[Finding, Finding]]:
    """Which missing file is which foreign one: of several with its content, the one in the same folder tree and of the
    same name first. Each foreign file is used once. Empty files, and copies that were kept, are nobody's in particular.
    """
    taken: set[int] = set()
    pairs = []
    for lost in missing:
        content = contents.get(lost.asset_id or 0)
        if content is None or (content.root_id, content.path) != (lost.root_id, lost.path) or not content.size_bytes:
            continue
        free = [found for found in held.get(content.sha256 or "", ()) if found.id not in taken]
        if free:
            best = min(free, key=lambda found: _distance(lost, found))
            taken.add(best.id)
            pairs.append((lost, best))
    return pairs


def _distance(lost: Finding, found: Finding) -> tuple[bool, bool, int]:
    is_renamed = found.path.rpartition(b"/")[2] != lost.path.rpartition(b"/")[2]
    return found.root_id != lost.root_id, is_renamed, found.id
