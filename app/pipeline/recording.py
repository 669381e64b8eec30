"""Recording what files tell of their dates that were dated before it was recorded. Their dates stay as they are.

Files are read as in an inspection, by limited processes, each once: one that tells nothing has a record of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from app.db import capture_records, date_decisions, journal, unrecorded
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.db.dated_groups import list_others
from app.errors import printable
from app.files.capture_time import CaptureReaders, Claim, Reading, choose
from app.files.capture_time.choose import CONFIDENCE, SIBLING
from app.files.capture_time.decision import PERSON
from app.files.digest import Wanted
from app.files.walk import is_media
from app.filing.dating import Dated, claims_of, is_only_called_like, is_read, record, rules_of
from app.filing.group_values import came_as
from app.filing.redating import redate
from app.model import Asset, Failure, Place, Report
from app.model.counting import counted
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Files read between two transactions.
SLICE = 500
NOT_THERE = "it is not there, or no longer the file that is known; `media-pipeline verify` looks at all of them"


def run(services: Services, step: StepContext) -> Report:
    """Read every file of which nothing is recorded."""
    tally, last_id = Tally(), 0
    with CaptureReaders(services.config.dedup.threads) as readers:
        recording = _Recording(services, step, readers, tally)
        while True:
            with services.db.reading() as conn:
                page = unrecorded.list_page(conn, last_id, SLICE)
            if not page:
                with services.db.transaction() as conn:
                    unrecorded.have_read(conn)
                return _report(services, step, tally)
            last_id = page[-1].id
            recording.record_some([asset for asset in page if is_media(asset.path)])


class _Recording:
    """Reads page by page; what was written stays when the run is stopped."""

    def __init__(self, services: Services, step: StepContext, readers: CaptureReaders, tally: Tally) -> None:
        self.services, self.step, self.readers, self.tally = services, step, readers, tally
        self.roots = {root.id: root for roots in services.roots.values() for root in roots}
        self.zone, self.rules = services.config.zone, rules_of(services.config.sorter)
        self.present = datetime.now(UTC)

    def record_some(self, files: Sequence[Asset]) -> None:
        """Read these, with the sidecars beside them, and write what they tell."""
        if not files:
            return
        with self.services.db.reading() as conn:
            others = list_others(conn, files)
        groups = self._groups(files, others)
        wanted = {asset.id for asset in files}
        readings = self._read([a for group in groups for a in group if a.id in wanted or not is_media(a.path)])
        with self.services.db.transaction() as conn:
            capture_records.write(conn, self._records(conn, groups, wanted, readings))
            for group in groups:
                self._doubt(conn, group)
        for asset in files:
            if asset.id not in readings:
                self.tally.failures.append(Failure(printable(asset.path), NOT_THERE, asset.id))

    def _groups(self, files: Sequence[Asset], others: Mapping[int, Sequence[Asset]]) -> list[list[Asset]]:
        groups: dict[int, list[Asset]] = {}
        for asset in files:
            groups.setdefault(asset.group_id if asset.group_id is not None else -asset.id, []).append(asset)
        return [[*members, *others.get(key, ())] for key, members in groups.items()]

    def _read(self, telling: Sequence[Asset]) -> dict[int, Reading]:
        wanted = [
            Wanted(asset.id, Place(self.roots[asset.root_id], asset.path), asset.signature)
            for asset in telling
            if asset.root_id in self.roots and is_read(asset)
        ]
        readings: dict[int, Reading] = {}
        for reading in self.readers.read(iter(wanted)) if wanted else ():
            if reading is not None and not reading.moved_on:
                readings[reading.key] = reading
            done = self.tally.counts["recorded"] + len(readings)
            self.step.safe_point(done, done)
        return readings

    def _records(
        self, conn: Connection, groups: Sequence[Sequence[Asset]], wanted: set[int], readings: Mapping[int, Reading]
    ) -> list[CaptureRecord]:
        ids = [asset.id for group in groups for asset in group]
        decided = date_decisions.list_of(conn, ids)
        known = capture_records.list_of(conn, ids)
        found = []
        for group in groups:
            came_as = [replace(asset, path=asset.origin_path or asset.path) for asset in group]
            claims = claims_of(came_as, readings)
            for asset in came_as:
                if asset.id in wanted and asset.id in readings:
                    own = [Claim(PERSON, decided[asset.id].text, decided[asset.id].zone)] if asset.id in decided else []
                    kept = self._record(asset, [*claims[asset.id], *own], readings[asset.id])
                    found.append(kept._replace(confidence=_confidence(asset, group, known, kept.confidence)))
        self.tally.counts["recorded"] += len(found)
        return found

    def _doubt(self, conn: Connection, group: Sequence[Asset]) -> None:
        """Note how sure the date of a group is by what all of it tells, when it is the date that is told."""
        ids = [asset.id for asset in group]
        known = capture_records.list_of(conn, ids)
        if date_decisions.list_of(conn, ids) or not any(one.confidence != "weak" for one in known.values()):
            return
        again = redate(group, known, self.zone, self.present)
        if again is not None and all(again.columns[a.id]["taken_local"] == a.taken_local for a in group):
            weak = [one.asset_id for one in again.records if one.confidence == "weak"]
            capture_records.set_confidence(conn, weak, "weak")

    def _record(self, asset: Asset, claims: Sequence[Claim], reading: Reading) -> CaptureRecord:
        make, model = reading.camera_make, reading.camera_model
        taken = choose(
            claims, asset.path, asset.mtime_ns, self.zone, self.present, reading.note, rules=self.rules,
            camera_make=make,
        )  # fmt: skip
        dated = Dated(asset, taken, make, model)
        return record(dated, dated)


def _confidence(
    asset: Asset, group: Sequence[Asset], known: Mapping[int, CaptureRecord], own_confidence: str
) -> str:
    """How sure the date is that a file has, which need not be the best that is found in it now."""
    if asset.id in known:
        return known[asset.id].confidence
    tellers = [asset] if asset.taken_from != SIBLING else group
    teller = next((one for one in tellers if one.taken_from and one.taken_from != SIBLING), asset)
    if own_confidence == "weak" and teller is not asset and is_only_called_like(came_as(asset), came_as(teller)):
        return "weak"
    return CONFIDENCE.get(teller.taken_from or "", "likely")


def _report(services: Services, step: StepContext, tally: Tally) -> Report:
    recorded, failed = tally.counts["recorded"], len(tally.failures)
    detail = {"recorded": recorded, "not_there": failed}
    if not recorded and not failed:
        return Report("idle", "Of every file it is recorded what it tells of its date.", detail=detail)
    words = f"What {counted(recorded, 'file tells of its date is', 'files tell of their dates is')} recorded"
    words += f"; {failed:,} could not be read" if failed else ""
    with services.db.transaction() as conn:
        level = "warning" if failed else "info"
        journal.record(conn, "dates.recorded", f"{words}. No date was changed.", level=level, run_id=step.run_id,
                       detail=detail)
    return Report("done", f"{words}. No date was changed.", recorded, failed, failures=tally.failures, detail=detail)
