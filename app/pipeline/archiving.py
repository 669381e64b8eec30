"""Planning where the files of a batch go in the archive: whole groups, suffixed alike, no content twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count

from app.db import assets
from app.files.move import Move, Moved
from app.model import Asset, AssetStatus, Batch, Failure, Place, Root, RootKind, Signature
from app.pipeline.failing import holds
from app.pipeline.filing import Filing, places_of
from app.pipeline.naming import suffixed
from app.pipeline.spellings import Spellings
from app.pipeline.step import StepContext
from app.services import Services

PENDING = (AssetStatus.BATCHED, AssetStatus.DELIVERED)
PLACED = tuple(status for status in AssetStatus if status not in PENDING)


class Target(Enum):
    """What is at the place where a file would go."""

    FREE = "free"
    OWN = "own"
    SAME = "same"
    HELD = "held"
    OTHER = "other"


@dataclass
class Archiving:
    """What archiving one batch needs at hand, and what it learns on the way."""

    services: Services
    step: StepContext
    batch: Batch
    roots: Mapping[int, Root]
    #: Paths in the archive that this run has promised to an asset (its id) or found impossible (0).
    claimed: dict[bytes, int] = field(default_factory=dict)
    #: Other places to take an asset's content from, since its own is empty.
    sources: dict[int, tuple[Place, Signature]] = field(default_factory=dict)
    collisions: Counter[int] = field(default_factory=Counter)
    #: Archived files that could not be brought to where the rest of their group goes.
    stayed: dict[int, Failure] = field(default_factory=dict)
    #: Folders that are there, or of which it is written down that they are made for files.
    folders: set[tuple[int, bytes]] = field(default_factory=set)
    done: int = 0
    done_bytes: int = 0

    def __post_init__(self) -> None:
        self.archive = self.services.root(RootKind.ARCHIVE)
        self.looks = self.services.disk.looks(self.archive)
        self.places = places_of(self.services)
        rules = self.places.given.rules
        self.spellings = Spellings(self.services, self.archive, portable=rules.portable)

    def is_placed(self, asset: Asset) -> bool:
        """Whether the asset is in the archive already."""
        return asset.status not in PENDING and asset.root_id == self.archive.id

    def tell_progress(self, moved: Sequence[Moved]) -> None:
        """A safe point between groups of moves."""
        arrived = [m for m in moved if m.outcome != "failed"]
        for m in arrived:
            self.stayed.pop(m.move.asset.id, None)
        self.done += len(arrived)
        self.done_bytes += sum(m.move.asset.size_bytes for m in arrived)
        self.step.safe_point(self.done, self.batch.file_count, self.done_bytes)


@dataclass(frozen=True)
class Plan:
    """The moves of one group, and the originals of those members that turn out to be duplicates."""

    moves: tuple[Move, ...]
    originals: Mapping[int, int]


def plan_group(work: Archiving, members: Sequence[Asset], filing: Filing) -> Plan:
    """Where a group goes: the first suffix at which no member meets other content, the same for all of them.

    Members of one name, from different folders, cannot be suffixed alike: the first of each name go as a group, the
    others each by itself.
    """
    each = list(zip(members, filing.names, strict=True))
    firsts = list({name: (asset, name) for asset, name in reversed(each)}.values())[::-1]
    plan = _plan_together(work, [asset for asset, _ in firsts], _of_names(filing, [name for _, name in firsts]))
    for asset, name in each:
        if (asset, name) not in firsts:
            more = plan_group(work, [asset], _of_names(filing, [name]))
            plan = Plan(plan.moves + more.moves, {**plan.originals, **more.originals})
    return plan


def _of_names(filing: Filing, names: Sequence[bytes]) -> Filing:
    return replace(filing, names=tuple(names))


def _plan_together(work: Archiving, members: Sequence[Asset], filing: Filing) -> Plan:
    for number in count():
        names = suffixed(filing.names, number, work.places.given.rules.limit_bytes)
        paths = [_join(filing.folder, name) for name in names]
        found = [look_at(work, asset, path) for asset, path in zip(members, paths, strict=True)]
        if len(set(paths)) == len(paths) and all(target is not Target.OTHER for target, _ in found):
            break
        if number and len(set(paths)) < len(paths):
            return _plan_apart(work, members, filing)
    moves = []
    for asset, path, (target, _) in zip(members, paths, found, strict=True):
        if target is Target.OWN:
            continue
        if target is not Target.HELD:
            work.claimed[path] = asset.id
            work.spellings.add(path)
        moves.append(_move(work, asset, path, target, filing))
    originals = {asset.id: held for asset, (_, held) in zip(members, found, strict=True) if held is not None}
    return Plan(tuple(moves), originals)


def _plan_apart(work: Archiving, members: Sequence[Asset], filing: Filing) -> Plan:
    """Names that only differ where they are cut cannot be suffixed alike: each goes by itself."""
    each = zip(members, filing.names, strict=True)
    plans = [plan_group(work, [asset], replace(filing, names=(name,))) for asset, name in each]
    originals = {asset_id: held for plan in plans for asset_id, held in plan.originals.items()}
    return Plan(tuple(move for plan in plans for move in plan.moves), originals)


def look_at(work: Archiving, asset: Asset, path: bytes) -> tuple[Target, int | None]:
    """What an asset would meet at a path in the archive; with HELD, the id of the asset that holds its content there.

    A look, not a promise: the move itself decides, and never replaces anything.
    """
    if work.is_placed(asset) and asset.path == path:
        return Target.OWN, None
    claimant = work.claimed.get(path, asset.id)
    if claimant != asset.id or work.spellings.is_taken(asset, path):
        return Target.OTHER, None
    place = Place(work.archive, path)
    try:
        signature = work.looks.signature_at(path)
    except OSError:
        return Target.FREE, None
    if signature is None:
        return Target.FREE, None
    if work.is_placed(asset) or not asset.size_bytes or signature.size_bytes != asset.size_bytes:
        return Target.OTHER, None
    if not holds(place, asset, work.services.disk):
        return Target.OTHER, None
    with work.services.db.reading() as conn:
        holder = assets.find_at(conn, work.archive.id, path)
    return (Target.SAME, None) if holder is None else (Target.HELD, holder.id)


def _move(work: Archiving, asset: Asset, path: bytes, target: Target, filing: Filing) -> Move:
    place, signature = work.sources.get(asset.id, (Place(work.roots[asset.root_id], asset.path), asset.signature))
    is_elsewhere = asset.id in work.sources
    held = target is Target.HELD
    return Move(
        asset=_with_signature(asset, signature) if is_elsewhere else asset,
        source=place,
        target=Place(work.services.root(RootKind.DUPLICATES), asset.path) if held else Place(work.archive, path),
        purpose="duplicate" if held else "archive",
        status_after=None if work.is_placed(asset) else _status_after(held, filing),
        keep_source=not work.is_placed(asset)
        and (is_elsewhere or work.services.config.sorter.transfer_mode == "copy"),
    )


def _status_after(held: bool, filing: Filing) -> AssetStatus:
    if held:
        return AssetStatus.DUPLICATE
    return AssetStatus.SET_ASIDE if filing.needs_review else AssetStatus.ARCHIVED


def _with_signature(asset: Asset, s: Signature) -> Asset:
    return replace(asset, device=s.device, inode=s.inode, size_bytes=s.size_bytes, mtime_ns=s.mtime_ns,
                   ctime_ns=s.ctime_ns)


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
