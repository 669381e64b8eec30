"""Scan: what is in the ingest folder? New and changed files become `discovered`, vanished ones `gone`, and what lies
elsewhere now keeps its row (app/pipeline/moved_files.py).

Reads names; in a large scan the ends of files of one size are read beside the walk, for dedup
(app/pipeline/arrivals.py). A file counts when it has stopped changing (app/files/settle.py); what is not a photo, a
video or their sidecar is left in place and listed. Work goes in chunks: memory does not grow with the library.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from itertools import islice
from typing import Any

from app.db import assets, groups, journal, kept_copies, left_in_place
from app.db.clock import now
from app.db.connection import Database
from app.db.seen_files import SeenFiles, open_seen_files
from app.errors import printable
from app.files.kinds import ignored_by, plain_ending
from app.files.lone_sidecars import ALONE
from app.files.roots import check_roots
from app.files.settle import MAX_PENDING, FirstLooks, stands_still
from app.files.walk import Found, signature_at, walk
from app.model import AssetStatus, Failure, Report, Root, RootKind, Signature
from app.model.counting import counted
from app.pipeline.arrivals import Arrivals
from app.pipeline.intake import WAITING, list_left_behind, write_vanished
from app.pipeline.lone_sidecars import LoneSidecars
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

CHUNK = 2_000
#: A pause while files settle is cut into slices of this length, so that a wish to stop is heard.
SLICE_SECONDS = 0.2

#: What a scan counts, in its report and in its journal event.
COUNTED = ("new", "changed", "moved", "vanished", "still_changing", "left_in_place", "lone_sidecars", "seen")

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
        return Verdict.REMOUNTED if found._replace(device=signature.device) == signature else Verdict.NEWS
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
    with _no_collection():
        for root in ingest:
            with Arrivals(services, step, root, tally) as arrivals, open_seen_files(services.db, root.id) as seen_files:
                _RootScan(services, step, root, looks, tally, arrivals, seen_files).run()
    looks.end()
    behind = list_left_behind(services.db, ingest)
    tally.failures += behind
    report = _report(ingest, tally)
    report.message += "".join(f" {former.path}: {former.reason}" for former in behind)
    level = "warning" if behind else "info"
    with services.db.transaction() as conn:
        journal.record(conn, "scan.finished", report.message, level=level, run_id=step.run_id, detail=report.detail)
    return report


@contextmanager
def _no_collection() -> Iterator[None]:
    """What a scan holds is in no circles, and to look for some in all of it takes longer than the walk."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


class _RootScan:
    """One scan of one ingest folder. In calling order: walk, look again at what is new, list what has vanished."""

    def __init__(
        self, services: Services, step: StepContext, root: Root, looks: FirstLooks, tally: Tally, arrivals: Arrivals,
        seen_files: SeenFiles,
    ) -> None:  # fmt: skip
        self.db, self.step, self.root, self.looks, self.tally = services.db, step, root, looks, tally
        self.arrivals, self.seen_files = arrivals, seen_files
        self.settings = services.config.scan
        self.patterns = tuple(os.fsencode(pattern) for pattern in self.settings.ignore_patterns)
        with self.db.reading() as conn:
            self.last_id = assets.last_id(conn)
            self.known_count = assets.count_under(conn, [one.id for one in services.roots[RootKind.INGEST]])
        # One byte per asset id, not a set of paths: a million assets are a megabyte.
        self.seen = bytearray(self.last_id + 1)
        self.is_first = not self.last_id
        #: The rows of files that are not as these say, until it is their turn.
        self.known: dict[bytes, tuple[Any, ...]] = {}
        self.began_at = now()
        self.lone = LoneSidecars(services, root)

    def run(self) -> None:
        found = walk(self.root, self.settings.ignore_patterns, self._known_names, as_before=self._as_before)
        while chunk := list(islice(found, CHUNK)):
            self._take(chunk)
            if len(self.looks) > MAX_PENDING:
                self._look_again()
            self._safe_point()
        self._look_again()
        self.arrivals.finish()
        self.tally.counts["still_changing"] += sum(1 for _ in self.looks.pending(self.root.id))
        with self.db.transaction() as conn:
            left_in_place.forget_before(conn, self.root.id, self.began_at)
        self._note_vanished()

    def _as_before(self, prefix: bytes, block: Sequence[tuple[bytes, os.stat_result]]) -> set[bytes]:
        """The photos and videos of a folder that are as their rows say; the rows of all others are kept for later."""
        self._safe_point()
        if not self.last_id:
            return set()
        files = [one for one in block if stat.S_ISREG(one[1].st_mode)]
        rows = self.seen_files.at(prefix, [name for name, _ in files])
        unchanged = set()
        for name, status in files:
            row = rows.get(name)
            if row is None:
                continue
            facts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if row[3:] == facts and plain_ending(name) and not (self.patterns and self._is_ignored(prefix, name)):
                self._see(row[1])
                unchanged.add(name)
            else:
                self.known[row[0]] = row
        self.tally.counts["seen"] += len(unchanged)
        return unchanged

    def _is_ignored(self, prefix: bytes, name: bytes) -> bool:
        return ignored_by(name, prefix + name, self.patterns) is not None

    def _see(self, asset_id: int) -> None:
        if asset_id <= self.last_id:
            self.seen[asset_id] = 1

    def _known_names(self, folder: bytes) -> list[bytes]:
        with self.db.reading() as conn:
            return groups.list_names_in(conn, self.root.id, folder)

    def _take(self, chunk: list[Found]) -> None:
        if any(found.kind != "media" for found in chunk):
            chunk = self.lone.judge(chunk)
            self._note_left([f for f in chunk if f.kind == "left"])
            chunk = [f for f in chunk if f.kind != "left"]
        self.tally.counts["seen"] += len(chunk)
        settle_seconds = self.settings.settle_seconds
        self.arrivals.take([f for f in self._news(chunk) if self.looks.is_settled(self.root.id, f, settle_seconds)])

    def _note_left(self, left: list[Found]) -> None:
        if left:
            with self.db.transaction() as conn:
                left_in_place.note(conn, self.root.id, [(f.path, f.reason) for f in left], self.began_at)
        self.tally.counts["left_in_place"] += len(left)
        self.tally.counts["lone_sidecars"] += sum(1 for f in left if f.reason.startswith(ALONE))
        self.tally.failures += [
            Failure(printable(f.path), f.reason) for f in left if f.signature is None and "cannot be read" in f.reason
        ]

    def _news(self, chunk: list[Found]) -> Sequence[Found]:
        return chunk if self.is_first else list(self._changed(chunk))

    def _changed(self, chunk: list[Found]) -> Iterator[Found]:
        known = {f.path: self.known.pop(f.path, None) for f in chunk}
        with self.db.reading() as conn:
            kept = kept_copies.list_at(conn, self.root.id, [path for path, row in known.items() if row is None])
        remounted: list[tuple[int, dict[str, int]]] = []
        for found in chunk:
            row, copy, now_there = known[found.path], kept.get(found.path), found.signature
            assert now_there is not None
            if row is not None:
                self._see(row[1])
            before = (AssetStatus(row[2]), Signature(*row[3:])) if row is not None else None
            verdict = decide(now_there, before, copy[2] if copy else None)
            if verdict is Verdict.NEWS:
                yield found
            elif verdict is Verdict.REMOUNTED and row is not None:
                remounted.append((row[1], {"device": now_there.device}))
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
            elif self.looks.is_settled(self.root.id, found._replace(signature=again), self.settings.settle_seconds):
                settled.append(found._replace(signature=again))
            if len(settled) >= CHUNK:
                self.arrivals.take(settled)
                settled = []
        self.arrivals.take(settled)

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

    def _note_vanished(self) -> None:
        self.tally.counts.update(write_vanished(self.db, self.root, self.seen, self.step))

    def _safe_point(self) -> None:
        done = self.tally.counts["seen"]
        # How many files there are is known as long as there is nothing new.
        total = self.known_count if done <= self.known_count and not self.arrivals.has_any else 0
        self.step.safe_point(done, total, self.tally.size_bytes)


def _of_these_lone(count: int) -> str:
    words = counted(count, "sidecar that waits for its photo", "sidecars that wait for their photos")
    return f", of which {words}" if count else ""


def _report(ingest: list[Root], tally: Tally) -> Report:
    counts = {name: tally.counts[name] for name in COUNTED}
    folders = ", ".join(printable(root.path) for root in ingest)
    done = counts["new"] + counts["changed"] + counts["moved"]
    if not any(counts.values()) and not tally.failures:
        message = f"The ingest folder {folders} is empty."
    else:
        message = (
            f"{folders}: {counts['seen']} photos, videos and sidecars; {counts['new']} new, {counts['changed']} "
            f"changed, {counts['moved']} moved, {counts['vanished']} vanished, {counts['still_changing']} still "
            f"changing, {counts['left_in_place']} left in place{_of_these_lone(counts['lone_sidecars'])}."
        )
    skipped = max(counts["seen"] - done, 0)
    return Report("done", message, done, skipped, tally.size_bytes, failures=tally.failures, detail=dict(counts))
