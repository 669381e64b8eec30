"""Unique or duplicate? The rules, over values; app/pipeline/dedup.py brings the facts.

* Only equal size and equal SHA-256 of the whole file make two files the same. Empty files are never the same.
* A duplicate leans on an original that is accounted for now; the original is never touched.
* A group is one thing. It is a duplicate when each of its photos and videos is one of a member of one and the same
  other group. Else all of it stays: a Live Photo whose still is known but whose film is new is taken in as a pair.
  (When the archive turns out to hold the still at the very place where it would go, it is not kept twice there.)
* What comes to a group that has gone on is judged against the group itself: what it holds already is a duplicate, the
  half or the sidecar that it lacked is new and goes to it. A file that makes the group of a duplicate more than a
  duplicate, as a film that comes a day later, brings the duplicate back.
* A sidecar is a duplicate with its group when the other group has the same one. A sidecar that is new, as the JSON of
  an export beside a photo that is known, goes to the group of the originals: what was written of a photo is not lost.
* Two names of one file (hard links) are no duplicates: the second name is set aside and stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from app.files.belonging import group_key
from app.files.walk import is_media
from app.model import Asset, AssetStatus, Signature
from app.model.original_order import DEFAULT_ORDER, Rank, rank_by

#: What a group may be known by; see `groups_of`.
GroupName = tuple[object, ...]

#: Who may be an original. A gone one counts only when a peer keeps it, and one that was set aside only when it lies in
#: the archive, where it waits for a review, or in ingest again after an undo.
POSSIBLE = frozenset(
    {
        AssetStatus.ARCHIVED,
        AssetStatus.SET_ASIDE,
        AssetStatus.DELIVERED,
        AssetStatus.BATCHED,
        AssetStatus.GONE,
        AssetStatus.UNIQUE,
    }
)


@dataclass(frozen=True, slots=True)
class Original:
    """An asset that is accounted for; `seen` is what lies at its place now, None when it has left the disk."""

    asset: Asset
    seen: Signature | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an asset becomes, on which original that leans, and the group that it goes to if that is another one."""

    asset: Asset
    status: AssetStatus
    original: Asset | None = None
    joins: int | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A group as dedup finds it: `waiting` for a verdict, with a verdict from before, and what has `gone_on`."""

    waiting: Sequence[Asset]
    siblings: Sequence[Asset] = ()
    gone_on: Sequence[Asset] = ()


#: The originals of an asset outside the files of its group that stand before a batch, the better first.
FindOriginals = Callable[[Asset], Sequence[Original]]


#: Further along, older, shorter path, first by name.
USUAL_RANK = rank_by(DEFAULT_ORDER)


def same_content(asset: Asset, candidates: Iterable[Asset], rank: Rank = USUAL_RANK) -> list[Asset]:
    """Those of the candidates with this very content that may be originals, the better first."""
    if asset.size_bytes == 0 or asset.sha256 is None:
        return []
    content = (asset.size_bytes, asset.sha256)
    same = [c for c in candidates if c.id != asset.id and c.status in POSSIBLE and (c.size_bytes, c.sha256) == content]
    return sorted(same, key=rank)


def is_other_name(asset: Asset, original: Original) -> bool:
    """Whether both are names of one file on disk."""
    seen = original.seen
    return seen is not None and (seen.device, seen.inode) == (asset.device, asset.inode)


def groups_of(asset: Asset) -> frozenset[GroupName]:
    """By what its group is known: its number, and where it came from with the name that its members share there."""
    folder, _, name = (asset.origin_path or asset.path).rpartition(b"/")
    root_id = asset.origin_root_id if asset.origin_root_id is not None else asset.root_id
    by_name = (root_id, folder, group_key(name))
    return frozenset({by_name, (asset.group_id,)} if asset.group_id is not None else {by_name})


def judge(whole: Whole, find_originals: FindOriginals, rank: Rank = USUAL_RANK) -> list[Verdict]:
    """Verdicts on a group's waiting members, and on siblings that are duplicates no longer."""
    outside = {asset.id: find_originals(asset) for asset in whole.waiting}
    names = {a.id: o for a in whole.waiting for o in outside[a.id][:1] if is_other_name(a, o)}
    verdicts = [Verdict(a, AssetStatus.SET_ASIDE, names[a.id].asset) for a in whole.waiting if a.id in names]
    rest = sorted((a for a in whole.waiting if a.id not in names), key=rank)
    if not rest:
        return verdicts
    labelled = [s for s in whole.siblings if s.status is AssetStatus.DUPLICATE and is_media(s.path)]
    outside.update({s.id: find_originals(s) for s in labelled})
    if not any(is_media(a.path) for a in [*rest, *whole.siblings]):
        return verdicts + _judge_sidecars(rest, outside)
    original_group = _original_group(whole, rest, labelled, outside)
    if original_group is not None:
        early = [s for s in whole.siblings if s.status is AssetStatus.UNIQUE]
        return verdicts + [_judge_with_group(a, outside.get(a.id, ()), original_group) for a in [*rest, *early]]
    return verdicts + _judge_apart(whole, rest, outside) + _revived(whole, rest, outside)


def _original_group(
    whole: Whole, rest: Sequence[Asset], labelled: Sequence[Asset], outside: Mapping[int, Sequence[Original]]
) -> _OriginalGroup | None:
    """The one group that holds all photos and videos of this one, or None: then this one stays."""
    media = [a for a in [*rest, *labelled] if is_media(a.path)]
    if not media or any(s.status is AssetStatus.UNIQUE and is_media(s.path) for s in whole.siblings):
        return None
    shared = set.intersection(*({name for o in outside[a.id] for name in groups_of(o.asset)} for a in media))
    if any(is_media(a.path) for a in whole.gone_on):
        shared &= groups_of(media[0])
    best = next((o.asset for o in outside[media[0].id] if not shared.isdisjoint(groups_of(o.asset))), None)
    if best is None:
        return None
    found = _OriginalGroup(frozenset(shared), best.group_id)
    # What is new beside a photo that is in no group, as a rebuild finds them, would have nowhere to go.
    has_new = any(not any(found.holds(o) for o in outside[a.id]) for a in rest)
    return None if has_new and best.group_id is None else found


@dataclass(frozen=True, slots=True)
class _OriginalGroup:
    names: frozenset[GroupName]
    group_id: int | None

    def holds(self, original: Original) -> bool:
        return not self.names.isdisjoint(groups_of(original.asset))


def _judge_with_group(asset: Asset, originals: Sequence[Original], group: _OriginalGroup) -> Verdict:
    found = next((o.asset for o in originals if group.holds(o)), None)
    if found is not None:
        return Verdict(asset, AssetStatus.DUPLICATE, found)
    return Verdict(asset, AssetStatus.UNIQUE, joins=group.group_id if group.group_id != asset.group_id else None)


def _judge_sidecars(rest: Sequence[Asset], outside: Mapping[int, Sequence[Original]]) -> list[Verdict]:
    """A sidecar that comes without its media file says nothing by its content alone: its name must agree too."""
    verdicts = []
    for asset in rest:
        same = next((o.asset for o in outside[asset.id] if _name(o.asset) == _name(asset)), None)
        verdicts.append(Verdict(asset, AssetStatus.DUPLICATE if same is not None else AssetStatus.UNIQUE, same))
    return verdicts


def _judge_apart(
    whole: Whole, rest: Sequence[Asset], outside: Mapping[int, Sequence[Original]]
) -> list[Verdict]:
    """The group stays: only what is in it twice, or was in it before it went on, is a duplicate."""
    before_ids = _ids(whole.gone_on)
    kept: dict[object, Asset] = {}
    for sibling in whole.siblings:
        if sibling.status is AssetStatus.UNIQUE:
            kept.setdefault(_content(sibling), sibling)
    verdicts = []
    for asset in rest:
        before = next((o.asset for o in outside[asset.id] if _was_here(before_ids, asset, o)), None)
        twin = before or kept.get(_content(asset))
        if twin is None:
            kept[_content(asset)] = asset
        status = AssetStatus.UNIQUE if twin is None else AssetStatus.DUPLICATE
        if twin is not None and before is None and (twin.device, twin.inode) == (asset.device, asset.inode):
            status = AssetStatus.SET_ASIDE
        verdicts.append(Verdict(asset, status, twin))
    return verdicts


def _ids(assets: Iterable[Asset]) -> frozenset[int]:
    return frozenset(asset.id for asset in assets)


def _was_here(before_ids: Set[int], asset: Asset, original: Original) -> bool:
    return original.asset.id in before_ids and (is_media(asset.path) or _name(asset) == _name(original.asset))


def _content(asset: Asset) -> object:
    """Equal for the same photo under two endings of one stem (IMG.jpg, IMG.jpeg); sidecars are told apart by their
    names, and each by itself."""
    if not is_media(asset.path) or asset.size_bytes == 0 or asset.sha256 is None:
        return asset.id
    return asset.size_bytes, asset.sha256


def _revived(whole: Whole, rest: Sequence[Asset], outside: Mapping[int, Sequence[Original]]) -> list[Verdict]:
    """Duplicates whose group is more than a duplicate now; not those of what lies in the group itself."""
    members = {a.id for a in [*rest, *whole.siblings]}
    before_ids = _ids(whole.gone_on)
    labelled = [s for s in whole.siblings if s.status is AssetStatus.DUPLICATE and s.original_id not in members]
    return [
        Verdict(s, AssetStatus.UNIQUE)
        for s in labelled
        if not any(_was_here(before_ids, s, original) for original in outside.get(s.id, ()))
    ]


def _name(asset: Asset) -> bytes:
    return (asset.origin_path or asset.path).rpartition(b"/")[2]
