"""What becomes of every file that holds one content. The rules, over values.

Nothing here is a promise that moves anything: each outcome is a row, or a line for the person to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.db.rebuild_files import Sighting
from app.files.moving import HOLDS_FOLDER
from app.model import AssetStatus, BatchStatus
from app.model.undo import reason_taken_back
from app.pipeline.filing import REVIEW_REASON
from app.pipeline.rebuild.areas import ARCHIVED, IN_BATCH, LASTING, Area
from app.pipeline.rebuild.claims import Claim, Modes, assign


class Finding(StrEnum):
    """What a person may want to look at."""

    NO_MANIFEST = "no_manifest"
    UNKNOWN_IN_BATCH = "unknown_in_batch"
    KEPT_COPY = "kept_copy"
    SPARE_COPY = "spare_copy"
    TRASH = "trash"
    ONLY_IN_TRASH = "only_in_trash"
    UNFINISHED_COPY = "unfinished_copy"
    BEGUN_COPY = "begun_copy"
    ONLY_UNFINISHED = "only_unfinished"
    UNREADABLE = "unreadable"
    LEFT_IN_PLACE = "left_in_place"
    ALTERED = "altered"


WORDS = {
    Finding.NO_MANIFEST: "It lies in the archive and no manifest names it.",
    Finding.UNKNOWN_IN_BATCH: "It lies among the files of batches and no manifest names it.",
    Finding.KEPT_COPY: "It is a copy that stayed where its file was copied from.",
    Finding.SPARE_COPY: "It lies among the files of batches, and its content is somewhere else as well.",
    Finding.TRASH: "It is the source of a file that was copied; it is dropped when cleanup.trash_days have passed.",
    Finding.ONLY_IN_TRASH: "It was found only in the trash; it stays there until you move it.",
    Finding.UNFINISHED_COPY: "It is what is left of a copy that was cut off; of which file, is not certain.",
    Finding.BEGUN_COPY: "It is what is left of a copy that was cut off; it is removed when files may move again.",
    Finding.ONLY_UNFINISHED: "It was found only as a copy that was not finished; it stays there until you move it.",
    Finding.ALTERED: "It does not hold what it should any more; `media-pipeline findings` says what to do.",
}
NOT_MEDIA = "It is not a photo or video."
NO_BATCH = "It was found in the folder of a batch that no manifest tells of."
ENDED_BATCH = "Its batch was taken back or has ended, and it lies in the batch folder still."

#: Statuses that a row may keep while its file lies in ingest, and in the duplicates folder.
KEPT_IN_INGEST = (
    AssetStatus.DISCOVERED,
    AssetStatus.UNIQUE,
    AssetStatus.DUPLICATE,
    AssetStatus.SET_ASIDE,
    AssetStatus.FAILED,
)
KEPT_IN_ARCHIVE = (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE, AssetStatus.FAILED)
#: What a batch's files are is then no matter of its status alone.
HELD_UP = (BatchStatus.ERROR, BatchStatus.UNDOING)
#: Statuses under which an asset stands for its content, so that duplicates may lean on it.
STANDING = (AssetStatus.ARCHIVED, AssetStatus.DELIVERED, AssetStatus.BATCHED, AssetStatus.UNIQUE)


@dataclass
class Placed:
    """An asset and its file. `leans` says that it is a duplicate of the content's standing asset."""

    sighting: Sighting
    claim: Claim | None
    status: AssetStatus
    reason: str | None = None
    batch_id: int | None = None
    finding: Finding | None = None
    leans: bool = False
    is_as_before: bool = False


@dataclass
class Decision:
    """All that is to be written about one content."""

    placed: list[Placed] = field(default_factory=list)
    #: Files that belong to `placed[n]`: copies that stayed, and sources in the trash.
    kept: list[tuple[Sighting, int]] = field(default_factory=list)
    trashed: list[tuple[Sighting, int]] = field(default_factory=list)
    #: Files without a row of their own, with what to say about them.
    loose: list[tuple[Sighting, Finding, str]] = field(default_factory=list)
    lost: list[Claim] = field(default_factory=list)
    #: Sightings, by id, of files that only should hold this content.
    altered: Collection[int] = ()


def decide(
    claims: Sequence[Claim], files: Sequence[Sighting], modes: Modes, altered: Collection[int] = ()
) -> Decision:
    """Rows for every file that holds one content, or should (`altered`, by id), given who may own it."""
    assigned = assign(claims, files, modes)
    decision = Decision(lost=assigned.lost, altered=altered)
    for claim, file in assigned.pairs:
        placed = _owned(claim, file)
        decision.placed.append(replace(placed, finding=Finding.ALTERED) if file.id in altered else placed)
    owners = Owners.of(decision.placed)
    for file in sorted(assigned.spare, key=lambda file: tuple(Area).index(Area(file.area))):
        _spare(decision, owners, file, modes)
    _lean(decision)
    return decision


def standing(placed: Sequence[Placed]) -> Placed | None:
    """The asset that stands for the content, if one does."""
    fit = [p for p in placed if p.sighting.size_bytes and (p.status in STANDING or p.sighting.area in ARCHIVED)]
    return min(fit, key=lambda p: STANDING.index(p.status) if p.status in STANDING else 0, default=None)


# --- files with an owner


def _owned(claim: Claim, file: Sighting) -> Placed:
    match file.area:
        case Area.ARCHIVE | Area.REVIEW:
            return _in_archive(claim, file)
        case Area.BATCH | Area.STAGING:
            return _in_batch(claim, file)
        case Area.INGEST:
            return _in_ingest(claim, file)
        case Area.DUPLICATES:
            return _in_duplicates(claim, file)
    return _held_back(file, claim)


def _is_where_it_was(claim: Claim, file: Sighting) -> bool:
    return claim.row is not None and (claim.row.root_id, claim.row.path) == (file.root_id, file.path)


def _as_before(claim: Claim, file: Sighting, batch_id: int | None) -> Placed:
    assert claim.row is not None
    return Placed(file, claim, claim.row.status, claim.row.reason, batch_id, is_as_before=True)


def _batch_id(claim: Claim) -> int | None:
    return claim.batch.batch_id if claim.batch is not None else None


def _in_archive(claim: Claim, file: Sighting) -> Placed:
    batch_id = _batch_id(claim) or (claim.row.batch_id if claim.row is not None else None)
    finding = Finding.NO_MANIFEST if claim.entry is None else None
    if _is_where_it_was(claim, file) and claim.row is not None and claim.row.status in KEPT_IN_ARCHIVE:
        return replace(_as_before(claim, file, batch_id), finding=finding)
    if file.area == Area.REVIEW:
        return Placed(file, claim, AssetStatus.SET_ASIDE, REVIEW_REASON, batch_id, finding)
    return Placed(file, claim, AssetStatus.ARCHIVED, None, batch_id, finding)


def _in_batch(claim: Claim, file: Sighting) -> Placed:
    batch = claim.batch
    if batch is None:
        if _is_where_it_was(claim, file) and claim.row is not None and claim.row.status is not AssetStatus.GONE:
            return replace(_as_before(claim, file, claim.row.batch_id), finding=Finding.UNKNOWN_IN_BATCH)
        return Placed(file, claim, AssetStatus.SET_ASIDE, NO_BATCH, finding=Finding.UNKNOWN_IN_BATCH)
    was_failed = claim.row is not None and claim.row.status is AssetStatus.FAILED
    if was_failed and _is_where_it_was(claim, file):
        return _as_before(claim, file, batch.batch_id)
    if batch.status in HELD_UP and _is_where_it_was(claim, file) and _is_in_its_batch(claim):
        return _as_before(claim, file, batch.batch_id)
    reason = ENDED_BATCH if batch.status is BatchStatus.CANCELLED else None
    return Placed(file, claim, batch.file_status, reason, batch.batch_id)


def _is_in_its_batch(claim: Claim) -> bool:
    return claim.row is not None and claim.row.status in (AssetStatus.BATCHED, AssetStatus.DELIVERED)


def _in_ingest(claim: Claim, file: Sighting) -> Placed:
    batch, row = claim.batch, claim.row
    was_here = _is_where_it_was(claim, file) and row is not None and row.status in KEPT_IN_INGEST
    if batch is not None and batch.is_being_built and file.path == claim.origin:
        return Placed(file, claim, AssetStatus.UNIQUE, None, batch.batch_id, is_as_before=was_here)
    if was_here and row is not None and (row.status is not AssetStatus.UNIQUE or row.batch_id is None):
        return _as_before(claim, file, row.batch_id if row.status is AssetStatus.SET_ASIDE else None)
    if batch is not None and batch.returned_as is AssetStatus.SET_ASIDE and file.path == claim.origin:
        return Placed(file, claim, AssetStatus.SET_ASIDE, reason_taken_back(batch.name), batch.batch_id)
    return Placed(file, claim, AssetStatus.DISCOVERED)


def _in_duplicates(claim: Claim, file: Sighting) -> Placed:
    row = claim.row
    if _is_where_it_was(claim, file) and row is not None and row.status in KEPT_IN_INGEST:
        return _as_before(claim, file, row.batch_id)
    return Placed(file, claim, AssetStatus.DUPLICATE, leans=True)


def _held_back(file: Sighting, claim: Claim | None) -> Placed:
    """Nowhere but in our trash, or as a copy that was not finished: it stays, and nothing takes it for scrap."""
    finding = Finding.ONLY_IN_TRASH if file.area == Area.TRASH else Finding.ONLY_UNFINISHED
    return Placed(file, claim, AssetStatus.SET_ASIDE, WORDS[finding], finding=finding)


# --- files that nobody took


@dataclass(frozen=True)
class Owners:
    """Which of the placed assets a spare file may be a copy of, by where it lies."""

    by_origin: Mapping[bytes, int]
    by_batch_path: Mapping[bytes, int]
    being_sorted: int | None

    @classmethod
    def of(cls, placed: Sequence[Placed]) -> Owners:
        """The owners among these."""
        owned = [(number, one.claim, Area(one.sighting.area)) for number, one in enumerate(placed) if one.claim]
        away = (Area.INGEST, Area.TRASH, Area.TEMPORARY)
        batched = [(number, claim.batch) for number, claim, area in owned if area in IN_BATCH]
        is_open = [number for number, batch in batched if batch is not None and batch.is_open]
        return cls(
            {claim.origin: number for number, claim, area in owned if claim.origin and area not in away},
            {claim.batch_path: number for number, claim, _ in owned if claim.batch_path},
            is_open[0] if is_open else None,
        )


def _spare(decision: Decision, owners: Owners, file: Sighting, modes: Modes) -> None:
    area = Area(file.area)
    if area is Area.TRASH or area is Area.TEMPORARY:
        _spare_of_ours(decision, file)
    elif not file.group_name:
        decision.loose.append((file, Finding.LEFT_IN_PLACE, NOT_MEDIA))
    elif (owner := _copied_from(owners, file, modes)) is not None:
        decision.kept.append((file, owner))
    elif area in IN_BATCH:
        _spare_in_batch(decision, file)
    else:
        decision.placed.append(_new(file))


def _new(file: Sighting) -> Placed:
    match file.area:
        case Area.ARCHIVE:
            return Placed(file, None, AssetStatus.ARCHIVED, finding=Finding.NO_MANIFEST)
        case Area.REVIEW:
            return Placed(file, None, AssetStatus.SET_ASIDE, REVIEW_REASON, finding=Finding.NO_MANIFEST)
        case Area.DUPLICATES:
            return Placed(file, None, AssetStatus.DUPLICATE, leans=True)
    return Placed(file, None, AssetStatus.DISCOVERED)


def _copied_from(owners: Owners, file: Sighting, modes: Modes) -> int | None:
    """The asset that was copied from here, or to here by a move that was cut off; None when this is no such copy."""
    if file.area == Area.INGEST:
        return owners.by_origin.get(file.path) if modes.batch_copies else None
    if file.area in IN_BATCH:
        return owners.by_batch_path.get(file.path)
    return owners.being_sorted if file.area in ARCHIVED and file.size_bytes else None


def _spare_in_batch(decision: Decision, file: Sighting) -> None:
    if file.size_bytes and any(_holds_it(decision, p) for p in decision.placed):
        decision.loose.append((file, Finding.SPARE_COPY, WORDS[Finding.SPARE_COPY]))
        return
    decision.placed.append(
        Placed(file, None, AssetStatus.SET_ASIDE, NO_BATCH, finding=Finding.UNKNOWN_IN_BATCH)
    )


def _spare_of_ours(decision: Decision, file: Sighting) -> None:
    """What lies elsewhere as well may be dropped in time; the only one of its content is kept like any file."""
    owner = next((n for n, p in enumerate(decision.placed) if _holds_it(decision, p)), None)
    if owner is not None and file.path.startswith(HOLDS_FOLDER + b"/"):
        decision.kept.append((file, owner))
    elif file.area == Area.TRASH and owner is not None:
        decision.trashed.append((file, owner))
    elif file.area == Area.TRASH:
        decision.placed.append(_held_back(file, None))
    else:
        decision.loose.append((file, Finding.UNFINISHED_COPY, WORDS[Finding.UNFINISHED_COPY]))


def _holds_it(decision: Decision, placed: Placed) -> bool:
    return placed.sighting.area in LASTING and placed.sighting.id not in decision.altered


def _lean(decision: Decision) -> None:
    """Duplicates need an asset to lean on; without one they are looked at again like new files."""
    if standing(decision.placed) is not None:
        return
    for placed in decision.placed:
        if placed.leans:
            placed.status, placed.leans = AssetStatus.DISCOVERED, False
