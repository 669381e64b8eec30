"""Inspect: when was each unique file taken? Reads the heads of files, writes `taken_*`, changes no file.

A group has one date, the one of its still; the other members take it over, so that all end in one folder.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from app.db import assets, capture_records, date_decisions, journal, undecided, uninspected
from app.db.capture_records import CaptureRecord
from app.db.clock import now
from app.db.connection import Connection
from app.errors import FileError, printable
from app.files.capture_time import CaptureReaders, Claim, Reading
from app.files.digest import Wanted
from app.files.roots import check_roots
from app.files.walk import is_media
from app.filing.dating import is_read, is_weak
from app.model import Asset, AssetStatus, Failure, Place, Report, RootKind
from app.model.counting import counted
from app.pipeline.group_dates import GroupDates, Row
from app.pipeline.grouping import regroup
from app.pipeline.parting import part_by_days
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Files read between two transactions.
SLICE = 2_000

#: How a reader's note begins when it says that the file itself is not whole.
DAMAGED = ("the file is empty", "it is damaged or too large", "it is not the photo or video")


def run(services: Services, step: StepContext) -> Report:
    """Date every unique asset that has no date yet. Raises RootUnavailable when its folder is away."""
    check_roots(services.db, list(services.roots[RootKind.INGEST]))
    inspection = _Inspection(services, step)
    inspection.run()
    report = _report(inspection.tally, inspection.first_damaged)
    with services.db.transaction() as conn:
        journal.record(conn, "inspect.finished", report.message, run_id=step.run_id, detail=report.detail)
    return report


class Slices:
    """The keys of groups, in slices of about so many files; 16 bytes a group are kept."""

    def __init__(self, groups: Iterable[tuple[int, int]]) -> None:
        self._keys, self._sizes = array("q"), array("q")
        for key, size in groups:
            self._keys.append(key)
            self._sizes.append(size)
        self.files = sum(self._sizes)

    def __iter__(self) -> Iterator[list[int]]:
        part: list[int] = []
        files = 0
        for key, size in zip(self._keys, self._sizes, strict=True):
            if part and files + size > SLICE:
                yield part
                part, files = [], 0
            part.append(key)
            files += size
        if part:
            yield part


class _Inspection:
    """One pass over the groups with undated members; each slice is read, then written in one transaction."""

    def __init__(self, services: Services, step: StepContext) -> None:
        self.services, self.db, self.disk, self.step, self.tally = services, services.db, services.disk, step, Tally()
        # A quarantined duplicate becomes unique where it lies when its original is lost.
        kinds = (RootKind.INGEST, RootKind.DUPLICATES)
        self.roots = {root.id: root for kind in kinds for root in services.roots.get(kind, ())}
        self.processes = services.config.dedup.threads
        self.present = datetime.now(UTC)
        self.dates = GroupDates(services.config, self.present)
        self.total = 0
        self.first_damaged = ""
        self.is_grouped_anew = False

    def run(self) -> None:
        """Inspect slice by slice, and once more what was grouped anew by what was read; what was written stays when
        the pass is stopped."""
        slices = self._waiting_groups()
        if not slices.files:
            return
        with CaptureReaders(self.processes) as readers:
            self._inspect(readers, slices)
            if self.is_grouped_anew:
                self._inspect(readers, self._waiting_groups())

    def _waiting_groups(self) -> Slices:
        with self.db.reading() as conn:
            slices = Slices(uninspected.list_groups(conn))
        self.total += slices.files
        return slices

    def _inspect(self, readers: CaptureReaders, slices: Slices) -> None:
        for keys in slices:
            self._slice(readers, keys)

    def _slice(self, readers: CaptureReaders, keys: list[int]) -> None:
        with self.db.reading() as conn:
            members = undecided.list_members(conn, keys)
        ready = [[a for a in group if self._is_ready(a)] for group in members.values()]
        readings = self._read(readers, [a for group in ready for a in group if is_read(a)])
        groups = [group for group in ready if group and not self._has_to_wait(group, readings)]
        ids = [a.id for group in groups for a in group]
        with self.db.reading() as conn:
            gone_on = undecided.list_gone_on(conn, keys)
            decided = self._decided(conn, ids)
            records = self._records_beside(conn, groups, gone_on)
        dated = self._date(groups, gone_on, readings, decided, records)
        with self.db.transaction() as conn:
            # What is decided while files are read and dated counts as well.
            if (late := self._decided(conn, ids)) != decided:
                dated = self._date(groups, gone_on, readings, late, records)
            self._note_unreadable(conn, [a for group in ready for a in group], readings)
            self._tell_damaged(conn, [a for group in ready for a in group if is_media(a.path)], readings)
            at = now()
            assets.set_columns(conn, [(row.asset_id, {**row.columns, "inspected_at": at}) for row in dated])
            capture_records.write(conn, [row.record for row in dated if row.record is not None])
            identifiers = {row.asset_id: row.columns["content_identifier"] for row in dated}
            again = self._group_anew(conn, [key for key in keys if key >= 0], groups, gone_on, identifiers)
        self.is_grouped_anew = self.is_grouped_anew or bool(again)
        self.tally.size_bytes += sum(a.size_bytes for group in groups for a in group)
        lasting = [row for row in dated if row.asset_id not in again]
        self.tally.counts["inspected"] += len(lasting)
        self.tally.counts["weak"] += sum(1 for row in lasting if is_weak(row.columns, row.record))

    def _group_anew(
        self,
        conn: Connection,
        group_ids: Sequence[int],
        groups: Sequence[Sequence[Asset]],
        gone_on: Mapping[int, Sequence[Asset]],
        identifiers: Mapping[int, str | None],
    ) -> set[int]:
        """Part and join groups by what was read; returns the files that are to be inspected anew for it."""
        parted = part_by_days(conn, groups, gone_on, identifiers, self.services.config.zone, self.present)
        rows = [(asset_id, {"group_id": group_id, "inspected_at": None}) for asset_id, group_id in parted.items()]
        assets.set_columns(conn, rows)
        return parted.keys() | regroup(conn, sorted({*group_ids, *parted.values()}))

    def _date(
        self,
        groups: Sequence[Sequence[Asset]],
        gone_on: Mapping[int, Sequence[Asset]],
        readings: Mapping[int, Reading],
        decided: Mapping[int, Claim],
        records: Mapping[int, CaptureRecord],
    ) -> list[Row]:
        return [
            row
            for group in groups
            for row in self.dates.rows(group, gone_on.get(group[0].group_id or 0, ()), readings, decided, records)
        ]

    def _records_beside(
        self, conn: Connection, groups: Sequence[Sequence[Asset]], gone_on: Mapping[int, Sequence[Asset]]
    ) -> dict[int, CaptureRecord]:
        """What is known of files that have gone on, where sidecars come that may tell another date."""
        beside = [gone_on.get(g[0].group_id or 0, ()) for g in groups if not any(is_media(a.path) for a in g)]
        return capture_records.list_of(conn, [asset.id for members in beside for asset in members])

    def _has_to_wait(self, group: Sequence[Asset], readings: Mapping[int, Reading]) -> bool:
        """Whether a file of a group is no longer the one that was found, which is told, or cannot be read."""
        moved_on = [a for a in group if a.id in readings and readings[a.id].moved_on]
        words = "it is no longer the file that was found"
        self.tally.failures += [Failure(printable(a.path), words, a.id) for a in moved_on]
        self.tally.counts["moved_on"] += len(moved_on)
        return bool(moved_on) or any(readings[a.id].is_unreadable for a in group if a.id in readings)

    def _note_unreadable(self, conn: Connection, members: Sequence[Asset], readings: Mapping[int, Reading]) -> None:
        """Dedup reads no file that nothing else can be the same as: so this may be the first to see that it cannot."""
        for asset in members:
            if asset.id not in readings or not readings[asset.id].is_unreadable:
                continue
            found = assets.get(conn, asset.id)
            if found.status is not AssetStatus.UNIQUE or found.batch_id is not None:
                continue
            path = Place(self.roots[found.root_id], found.path).absolute
            assets.mark(conn, [found], AssetStatus.DISCOVERED)
            error = FileError("read", path, readings[asset.id].note)
            self.tally.note_failure(conn, assets.get(conn, asset.id), error, self.step.run_id)
            self.tally.counts["unreadable"] += 1

    def _tell_damaged(self, conn: Connection, read: Sequence[Asset], readings: Mapping[int, Reading]) -> None:
        """Name each file that is no whole photo or video; it is archived like any other, by its bytes."""
        for asset in read:
            note = readings[asset.id].note if asset.id in readings else ""
            if not note.startswith(DAMAGED):
                continue
            path = printable(asset.path)
            self.tally.counts["damaged"] += 1
            self.first_damaged = self.first_damaged or f"{path}: {note}"
            journal.record(conn, "asset.found_damaged", f"{path} may be damaged: {note}.", level="warning",
                           run_id=self.step.run_id, asset_id=asset.id, detail={"path": path, "reason": note})

    def _decided(self, conn: Connection, asset_ids: Sequence[int]) -> dict[int, Claim]:
        """What people decided about these files, as one more claim."""
        decisions = date_decisions.list_of(conn, asset_ids)
        return {asset_id: Claim("person", one.text, one.zone) for asset_id, one in decisions.items()}

    def _is_ready(self, asset: Asset) -> bool:
        return asset.status is AssetStatus.UNIQUE and asset.batch_id is None and asset.root_id in self.roots

    def _read(self, readers: CaptureReaders, telling: Sequence[Asset]) -> dict[int, Reading]:
        readings: dict[int, Reading] = {}
        places = ((a, self.disk.readable_at(Place(self.roots[a.root_id], a.path))) for a in telling)
        wanted = (Wanted(a.id, place, a.signature) for a, place in places)
        for reading in readers.read(wanted):
            if reading is not None:
                readings[reading.key] = reading
            done = self.tally.counts["inspected"] + len(readings)
            self.step.safe_point(done, max(done, self.total), self.tally.size_bytes)
        return readings


def _report(tally: Tally, first_damaged: str) -> Report:
    counts = {name: tally.counts[name] for name in ("inspected", "weak", "damaged")}
    if not counts["inspected"] and not tally.failures:
        return Report("idle", "There was nothing to date.", detail=counts)
    message = f"{counted(counts['inspected'], 'file', 'files')} dated"
    message += f", {counts['weak']} of them with a doubtful date"
    message += f"; {tally.counts['moved_on']} changed meanwhile" if tally.counts["moved_on"] else ""
    message += f"; {tally.counts['unreadable']} could not be read" if tally.counts["unreadable"] else ""
    message += f". {counts['damaged']} may be damaged, the first is {first_damaged}" if counts["damaged"] else ""
    done = counts["inspected"]
    return Report("done", message + ".", done, 0, tally.size_bytes, failures=tally.failures, detail=counts)
