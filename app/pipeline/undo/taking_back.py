"""Moving the files of a batch back to where they came from, in capture order, by the same protocol as on their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.db import assets, kept_copies
from app.db.connection import Connection
from app.errors import FileError, MediaPipelineError, SourceChanged, printable
from app.files.move import Move, Moved
from app.files.roots import check_roots
from app.files.walk import signature_at
from app.model import Asset, AssetStatus, Batch, Failure, Place, Root
from app.model.undo import Act, Copy, Spot, UndoLook, Verdict, reason_taken_back
from app.pipeline.failing import failure, give_up, holds, raise_when_full, reason_of
from app.pipeline.room import require_room
from app.pipeline.step import StepContext
from app.services import Services

PURPOSE = "undo"

#: Files moved between two safe points at most.
SLICE = 256


@dataclass
class TakingBack:
    """One batch on its way back, and how far it is."""

    services: Services
    step: StepContext
    batch: Batch
    look: UndoLook
    done: int = 0
    done_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: list[Failure] = field(default_factory=list)

    @property
    def reason(self) -> str | None:
        """What the row of a file that is back says."""
        return reason_in_row(self.batch) if self.look.returns_as is AssetStatus.SET_ASIDE else None

    def tell_progress(self, moved: Sequence[Moved]) -> None:
        """A safe point between groups of moves."""
        arrived = [m for m in moved if m.outcome != "failed"]
        self.done += len(arrived)
        self.done_bytes += sum(m.move.asset.size_bytes for m in arrived)
        self.step.safe_point(self.done, len(self.look.of(Act.GO_BACK)), self.done_bytes)


def reason_in_row(batch: Batch) -> str:
    """Why a file of a batch that was taken back is set aside, and the way out of that."""
    return reason_taken_back(batch.name)


def require_room_to_return(services: Services, look: UndoLook) -> None:
    """Raise NoSpace when what has to cross to another mount does not fit there."""
    sizes: dict[int, Counter[int]] = {}
    roots: dict[int, Root] = {}
    for verdict in look.of(Act.GO_BACK):
        facts = verdict.facts
        source, target = (facts.source or facts.place).root, facts.origin.root
        roots[source.id], roots[target.id] = source, target
        if facts.there is Spot.FREE:
            sizes.setdefault(target.id, Counter())[source.id] += facts.asset.size_bytes
    for root_id, by_root in sizes.items():
        require_room("take a batch back to", by_root, roots, roots[root_id], copies=False, disk=services.disk)


def take_back(work: TakingBack) -> list[Failure]:
    """Bring back every file that can be, then the copies that stayed in the batch folder; returns what failed.

    Raises NoSpace, RootUnavailable, and Stopped between two groups.
    """
    work.tell_progress(())
    for part in _slices(_in_capture_order(work.look.of(Act.GO_BACK))):
        _move(work, [_as_move(work, verdict) for verdict in part])
    for verdict in work.look.of(Act.ADOPT):
        _adopt(work, verdict)
    _take_copies(work)
    return work.failures


def _in_capture_order(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """Whole groups, the one that was taken first before the others."""
    groups: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        asset = verdict.facts.asset
        groups.setdefault(asset.group_id if asset.group_id is not None else -asset.id, []).append(verdict)
    return sorted(groups.values(), key=lambda g: min((v.facts.asset.taken_local or "", v.facts.asset.id) for v in g))


def _slices(groups: Sequence[Sequence[Verdict]]) -> Iterator[list[Verdict]]:
    part: list[Verdict] = []
    for group in groups:
        part += group
        if len(part) >= SLICE:
            yield part
            part = []
    if part:
        yield part


def _as_move(work: TakingBack, verdict: Verdict) -> Move:
    facts = verdict.facts
    source = facts.source or facts.place
    return Move(facts.asset, source, facts.origin, PURPOSE, work.look.returns_as, keep_source=facts.stays)


def _move(work: TakingBack, moves: Sequence[Move]) -> None:
    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        write_returned(conn, [(m.move.asset.id, m.move.target) for m in moved], work.reason)
        # What lay there before the batch, or was brought back itself, is no copy that we keep.
        kept_copies.remove_at(conn, [(m.move.source.root.id, m.move.source.path) for m in moved])

    moved = work.services.disk.move_files(
        work.services.db, moves, run_id=work.step.run_id, batch_id=work.batch.id, settle=settle,
        after_group=work.tell_progress,
    )
    raise_when_full(moved)
    failed = [m for m in moved if m.outcome == "failed"]
    # An unmounted share also lacks every file: nothing is held against a file before its folders were seen.
    involved = {root.id: root for m in failed for root in (m.move.source.root, m.move.target.root)}
    check_roots(work.services.db, list(involved.values()))
    for one in failed:
        _note_failed(work, one)


def write_returned(conn: Connection, returned: Sequence[tuple[int, Place]], reason: str | None) -> None:
    """What the rows of files say that are back: why, that no earlier try counts, and that no copy is kept there."""
    columns = {"reason": reason, "attempts": 0, "original_id": None}
    assets.set_columns(conn, [(asset_id, columns) for asset_id, _ in returned])
    kept_copies.remove_at(conn, [(place.root.id, place.path) for _, place in returned])


def _note_failed(work: TakingBack, moved: Moved) -> None:
    """What fails is tried again by the next run. Only when lost files are to be left, one that cannot be read is."""
    failed = failure(moved.move.asset, reason_of(moved.error))
    if not (work.step.arguments.get("without_lost") and _is_unreadable(moved.error)):
        work.failures.append(failed)
        return
    work.left.append(failed)
    with work.services.db.transaction() as conn:
        asset = assets.get(conn, moved.move.asset.id)
        if asset.status is not AssetStatus.FAILED:
            give_up(conn, asset, failed.reason, work.step.run_id)


def _is_unreadable(error: MediaPipelineError | None) -> bool:
    return isinstance(error, SourceChanged) or (isinstance(error, FileError) and error.verb == "read")


def _adopt(work: TakingBack, verdict: Verdict) -> None:
    """The file is lost where it was last, and lies, read again now, where it came from: its row goes back alone."""
    asset, origin = verdict.facts.asset, verdict.facts.origin
    signature = signature_at(origin.root, origin.path)
    if signature is None or not holds(origin, asset, work.services.disk):
        work.failures.append(Failure(printable(origin.absolute), "it is not what the batch took from there", asset.id))
        return
    with work.services.db.transaction() as conn:
        assets.place(conn, asset.id, origin.root.id, origin.path, signature, work.look.returns_as)
        write_returned(conn, [(asset.id, origin)], work.reason)


# --- copies in the batch folder


def _take_copies(work: TakingBack) -> None:
    """A copy goes to the trash once its file was read at its place, by a move that finds its target there already."""
    copies = work.look.copies
    with work.services.db.reading() as conn:
        owners = {copy.asset_id: assets.get(conn, copy.asset_id) for copy in copies}
    roots = {v.facts.origin.root.id: v.facts.origin.root for v in work.look.verdicts}
    _forget(work, [copy for copy in copies if not copy.is_there])
    there = [copy for copy in copies if copy.is_there and owners[copy.asset_id].root_id in roots]
    for start in range(0, len(there), SLICE):
        part = there[start : start + SLICE]
        moves = [_as_copy(owners[copy.asset_id], copy, roots) for copy in part]
        _move_copies(work, moves)


def _as_copy(owner: Asset, copy: Copy, roots: Mapping[int, Root]) -> Move:
    s = copy.signature
    held = replace(owner, device=s.device, inode=s.inode, mtime_ns=s.mtime_ns, ctime_ns=s.ctime_ns)
    target = Place(roots[owner.root_id], owner.path)
    return Move(held, copy.place, target, PURPOSE, None, places_asset=False)


def _move_copies(work: TakingBack, moves: Sequence[Move]) -> None:
    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        kept_copies.remove_at(conn, [(m.move.source.root.id, m.move.source.path) for m in moved])

    moved = work.services.disk.move_files(
        work.services.db, moves, run_id=work.step.run_id, batch_id=work.batch.id, settle=settle
    )
    raise_when_full(moved)
    work.failures += [failure(m.move.asset, reason_of(m.error)) for m in moved if m.outcome == "failed"]
    work.step.safe_point(work.done, len(work.look.of(Act.GO_BACK)), work.done_bytes)


def _forget(work: TakingBack, copies: Sequence[Copy]) -> None:
    """A copy that a move which recovery finished has taken away is known no more."""
    with work.services.db.transaction() as conn:
        kept_copies.remove_at(conn, [(copy.place.root.id, copy.place.path) for copy in copies])
