"""Files that took each other's places: each place holds something else than it should, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping

from app.db import findings, foreign_files, verification
from app.db.connection import Connection
from app.model import Finding, FindingKind, Place
from app.pipeline.verify import words
from app.pipeline.verify.scope import Scope

SLICE = 500


def join_exchanged(conn: Connection, scope: Scope) -> None:
    """Tell of every circle of such files as moved, each to the place where its content lies."""
    roots = {root.id: root for root in scope.roots}
    for circle in circles(_held_elsewhere(conn, scope)):
        joined = []
        for lost, found in circle:
            place = Place(roots[found.root_id], found.path).absolute
            joined.append((lost, found, words.exchanged(place, len(circle))))
        foreign_files.join_as_moved(conn, joined)


def _held_elsewhere(conn: Connection, scope: Scope) -> dict[int, tuple[Finding, Finding]]:
    """By id: an altered file, and another one at whose place its content lies. No more than were exchanged."""
    held_at: dict[int, tuple[Finding, Finding]] = {}
    taken: set[int] = set()
    last = 0
    while page := findings.list_by_run(conn, scope.run_id, FindingKind.ALTERED, last, SLICE):
        contents = verification.list_contents(conn, [f.asset_id for f in page if f.asset_id is not None])
        wanted = sorted({content.sha256 for content in contents.values() if content.sha256 and content.size_bytes})
        held = foreign_files.list_holding(conn, scope.run_id, wanted, FindingKind.ALTERED) if wanted else {}
        for lost in page:
            content = contents.get(lost.asset_id or 0)
            if content is None or (content.root_id, content.path) != (lost.root_id, lost.path):
                continue
            free = [found for found in held.get(content.sha256 or "", ()) if found.id not in taken]
            if free:
                taken.add(free[0].id)
                held_at[lost.id] = (lost, free[0])
        last = page[-1].id
    return held_at


def circles(held_at: Mapping[int, tuple[Finding, Finding]]) -> list[list[tuple[Finding, Finding]]]:
    """Those that come back to where they began: a content that lies in a row which leads nowhere has pushed another
    one out, and that one would be lost."""
    found: list[list[tuple[Finding, Finding]]] = []
    seen: set[int] = set()
    for start in held_at:
        way: dict[int, tuple[Finding, Finding]] = {}
        here = start
        while here in held_at and here not in seen:
            seen.add(here)
            way[here] = held_at[here]
            here = held_at[here][1].id
        if here in way:  # as no place is taken twice, it can only be the first
            found.append(list(way.values()))
    return found
