"""Scan: what is in the ingest folder? New and changed files become `discovered`, vanished ones `gone`.

Reads names; in a large scan the ends of files of one size are read beside the walk, for dedup. A file counts when it
has stopped changing (app/files/settle.py); what is not a photo, a video or their sidecar is left in place and listed.
Work goes in chunks: memory does not grow with the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from itertools import islice

from app.db import assets, groups, journal, kept_copies, left_in_place
from app.db.clock import now
from app.db.connection import Database
from app.errors import printable
from app.files.roots import check_roots
from app.files.settle import MAX_PENDING, FirstLooks, stands_still
from app.files.walk import Found, signature_at, walk
from app.model import AssetStatus, Failure, Report, Root, RootKind, Signature
from app.pipeline.intake import WAITING, list_left_behind, write_found, write_vanished
from app.pipeline.reading_ahead import ReadingAhead
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

CHUNK = 2_000
#: A pause while files settle is cut into slices of this length, so that a wish to stop is heard.
SLICE_SECONDS = 0.2

#: What a scan counts, in its report and in its journal event.
COUNTED = ("new", "changed", "vanished", "still_changing", "left_in_place", "seen")

#: First looks per database, kept while the process lives.
_FIRST_LOOKS: dict[str, FirstLooks] = {}


def forget_first_looks(db: Database) -> None:
    """Forget what scans over this database have seen once: there will be no further one."""
    _FIRST_LOOKS.pop(db.path, None)


class Verdict(Enum):
    """What a file in the ingest folder is to us."""

    KNOWN = auto()
    REMOUNTED = auto()
    NEWS = auto()


def decide(found: Signature, known: tuple[AssetStatus, Signature] | None, kept: Signature | None) -> Verdict:
    """Compare a file with the rows at its place: an asset's, or a copy that stayed when its asset was copied on.

    Device numbers may change with every mount, so a file that differs in nothing else is the same file.
    """
    if known is not None:
        status, signature = known
        if status not in WAITING or found == signature:
            return Verdict.KNOWN
        return Verdict.REMOUNTED if replace(found, device=signature.device) == signature else Verdict.NEWS
    if kept is not None and stands_still(kept, found):
        return Verdict.KNOWN
    return Verdict.NEWS


def run(services: Services, step: StepContext) -> Report:
    """Bring the assets table up to date with every ingest folder. Raises RootUnavailable before anything changes."""
    ingest = [services.root(RootKind.INGEST), *services.roots[RootKind.INGEST][1:]]
    check_roots(services.db, ingest)
    looks = _FIRST_LOOKS.setdefault(services.db.path, FirstLooks())
    looks.begin()
    tally = Tally()
    with ReadingAhead(services, ingest) as ahead:
        for root in ingest:
            _RootScan(services, step, root, looks, tally, ahead).run()
    looks.end()
    behind = list_left_behind(services.db, ingest)
    tally.failures += behind
    report = _report(ingest, tally)
    report.message += "".join(f" {former.path}: {former.reason}" for former in behind)
    level = "warning" if behind else "info"
    with services.db.transaction() as conn:
        journal.record(conn, "scan.finished", report.message, level=level, run_id=step.run_id, detail=report.detail)
    return report


class _RootScan:
    """One scan of one ingest folder. In calling order: walk, look again at what is new, list what has vanished."""

    def __init__(
        self, services: Services, step: StepContext, root: Root, looks: FirstLooks, tally: Tally, ahead: ReadingAhead
    ) -> None:
        self.db, self.step, self.root, self.looks, self.tally = services.db, step, root, looks, tally
        self.ahead = ahead
        self.settings = services.config.scan
        with self.db.reading() as conn:
            self.last_id = assets.last_id(conn)
        # One byte per asset id, not a set of paths: a million assets are a megabyte.
        self.seen = bytearray(self.last_id + 1)
        self.began_at = now()

    def run(self) -> None:
        found = walk(self.root, self.settings.ignore_patterns, self._known_names)
        while chunk := list(islice(found, CHUNK)):
            self._take(chunk)
            if len(self.looks) > MAX_PENDING:
                self._look_again()
            self._safe_point()
        self._look_again()
        self.tally.counts["still_changing"] += sum(1 for _ in self.looks.pending(self.root.id))
        with self.db.transaction() as conn:
            left_in_place.forget_before(conn, self.root.id, self.began_at)
        self._note_vanished()

    def _known_names(self, folder: bytes) -> list[bytes]:
        with self.db.reading() as conn:
            return groups.list_names_in(conn, self.root.id, folder)

    def _take(self, chunk: list[Found]) -> None:
        left = [f for f in chunk if f.kind == "left"]
        if left:
            with self.db.transaction() as conn:
                left_in_place.note(conn, self.root.id, [(f.path, f.reason) for f in left], self.began_at)
        self.tally.counts["left_in_place"] += len(left)
        self.tally.failures += [
            Failure(printable(f.path), f.reason) for f in left if f.signature is None and "cannot be read" in f.reason
        ]
        self.tally.counts["seen"] += len(chunk) - len(left)
        news = list(self._news([f for f in chunk if f.kind != "left"]))
        settle_seconds = self.settings.settle_seconds
        self._write(f for f in news if self.looks.is_settled(self.root.id, f, settle_seconds))

    def _news(self, chunk: list[Found]) -> Iterator[Found]:
        paths = [f.path for f in chunk]
        with self.db.reading() as conn:
            known = assets.list_seen_at(conn, self.root.id, paths)
            kept = kept_copies.list_at(conn, self.root.id, [p for p in paths if p not in known])
        remounted: list[tuple[int, dict[str, int]]] = []
        for found in chunk:
            row, copy, now_there = known.get(found.path), kept.get(found.path), found.signature
            assert now_there is not None
            if row is not None:
                if row.id <= self.last_id:
                    self.seen[row.id] = 1
                if row.facts == (
                    now_there.device, now_there.inode, now_there.size_bytes, now_there.mtime_ns, now_there.ctime_ns
                ):
                    continue
            before = (AssetStatus(row.status), Signature(*row.facts)) if row is not None else None
            verdict = decide(now_there, before, copy[2] if copy else None)
            if verdict is Verdict.NEWS:
                yield found
            elif verdict is Verdict.REMOUNTED and row is not None:
                remounted.append((row.id, {"device": now_there.device}))
        if remounted:
            with self.db.transaction() as conn:
                assets.set_columns(conn, remounted)

    def _look_again(self) -> None:
        """Wait until every first look is old enough, and take what has not changed since."""
        settled: list[Found] = []
        for found, looked_at in self.looks.pending(self.root.id):
            self._wait_until(looked_at + self.settings.settle_seconds)
            again = self._signature(found)
            if again is None:
                self.looks.forget(self.root.id, found.path)
            elif self.looks.is_settled(self.root.id, replace(found, signature=again), self.settings.settle_seconds):
                settled.append(replace(found, signature=again))
            if len(settled) >= CHUNK:
                self._write(settled)
                settled = []
        self._write(settled)

    def _wait_until(self, moment: float) -> None:
        while (left := moment - self.looks.now()) > 0:
            self.step.stopping.wait(min(left, SLICE_SECONDS))
            self._safe_point()

    def _signature(self, found: Found) -> Signature | None:
        try:
            return signature_at(self.root, found.path)
        except OSError as error:
            self.tally.failures.append(Failure(printable(found.path), error.strerror or str(error)))
            return None

    def _write(self, settled: Iterable[Found]) -> None:
        settled = list(settled)
        if settled:
            self.tally.counts.update(write_found(self.db, self.root, settled, self.step.run_id))
            sizes = [f.signature.size_bytes for f in settled if f.signature is not None]
            self.tally.size_bytes += sum(sizes)
            self.ahead.look(sizes)

    def _note_vanished(self) -> None:
        self.tally.counts.update(write_vanished(self.db, self.root, self.seen, self.step))

    def _safe_point(self) -> None:
        done = self.tally.counts["seen"]
        self.step.safe_point(done, max(done, self.last_id), self.tally.size_bytes)


def _report(ingest: list[Root], tally: Tally) -> Report:
    counts = {name: tally.counts[name] for name in COUNTED}
    folders = ", ".join(printable(root.path) for root in ingest)
    done = counts["new"] + counts["changed"]
    if not any(counts.values()) and not tally.failures:
        message = f"The ingest folder {folders} is empty."
    else:
        message = (
            f"{folders}: {counts['seen']} photos, videos and sidecars; {counts['new']} new, {counts['changed']} "
            f"changed, {counts['vanished']} vanished, {counts['still_changing']} still changing, "
            f"{counts['left_in_place']} left in place."
        )
    skipped = max(counts["seen"] - done, 0)
    return Report("done", message, done, skipped, tally.size_bytes, failures=tally.failures, detail=dict(counts))
