"""What taking a batch back means for each of its files, decided from what lies at their places. No input or output.

A file goes back to where it was first seen. It goes only when that place is free or holds this very content, and when
it is itself what it was: nothing is overwritten, and nothing that somebody changed is taken for the original.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from app.errors import printable
from app.model.counting import counted
from app.model.statuses import AssetStatus, RootKind
from app.model.values import Asset, Batch, Place, Signature


class Spot(Enum):
    """What lies at a name where a file is, or is to go."""

    FREE = "nothing"
    SAME = "the file that is known to be there"
    UNREAD = "a file of the same size; only reading it tells more"
    OTHER = "something else"
    SECOND_NAME = "another name of the same file"
    BLOCKED = "a part of its path is not a folder"
    UNKNOWN = "the disk gives no answer"
    AWAY = "its folder is not there"


class Act(Enum):
    """What becomes of one file."""

    GO_BACK = "it goes back"
    ADOPT = "it is gone, and what it was copied from still lies where it came from"
    STAY = "it has not left, or is back already"
    LEAVE = "it stays where it is, as failed"
    REFUSE = "it stands in the way of the whole undo"


#: An unread file counts as it should be; the move itself reads it.
GOOD = (Spot.SAME, Spot.UNREAD)
IN_BATCH = (RootKind.BATCH, RootKind.STAGING)

LOST = {
    Spot.FREE: "it is not there any more",
    Spot.BLOCKED: "it is not there any more",
    Spot.OTHER: "it is not the file that was put there",
    Spot.SECOND_NAME: "it is not the file that was put there",
}
TAKEN = {
    Spot.OTHER: "its former place {} is taken by another file",
    Spot.SECOND_NAME: "its former place {} is taken by a second name (hard link) of the same file",
    Spot.BLOCKED: "its former place {} is taken: a part of that path is not a folder",
}
WITHOUT_LOST = "Put the file back as it was, or take the batch back without its lost files (--without-lost)."
MAKE_ROOM = "Move or rename what lies there, then ask again."
TRY_LATER = "See to the disk, then ask again."


@dataclass(frozen=True, slots=True)
class Facts:
    """One file of the batch: where it lies, where it came from, and what is at both places.

    `holder` is another asset that is known at its former place. `source` is what goes back instead of the file itself,
    when that is lost or the archive held its content before it came there; `stays` when only a copy of that can go.
    """

    asset: Asset
    place: Place
    origin: Place
    here: Spot
    there: Spot
    holder: int | None = None
    source: Place | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one file; for LEAVE and REFUSE why, and for REFUSE what to do."""

    facts: Facts
    act: Act
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a file that stayed in the batch folder when the file was copied on to the archive."""

    asset_id: int
    place: Place
    signature: Signature
    is_there: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """An archived file of another batch that this one took along to the day of its group; where it lay before, and why
    it stays where it is now, if it does."""

    asset: Asset
    place: Place
    before: Place
    stays_because: str = ""

    @property
    def is_back(self) -> bool:
        """Whether it lies where it lay before."""
        return self.place == self.before

    @property
    def goes_back(self) -> bool:
        """Whether it is to be moved."""
        return not self.is_back and not self.stays_because


@dataclass(frozen=True)
class UndoLook:
    """What taking a batch back would do, as things stand."""

    batch: Batch
    returns_as: AssetStatus
    verdicts: Sequence[Verdict]
    copies: Sequence[Copy]
    drawn: Sequence[Drawn] = ()

    def of(self, act: Act) -> list[Verdict]:
        """The files that this becomes of."""
        return [verdict for verdict in self.verdicts if verdict.act is act]

    @property
    def in_batch_folder(self) -> int:
        """How many files the peer sees now."""
        shown = sum((v.facts.source or v.facts.place).root.kind is RootKind.BATCH for v in self.verdicts)
        return shown + sum(copy.place.root.kind is RootKind.BATCH for copy in self.copies)


def decide(facts: Facts, returns_as: AssetStatus, *, without_lost: bool) -> Verdict:
    """What becomes of one file of a batch that is taken back."""
    if _has_not_left(facts, returns_as):
        return Verdict(facts, Act.STAY)
    path = printable(facts.place.absolute)
    if facts.here in LOST:
        return _lost(facts, f"{path}: {LOST[facts.here]}", without_lost=without_lost)
    if facts.here not in GOOD:
        return Verdict(facts, Act.REFUSE, f"{path}: {facts.here.value}", TRY_LATER)
    return _by_origin(facts, path)


def _has_not_left(facts: Facts, returns_as: AssetStatus) -> bool:
    """It lies in an ingest folder. A batch that nobody has received has files there and in its own folder alone."""
    kind = facts.place.root.kind
    return kind is RootKind.INGEST or (returns_as is AssetStatus.UNIQUE and kind not in IN_BATCH)


def _lost(facts: Facts, reason: str, *, without_lost: bool) -> Verdict:
    if facts.there is Spot.SAME and facts.holder is None:
        return Verdict(facts, Act.ADOPT)
    if without_lost or facts.asset.status is AssetStatus.FAILED:
        return Verdict(facts, Act.LEAVE, reason)
    return Verdict(facts, Act.REFUSE, reason, WITHOUT_LOST)


def _by_origin(facts: Facts, path: str) -> Verdict:
    origin = printable(facts.origin.absolute)
    if facts.there in TAKEN:
        return Verdict(facts, Act.REFUSE, f"{path}: {TAKEN[facts.there].format(origin)}", MAKE_ROOM)
    if facts.there in (Spot.UNKNOWN, Spot.AWAY):
        return Verdict(facts, Act.REFUSE, f"{path}: its former place {origin}: {facts.there.value}", TRY_LATER)
    if facts.holder is not None:
        remedy = "If nothing lies there any more, run the workflow or a dedup once, which notices; then ask again."
        reason = f"{path}: its former place {origin} is that of file {facts.holder} now"
        return Verdict(facts, Act.REFUSE, reason, remedy if facts.there is Spot.FREE else MAKE_ROOM)
    return Verdict(facts, Act.GO_BACK)


def refuse_shared_origins(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Of two files that came from one place, one after the other, only the first can go back there."""
    seen: set[tuple[int, bytes]] = set()
    checked = []
    for verdict in verdicts:
        origin = (verdict.facts.origin.root.id, verdict.facts.origin.path)
        if verdict.act is Act.GO_BACK and origin in seen:
            reason = f"{printable(verdict.facts.place.absolute)}: another file of the batch goes back to the same place"
            checked.append(Verdict(verdict.facts, Act.REFUSE, reason, MAKE_ROOM))
            continue
        if verdict.act is Act.GO_BACK:
            seen.add(origin)
        checked.append(verdict)
    return checked


def obstacles_in_words(look: UndoLook) -> str:
    """Why a batch cannot be taken back, by the first thing in the way."""
    refused = look.of(Act.REFUSE)
    first, more = refused[0], f" ({len(refused):,} files in all)" if len(refused) > 1 else ""
    return f"Batch {look.batch.name} cannot be taken back: {first.reason}{more}. {first.remedy}"


def reason_taken_back(batch_name: str) -> str:
    """Why a file of a batch that was taken back is set aside, and the way out of that."""
    return f"Batch {batch_name} was taken back. Retry this file, or have all of them taken in again with the batch."


def peer_in_words(batch: Batch, in_batch_folder: int, confirmed: int, lost_at: str | None = None) -> str:
    """What happens to the peer's copies when the batch is taken back, in one sentence.

    `lost_at` is when rows were last lost: proofs of what a batch from before had delivered may be among them.
    """
    if batch.target == "none":
        return "Nothing was delivered, so nothing changes anywhere else."
    if not confirmed and _may_be_delivered(batch, lost_at):
        where = "in the delivery folder" if batch.target == "folder" else "at the peer"
        return f"What was delivered is not known any more since the database was rebuilt; copies may be {where}."
    if batch.target == "folder":
        return f"The {confirmed:,} copies in the delivery folder stay there." if confirmed else "Nothing was delivered."
    if batch.published_at is None:
        return "The peer has not been sent anything yet."
    if not confirmed:
        return "Nothing is confirmed at the peer; what it may have received goes with the files."
    if batch.peer_policy != "mirror":
        return "The peer keeps the copies that it has."
    if in_batch_folder:
        return f"The peer's copies of {counted(in_batch_folder, 'file', 'files')} in the batch folder go with them."
    return "The peer's copies went when the files left the batch folder; nothing changes there."


def _may_be_delivered(batch: Batch, lost_at: str | None) -> bool:
    """Whether more was delivered than the rows tell: it was and nothing tells when that began, which only a rebuild
    writes, or the batch lay ready to be copied to a folder before rows were lost."""
    is_from_before = lost_at is not None and batch.created_at < lost_at
    if batch.target == "folder" and batch.published_at is not None and is_from_before:
        return True
    return batch.synced_at is not None and batch.syncing_at is None
