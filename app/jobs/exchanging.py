"""A person's word about files that took each other's places: all of a circle at once, so that no row loses its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.db import accepted, findings, verification
from app.db.connection import Connection
from app.errors import Conflict
from app.jobs.found import CHANGED_AGAIN, Accepted, Look, asset_here, end, refuse_in_batch
from app.model import Asset, Finding, FindingKind, Signature


def circle_of(conn: Connection, finding: Finding) -> list[Finding]:
    """The findings of all files that took each other's places with this one, itself first; none when it just moved."""
    circle, seen = [finding], {finding.id}
    while circle[-1].kind is FindingKind.MOVED:
        root_id, path = circle[-1].new_root_id, circle[-1].new_path
        following = findings.find_at(conn, root_id, path) if root_id is not None and path is not None else None
        if following is None or following.kind is not FindingKind.MOVED:
            return []
        if following.id == finding.id:
            return circle
        if following.id in seen:
            return []
        seen.add(following.id)
        circle.append(following)
    return []


def accept_exchange(conn: Connection, looks: Sequence[Look]) -> Accepted:
    """Each file keeps its digests and gets the place where its content lies. Raises Conflict."""
    placed = [_placed(conn, look) for look in looks]
    accepted.exchange_places(conn, placed)
    told = []
    for look, (asset, root_id, path, _) in zip(looks, placed, strict=True):
        verification.note_verified(conn, asset.id, look.finding.found_at)
        told.append(end(conn, look, f"{look.words} is at {look.place(root_id, path)} from now on.", asset.id))
    others = f" {len(told) - 1:,} more, with which it took places, are accepted as well."
    return replace(told[0], done=told[0].done + (others if len(told) > 2 else f" {told[1].done}"))


def _placed(conn: Connection, look: Look) -> tuple[Asset, int, bytes, Signature]:
    asset, (root_id, path) = asset_here(conn, look), (look.finding.new_root_id, look.finding.new_path)
    if asset is None or root_id is None or path is None or look.there is None:
        raise Conflict(CHANGED_AGAIN)
    if look.there != look.finding.signature:
        raise Conflict(CHANGED_AGAIN)
    refuse_in_batch(conn, asset)
    if look.known[root_id].kind is not look.known[look.finding.root_id].kind:
        raise Conflict(f"{look.place(root_id, path)} is in another kind of folder; move it back to {look.words}.")
    return asset, root_id, path, look.there
