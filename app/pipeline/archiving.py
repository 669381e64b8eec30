"""Planning where the files of a batch go in the archive: whole groups, suffixed alike, no content twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.db import assets
from app.files.move import Move, Moved
from app.model import Asset, AssetStatus, Batch, Failure, Place, Root, RootKind, Signature
from app.pipeline.failing import holds
from app.pipeline.filing import Filing, places_of
from app.pipeline.placing import GivenSuffixes, Placed, Target, place_group
from app.pipeline.spellings import Spellings
from app.pipeline.step import StepContext
from app.services import Services

PENDING = (AssetStatus.BATCHED, AssetStatus.DELIVERED)
PLACED = tuple(status for status in AssetStatus if status not in PENDING)


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
    given: GivenSuffixes = field(default_factory=GivenSuffixes)
    #: Archived files that could not be brought to where the rest of their group goes.
    stayed: dict[int, Failure] = field(default_factory=dict)
    #: Archived files of another day, as is known by what came late, that stay for the time being.
    misfiled: set[int] = field(default_factory=set)
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

    @property
    def limit_bytes(self) -> int:
        """How long a name in the archive may be."""
        return self.places.given.rules.limit_bytes

    def key(self, file: Asset) -> int:
        """What tells files apart."""
        return file.id

    def look(self, file: Asset, path: bytes) -> tuple[Target, int | None]:
        """What an asset would meet at a path in the archive; with HELD, the id of the asset that holds its content
        there. A look, not a promise: the move itself decides, and never replaces anything."""
        return _look_at(self, file, path)

    def claim(self, file: Asset, path: bytes, target: Target) -> None:
        """The asset gets this path."""
        if target not in (Target.OWN, Target.HELD):
            self.claimed[path] = file.id
            self.spellings.add(path)

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
    """Where a group goes: the first suffix at which no member meets other content, the same for all of them."""
    placed = place_group(work, members, filing)
    moves = [_move(work, one, filing) for one in placed if one.target is not Target.OWN]
    return Plan(tuple(moves), {one.file.id: one.held_by for one in placed if one.held_by is not None})


def _look_at(work: Archiving, asset: Asset, path: bytes) -> tuple[Target, int | None]:
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


def _move(work: Archiving, placed: Placed[Asset], filing: Filing) -> Move:
    asset, path = placed.file, placed.path
    place, signature = work.sources.get(asset.id, (Place(work.roots[asset.root_id], asset.path), asset.signature))
    is_elsewhere = asset.id in work.sources
    held = placed.target is Target.HELD
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

