"""Unique or duplicate? The rules, over values; app/pipeline/dedup.py brings the facts.

* Only equal size and equal SHA-256 of the whole file make two files the same. Empty files are never the same.
* A duplicate leans on an original that is accounted for now; the original is never touched.
* A group is one thing: it is a duplicate only when each of its members is. Half a Live Photo is no duplicate.
* Two names of one file (hard links) are no duplicates: the second name is set aside and stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.files.walk import is_media
from app.model import Asset, AssetStatus, Signature

#: Who may be an original, the better first. A gone one counts only when a peer keeps it, and one that was set aside
#: only when it lies in the archive, where it waits for a review, or in ingest again after an undo.
RANK = {
    AssetStatus.ARCHIVED: 0,
    AssetStatus.SET_ASIDE: 0,
    AssetStatus.DELIVERED: 1,
    AssetStatus.BATCHED: 1,
    AssetStatus.GONE: 1,
    AssetStatus.UNIQUE: 2,
}


@dataclass(frozen=True, slots=True)
class Original:
    """An asset that is accounted for; `seen` is what lies at its place now, None when it has left the disk."""

    asset: Asset
    seen: Signature | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an asset becomes, and on which original that leans."""

    asset: Asset
    status: AssetStatus
    original: Asset | None = None


def rank(asset: Asset) -> tuple[int, int, int, int]:
    """Sort key of possible originals: further along, older, shorter path, first seen."""
    return RANK.get(asset.status, 3), asset.mtime_ns, len(asset.path), asset.id


def choose_original(
    asset: Asset, candidates: Sequence[Asset], account: Callable[[Asset], Original | None]
) -> Original | None:
    """The best of the candidates with this very content that is accounted for, or None."""
    if asset.size_bytes == 0 or asset.sha256 is None:
        return None
    same = [
        c
        for c in candidates
        if c.id != asset.id and c.status in RANK and (c.size_bytes, c.sha256) == (asset.size_bytes, asset.sha256)
    ]
    return next((found for c in sorted(same, key=rank) if (found := account(c)) is not None), None)


def is_other_name(asset: Asset, original: Original) -> bool:
    """Whether both are names of one file on disk."""
    seen = original.seen
    return seen is not None and (seen.device, seen.inode) == (asset.device, asset.inode)


def judge(
    waiting: Sequence[Asset], siblings: Sequence[Asset], find_original: Callable[[Asset], Original | None]
) -> list[Verdict]:
    """Verdicts on a group's discovered members. `siblings` are its members that had theirs before this dedup;
    `find_original` looks outside the group. Siblings labelled duplicate become unique when the group is not whole
    a duplicate."""
    outside = {asset.id: find_original(asset) for asset in waiting}
    names = {a.id for a in waiting if (o := outside[a.id]) is not None and is_other_name(a, o)}
    verdicts = [_lean(a, AssetStatus.SET_ASIDE, outside[a.id]) for a in waiting if a.id in names]
    rest = sorted((a for a in waiting if a.id not in names), key=rank)
    kept = [s for s in siblings if s.status is AssetStatus.UNIQUE]
    if not kept and rest and all(_is_duplicate(a, outside[a.id], siblings, rest) for a in rest):
        return verdicts + [_lean(a, AssetStatus.DUPLICATE, outside[a.id]) for a in rest]
    for asset in rest:
        twin = next((k for k in kept if _is_twin(asset, k)), None)
        if twin is None:
            kept.append(asset)
        status = AssetStatus.UNIQUE if twin is None else AssetStatus.DUPLICATE
        if twin is not None and (twin.device, twin.inode) == (asset.device, asset.inode):
            status = AssetStatus.SET_ASIDE
        verdicts.append(Verdict(asset, status, twin))
    return verdicts + _revived(rest, siblings)


def _is_duplicate(asset: Asset, original: Original | None, siblings: Sequence[Asset], rest: Sequence[Asset]) -> bool:
    """A sidecar that comes without its media file says nothing by its content alone: its name must agree too."""
    if original is None:
        return False
    if is_media(asset.path) or any(is_media(a.path) for a in [*siblings, *rest]):
        return True
    return _name(asset) == _name(original.asset)


def _is_twin(asset: Asset, other: Asset) -> bool:
    """The same photo under two endings of one stem (IMG.jpg, IMG.jpeg); sidecars are told apart by their names."""
    both_media = is_media(asset.path) and is_media(other.path)
    same = (asset.size_bytes, asset.sha256) == (other.size_bytes, other.sha256)
    return both_media and same and asset.size_bytes > 0 and asset.sha256 is not None


def _revived(rest: Sequence[Asset], siblings: Sequence[Asset]) -> list[Verdict]:
    if not rest:
        return []
    members = {a.id for a in [*rest, *siblings]}
    root_id = rest[0].root_id
    return [
        Verdict(s, AssetStatus.UNIQUE)
        for s in siblings
        if s.status is AssetStatus.DUPLICATE and s.root_id == root_id and s.original_id not in members
    ]


def _lean(asset: Asset, status: AssetStatus, original: Original | None) -> Verdict:
    return Verdict(asset, status, original.asset if original is not None else None)


def _name(asset: Asset) -> bytes:
    return (asset.origin_path or asset.path).rpartition(b"/")[2]
