"""Inspect: when was each unique file taken? Reads the heads of files, writes `taken_*`, changes no file.

A group has one date, the one of its still; the other members take it over, so that all end in one folder.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.db import assets, capture_records, date_decisions, journal, undecided, uninspected
from app.db.capture_records import CaptureRecord
from app.db.clock import now
from app.db.connection import Connection
from app.errors import printable
from app.files.capture_time import CaptureReaders, Claim, Reading, choose
from app.files.digest import Wanted
from app.files.roots import check_roots
from app.files.walk import is_media
from app.filing.dating import (
    Dated,
    choose_lead,
    claims_of,
    columns,
    disagreement,
    is_read,
    is_weak,
    lead_gone_on,
    record,
    rules_of,
    taken_over,
)
from app.model import Asset, AssetStatus, Failure, Place, Report, RootKind
from app.model.counting import counted
from app.pipeline.grouping import regroup
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


class _Inspection:
    """One pass over the groups with undated members; each slice is read, then written in one transaction."""

    def __init__(self, services: Services, step: StepContext) -> None:
        self.db, self.disk, self.step, self.tally = services.db, services.disk, step, Tally()
        # A quarantined duplicate becomes unique where it lies when its original is lost.
        kinds = (RootKind.INGEST, RootKind.DUPLICATES)
        self.roots = {root.id: root for kind in kinds for root in services.roots.get(kind, ())}
        self.zone, self.processes = services.config.zone, services.config.dedup.threads
        self.rules = rules_of(services.config.sorter)
        self.present = datetime.now(UTC)
        self.total = 0
        self.first_damaged = ""
        self.is_grouped_anew = False
        self.decided: dict[int, Claim] = {}

    def run(self) -> None:
        """Inspect slice by slice, and once more what was grouped anew by what was read; what was written stays when
        the pass is stopped."""
        keys = self._waiting_groups()
        if not keys:
            return
        with CaptureReaders(self.processes) as readers:
            self._inspect(readers, keys)
            if self.is_grouped_anew:
                self._inspect(readers, self._waiting_groups())

    def _waiting_groups(self) -> array[int]:
        with self.db.reading() as conn:
            keys = array("q", uninspected.list_groups(conn))
        self.total += len(keys)
        return keys

    def _inspect(self, readers: CaptureReaders, keys: array[int]) -> None:
        for start in range(0, len(keys), SLICE):
            self._slice(readers, keys[start : start + SLICE].tolist())

    def _slice(self, readers: CaptureReaders, keys: list[int]) -> None:
        with self.db.reading() as conn:
            members = undecided.list_members(conn, keys)
        groups = [[a for a in group if self._is_ready(a)] for group in members.values()]
        readings = self._read(readers, [a for group in groups for a in group if is_read(a)])
        with self.db.transaction() as conn:
            # Read last of all: what is decided while files are read counts as well.
            self.decided = self._decided(conn, [a.id for group in groups for a in group])
            self._tell_damaged(conn, [a for group in groups for a in group if is_media(a.path)], readings)
            at = now()
            gone_on = undecided.list_gone_on(conn, keys)
            dated = [
                one
                for group in groups
                if group
                for one in self._rows(group, gone_on.get(group[0].group_id or 0, ()), readings)
            ]
            assets.set_columns(conn, [(asset_id, {**row, "inspected_at": at}) for asset_id, row, _ in dated])
            capture_records.write(conn, [record for _, _, record in dated if record is not None])
            again = regroup(conn, [key for key in keys if key >= 0])
        self.is_grouped_anew = self.is_grouped_anew or bool(again)
        lasting = [(row, kept) for asset_id, row, kept in dated if asset_id not in again]
        self.tally.counts["inspected"] += len(lasting)
        self.tally.counts["weak"] += sum(1 for row, kept in lasting if is_weak(row, kept))

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

    def _rows(
        self,
        group: Sequence[Asset],
        gone_on: Sequence[Asset],
        readings: Mapping[int, Reading],
    ) -> Sequence[tuple[int, dict[str, str | None], CaptureRecord | None]]:
        moved_on = [a for a in group if a.id in readings and readings[a.id].moved_on]
        if moved_on:
            words = "it is no longer the file that was found"
            self.tally.failures += [Failure(printable(a.path), words, a.id) for a in moved_on]
            return []
        claims = claims_of(group, readings)
        dated = [self._dated(a, readings.get(a.id, Reading(a.id)), claims[a.id]) for a in group]
        lead = choose_lead(dated)
        differ = disagreement(dated, lead)
        self.tally.size_bytes += sum(a.size_bytes for a in group)
        before = None if lead.taken.source == "person" else lead_gone_on(group, gone_on)
        return [
            (
                m.asset.id,
                taken_over(m, before) if before is not None else columns(m, lead, differ),
                record(m, lead, differ, before) if is_media(m.asset.path) else None,
            )
            for m in dated
        ]

    def _dated(self, asset: Asset, reading: Reading, claims: Sequence[Claim]) -> Dated:
        path = asset.origin_path or asset.path
        claims = [*claims, self.decided[asset.id]] if asset.id in self.decided else claims
        make, model = reading.camera_make, reading.camera_model
        taken = choose(
            claims, path, asset.mtime_ns, self.zone, self.present, reading.note, rules=self.rules, camera_make=make
        )
        if reading.content_identifier is not None:
            taken = replace(taken, content_identifier=reading.content_identifier)
        return Dated(asset, taken, make, model)


def _report(tally: Tally, first_damaged: str) -> Report:
    counts = {name: tally.counts[name] for name in ("inspected", "weak", "damaged")}
    if not counts["inspected"] and not tally.failures:
        return Report("idle", "There was nothing to date.", detail=counts)
    message = f"{counted(counts['inspected'], 'file', 'files')} dated"
    message += f", {counts['weak']} of them with a doubtful date"
    message += f"; {len(tally.failures)} changed meanwhile" if tally.failures else ""
    message += f". {counts['damaged']} may be damaged, the first is {first_damaged}" if counts["damaged"] else ""
    done = counts["inspected"]
    return Report("done", message + ".", done, 0, tally.size_bytes, failures=tally.failures, detail=counts)
