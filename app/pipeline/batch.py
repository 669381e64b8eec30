"""The batch stage: whole groups, in capture order, become one batch of bounded size.

A batch is built outside the folder that the peer sees, and appears there as a whole, by one rename:
rows claimed → manifest in the archive and in the staged folder → files moved in → manifest again if files dropped
out → folder renamed. Each step finds what the one before left, so a build that was cut off goes on where it was.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.config.schema import Batch as BatchSettings
from app.db import assets, batches, journal, waiting
from app.db import roots as root_rows
from app.db.connection import Connection
from app.db.peer_room import PeerRoom
from app.db.waiting import WaitingGroup
from app.errors import IllegalTransition, NoSpace, OpenBatchExists, RootUnavailable
from app.files.roots import check_roots
from app.model import Asset, Batch, BatchStatus, Report, RootKind
from app.model.counting import counted
from app.pipeline import batch_folder
from app.pipeline.away import find_away
from app.pipeline.batch_plan import Protect, source_ids
from app.pipeline.digesting import Digesting
from app.pipeline.failing import finish_interrupted_moves
from app.pipeline.manifest_store import ARCHIVE_FOLDER
from app.pipeline.peer_window import PeerIsFull, note_too_large, room_of
from app.pipeline.room import in_words, require_room
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.pipeline.unsendable import list_unsendable, set_aside
from app.services import Services

GIB = 2**30

#: Roots without which no batch is begun.
NEEDED = (RootKind.INGEST, RootKind.STAGING, RootKind.BATCH, RootKind.ARCHIVE)


@dataclass(frozen=True)
class Budget:
    """How much a batch may hold; 0 means no cap.

    `free_bytes` is what the room at the peer can take now, of `room_bytes` in all; None when nobody bounds it.
    """

    max_bytes: int = 0
    max_files: int = 0
    free_bytes: int | None = None
    room_bytes: int = 0

    def holds(self, size_bytes: int, file_count: int) -> bool:
        """Whether a batch of this size is within the budget."""
        return (not self.max_bytes or size_bytes <= self.max_bytes) and (
            not self.max_files or file_count <= self.max_files
        )

    def has_room(self, size_bytes: int) -> bool:
        """Whether the peer has room for so much now."""
        return self.free_bytes is None or size_bytes <= self.free_bytes

    def never_has_room(self, size_bytes: int) -> bool:
        """Whether so much does not fit there even when nothing else is there."""
        return self.free_bytes is not None and size_bytes > self.room_bytes


@dataclass(frozen=True)
class Choice:
    """The groups of one batch; `is_oversize` when a single group is larger than the budget.

    `too_large` never fit into the room at the peer and were passed over; `waits_for_room` when nothing fits now.
    """

    groups: tuple[WaitingGroup, ...] = ()
    is_oversize: bool = False
    too_large: tuple[WaitingGroup, ...] = ()
    waits_for_room: bool = False


def budget_of(settings: BatchSettings, room: PeerRoom | None = None) -> Budget:
    """The cap that selection_mode names, and the room at the peer."""
    free, limit = (room.free_bytes, room.limit_bytes) if room is not None else (None, 0)
    if settings.selection_mode == "size":
        return Budget(int(settings.max_size_gb * GIB), free_bytes=free, room_bytes=limit)
    return Budget(max_files=settings.max_files, free_bytes=free, room_bytes=limit)


def choose(groups: Iterable[WaitingGroup], budget: Budget) -> Choice:
    """The first groups that fit the budget and the peer's room together.

    A first group that alone is too large for the budget is chosen alone, but never one that is too large for the room.
    """
    chosen: list[WaitingGroup] = []
    too_large: list[WaitingGroup] = []
    size_bytes = file_count = 0
    for group in groups:
        if budget.never_has_room(group.size_bytes):
            too_large.append(group)
            continue
        size_bytes, file_count = size_bytes + group.size_bytes, file_count + group.file_count
        if not budget.has_room(size_bytes):
            return Choice(tuple(chosen), too_large=tuple(too_large), waits_for_room=not chosen)
        fits = budget.holds(size_bytes, file_count)
        if chosen and not fits:
            break
        chosen.append(group)
        if not fits:
            return Choice((group,), is_oversize=True, too_large=tuple(too_large))
    return Choice(tuple(chosen), too_large=tuple(too_large))


def run(services: Services, step: StepContext, protect: Protect | None = None) -> Report:
    """Build the step's batch, or one that was cut off, or a new one; publish it, once `protect` has returned."""
    finish_interrupted_moves(services.db)
    batch = _find_unfinished(services, step.batch_id)
    if batch is not None and batch.published_at is not None:
        return Report("idle", f"Batch {batch.name} is built already.", batch_id=batch.id)
    try:
        check_roots(services.db, [services.root(kind) for kind in NEEDED])
        tally = Tally()
        if batch is None or batch.file_count == 0:
            batch = _claim(services, step, batch, tally)
        if batch is None:
            return Report("idle", "There is nothing to batch.", failures=tally.failures)
        report = batch_folder.build(services, step, batch, protect)
        report.detail["read"] = tally.counts["read"]
        report.failures[:0] = tally.failures
        return report
    except OpenBatchExists as blocking:
        return Report("blocked", str(blocking), batch_id=blocking.batch_id)
    except PeerIsFull as full:
        return Report("blocked" if batch is not None else "waiting", str(full), batch_id=full.batch_id)
    except (NoSpace, RootUnavailable) as error:
        if isinstance(error, RootUnavailable) and find_away(services, error) is not None:
            raise
        return _failed(services, step, batch, str(error))


def _find_unfinished(services: Services, batch_id: int | None) -> Batch | None:
    with services.db.reading() as conn:
        if batch_id is None:
            pending = batches.list_by_status(conn, [BatchStatus.PENDING])
            return next((b for b in pending if b.published_at is None), None)
        batch = batches.get(conn, batch_id)
    if batch.published_at is None and batch.status is not BatchStatus.PENDING:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, "published")
    return batch


def _claim(services: Services, step: StepContext, reserved: Batch | None, tally: Tally) -> Batch | None:
    """Bind the next groups to a batch, in one transaction; None (and no row) when nothing waits.

    Others may write while the groups are chosen, which takes long in a large library. Raises OpenBatchExists,
    PeerIsFull, or NoSpace before anything is bound.
    """
    while True:
        claimed = services.db.read_then_write(lambda conn: _choose_and_bind(services, step, conn, reserved))
        if claimed.is_full is not None:
            raise PeerIsFull(claimed.is_full)
        if claimed.unread:
            # Nothing enters a manifest without its digests; what cannot be read is left to the next dedup.
            check_roots(services.db, [services.root(kind) for kind in NEEDED])
            Digesting(services, step, tally).read_whole(claimed.unread)
        elif not claimed.again:
            return claimed.batch


@dataclass(frozen=True)
class _Claimed:
    """A batch with its files, or none: nothing waits, there is no room at the peer, some of what was chosen is to be
    read first, or it has to be chosen `again` because some of it was set aside."""

    batch: Batch | None = None
    is_full: PeerRoom | None = None
    again: bool = False
    unread: tuple[Asset, ...] = ()


def _choose_and_bind(services: Services, step: StepContext, conn: Connection, reserved: Batch | None) -> _Claimed:
    target = reserved.target if reserved else services.config.sync_target
    room = room_of(services, conn, target, reserved)
    budget = budget_of(services.config.batch, room)
    choice = choose(waiting.list_groups(conn, source_ids(services)), budget)
    groups = waiting.list_members(conn, [group.key for group in choice.groups])
    refused = list_unsendable(conn, groups) if target == "syncthing" else []
    members = [asset for group in groups for asset in group]
    unread = tuple(asset for asset in members if asset.sha256 is None)
    if unread and not refused:
        # A batch that cannot be made is no reason to read for hours.
        if reserved is None:
            batches.require_none_open(conn, allow_parallel=services.config.batch.allow_parallel)
        _require_room(services, conn, reserved, members)
        return _Claimed(unread=unread)
    if not refused and not choice.waits_for_room:
        _require_room(services, conn, reserved, members)
        names = _names_on_disk(services)
        note_too_large(conn, choice.too_large, budget.room_bytes, step.run_id)
        return _Claimed(_bind(services, step, conn, reserved, choice, members, names))
    note_too_large(conn, choice.too_large, budget.room_bytes, step.run_id)
    set_aside(conn, refused, step.run_id)
    if choice.waits_for_room and reserved is not None:
        batches.drop_reserved(conn, reserved.id)
    return _Claimed(is_full=room if choice.waits_for_room else None, again=True)


def _require_room(services: Services, conn: Connection, reserved: Batch | None, members: list[Asset]) -> None:
    """Raises NoSpace when staging cannot take these."""
    copies = (reserved.transfer_mode if reserved else services.config.batch.transfer_mode) == "copy"
    roots = {root.id: root for root in root_rows.list_all(conn)}
    sizes: Counter[int] = Counter()
    for asset in members:
        sizes[asset.root_id] += asset.size_bytes
    require_room("build a batch in", sizes, roots, services.root(RootKind.STAGING), copies=copies,
                 disk=services.disk)


def _bind(
    services: Services,
    step: StepContext,
    conn: Connection,
    reserved: Batch | None,
    choice: Choice,
    members: list[Asset],
    names_on_disk: set[str],
) -> Batch | None:
    if not members:
        if reserved is not None:
            batches.drop_reserved(conn, reserved.id)
        return None
    batch = reserved or _reserve(services, conn)
    assets.bind(conn, [asset.id for asset in members], batch.id)
    batches.set_columns(
        conn,
        batch.id,
        name=batches.free_name(conn, batch, services.config.batch.naming_pattern, names_on_disk),
        file_count=len(members),
        size_bytes=sum(a.size_bytes for a in members),
        run_id=step.run_id,
    )
    batch = batches.get(conn, batch.id)
    _record_created(conn, batch, choice, step.run_id)
    return batch


def _reserve(services: Services, conn: Connection) -> Batch:
    config = services.config
    return batches.reserve(
        conn,
        naming_pattern=config.batch.naming_pattern,
        allow_parallel=config.batch.allow_parallel,
        target=config.sync_target,
        transfer_mode=config.batch.transfer_mode,
        peer_policy=config.sync.peer_policy,
        device_id=config.syncthing.device_id or None,
    )


def _names_on_disk(services: Services) -> set[str]:
    """Folder names that another batch, or somebody else, has taken: a new batch must not meet them."""
    names: set[str] = set()
    for kind in (RootKind.BATCH, RootKind.STAGING):
        names.update(os.fsdecode(name) for name in os.listdir(services.root(kind).path))
    archive = services.root(RootKind.ARCHIVE).path
    try:
        listed = os.listdir(os.path.join(archive, ARCHIVE_FOLDER))
    except FileNotFoundError:
        return names
    return names | {os.fsdecode(name.removesuffix(b".json")) for name in listed}


def _record_created(conn: Connection, batch: Batch, choice: Choice, run_id: int | None) -> None:
    detail = {"files": batch.file_count, "groups": len(choice.groups), "size_bytes": batch.size_bytes,
              "target": batch.target}
    words = f"Batch {batch.name} was made: {counted(batch.file_count, 'file', 'files')}, {in_words(batch.size_bytes)}."
    journal.record(conn, "batch.created", words, run_id=run_id, batch_id=batch.id, detail=detail)
    if choice.is_oversize:
        words = (f"Batch {batch.name} is larger than the budget: its files belong together, "
                 f"are {in_words(batch.size_bytes)}, and became a batch of their own.")
        journal.record(conn, "batch.oversize_accepted", words, level="warning", run_id=run_id, batch_id=batch.id,
                       detail=detail)


def _failed(services: Services, step: StepContext, batch: Batch | None, reason: str) -> Report:
    """The whole batch cannot be built now: ERROR, from where a retry takes it up again."""
    if batch is None:
        return Report("failed", reason)
    with services.db.transaction() as conn:
        found = batches.get(conn, batch.id)
        batches.change(conn, found, BatchStatus.ERROR, error=reason, error_from=found.status.value)
        journal.record(conn, "batch.failed", f"Batch {batch.name} could not be built: {reason}", level="error",
                       run_id=step.run_id, batch_id=batch.id, detail={"reason": reason, "from": found.status.value})
    return Report("failed", reason, batch_id=batch.id)
