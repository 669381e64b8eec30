"""The first half of a verification: is every file that a row knows there, and does it hold what it should?

What was found is written about every second, so that a run that is cut off reads little twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from app.db import findings, journal, kept_copies, roots, verification
from app.db.connection import Connection
from app.db.findings import NewFinding
from app.db.verification import Expected
from app.errors import printable
from app.files.nested_disks import mount_point_without_disk
from app.files.roots import check_roots
from app.files.verifying import Asked, Checked, Outcome, check_files
from app.files.walk import Looks, signature_at
from app.model import Failure, FindingKind, Place, Root, Signature
from app.pipeline.step import StepContext
from app.pipeline.verify import words
from app.pipeline.verify.due import due_files, other_files
from app.pipeline.verify.scope import Scope
from app.pipeline.verify.stint import Stint
from app.services import Services

#: Results in one transaction, and how long they may wait for it.
SLICE = 500
WRITE_EVERY_SECONDS = 1.0
#: So many files about which nothing could be said are listed; the others are counted.
LISTED = 100

#: Findings about files that no row knows.
NO_ROW = (FindingKind.FOREIGN, FindingKind.IGNORED)
ABSENT = (Outcome.MISSING, Outcome.NO_FILE)


class Content:
    """One pass over every file that a row knows. What was written stays when the pass is stopped or its time is up."""

    def __init__(self, services: Services, step: StepContext, scope: Scope, stint: Stint) -> None:
        self.services, self.db, self.step, self.scope, self._stint = services, services.db, step, scope, stint
        self.counts: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self._reading: dict[int, tuple[Root, Expected]] = {}
        self._results: list[tuple[Root, Expected, Checked]] = []
        self._written_at = time.monotonic()
        self._next_key = 0

    def run(self) -> None:
        """Look at them all. Raises TimeIsUp, and RootUnavailable before a folder that is away makes files missing."""
        self._count_done()
        try:
            for checked in check_files(
                self._asked(), self.services.config.dedup.threads, self.scope.bytes_per_second
            ):
                if checked is not None:
                    self._results.append((*self._reading.pop(checked.key), checked))
                    self.counts["read"] += 1
                    self.counts["size_bytes"] += checked.signature.size_bytes if checked.signature else 0
                if self._should_write():
                    self._write()
                self._safe_point()
                if checked is not None:
                    self._stint.file_was_read()
        finally:
            self._write()

    def _count_done(self) -> None:
        """Begin with what an earlier stint of this run has read, and with what there is to read in all."""
        scope = self.scope
        with self.db.reading() as conn:
            intact, size_bytes = verification.count_verified_since(conn, scope.root_ids, scope.began_at)
            found = findings.count_of_run(conn, scope.run_id)
            due = verification.count_due(conn, scope.root_ids, scope.run_id, scope.before)
        read = intact + sum(number for kind, number in found.items() if kind not in NO_ROW)
        self.counts.update(read=read, size_bytes=size_bytes, total=read + due)

    def _safe_point(self) -> None:
        read, total = self.counts["read"], self.counts["total"]
        self.step.safe_point(read, max(read, total), self.counts["size_bytes"])

    def _asked(self) -> Iterator[Asked]:
        for root, expected in due_files(self.services, self.scope):
            yield from self._ask(root, expected)
        for root in self.scope.roots:
            with Looks(root) as looks:
                yield from self._ask_where_it_differs(root, looks)

    def _ask(self, root: Root, expected: Expected) -> Iterator[Asked]:
        if not expected.digest:
            self.counts["read"] += 1
            return  # dedup has not read it yet: there is nothing to compare it with
        self._next_key += 1
        self._reading[self._next_key] = (root, expected)
        yield Asked(self._next_key, Place(root, expected.path), expected.digest, expected.algorithm)

    def _ask_where_it_differs(self, root: Root, looks: Looks) -> Iterator[Asked]:
        """Of files verified lately only size and time are looked at, unless these differ or something was wrong."""
        for expected in other_files(self.services, self.scope, root):
            if expected.has_finding or not self._looks_the_same(looks, expected):
                self.counts["total"] += 1
                yield from self._ask(root, expected)
            elif (expected.verified_at or "") < self.scope.began_at:
                self.counts["looked_at"] += 1
            self._safe_point()

    @staticmethod
    def _looks_the_same(looks: Looks, expected: Expected) -> bool:
        try:
            seen = looks.signature_at(expected.path)
        except OSError:
            return False
        known = expected.signature
        return seen is not None and (seen.size_bytes, seen.mtime_ns) == (known.size_bytes, known.mtime_ns)

    def _should_write(self) -> bool:
        is_late = time.monotonic() - self._written_at >= WRITE_EVERY_SECONDS
        return len(self._results) >= SLICE or (is_late and bool(self._results))

    def _write(self) -> None:
        results, self._results = self._results, []
        self._written_at = time.monotonic()
        intact = [(e, c.signature) for _, e, c in results if c.outcome is Outcome.INTACT and c.signature is not None]
        if intact:
            self._write_intact(intact)
        others = [result for result in results if result[2].outcome is not Outcome.INTACT]
        if others:
            self._write_others(others)

    def _write_intact(self, intact: list[tuple[Expected, Signature]]) -> None:
        places = [expected.place for expected, _ in intact]
        with self.db.transaction() as conn:
            verification.mark_intact(conn, intact, self.scope.began_at)
            settled = findings.places_at(conn, places)
            findings.drop_at(conn, sorted(settled))
            for expected, _ in intact:
                if expected.place in settled:
                    message = f"{printable(expected.path)} is there and holds what it should again."
                    journal.record(conn, "asset.found_intact", message, run_id=self.scope.run_id,
                                   asset_id=expected.asset_id, detail={"path": printable(expected.path)})  # fmt: skip

    def _write_others(self, others: list[tuple[Root, Expected, Checked]]) -> None:
        # An unmounted share also lacks every file, and a failing one reads none: then nothing is said of any of them.
        check_roots(self.db, list({root.id: root for root, _, _ in others}.values()))
        found, unsettled = [], []
        with self.db.transaction() as conn:
            known = {root.id: root for root in roots.list_all(conn)}
            for root, expected, checked in others:
                finding = _finding(conn, known, root, expected, checked)
                if finding is None:
                    unsettled.append(expected)
                else:
                    found.append(finding)
            findings.put(conn, self.scope.run_id, found)
            findings.confirm(conn, self.scope.run_id, [expected.place for expected in unsettled])
        self.counts["unsettled"] += len(unsettled)
        room = LISTED - len(self.failures)
        self.failures += [Failure(printable(e.path), words.CHANGING, e.asset_id) for e in unsettled[:room]]


def _finding(
    conn: Connection, known: dict[int, Root], root: Root, expected: Expected, checked: Checked
) -> NewFinding | None:
    """What is to be told of a file; None when nothing can be said of it now, because it is being changed."""
    is_copy, size_bytes = expected.copy_id is not None, expected.signature.size_bytes
    if checked.outcome in ABSENT:
        if _is_back(Place(root, expected.path)):
            return None
        copies = [Place(known[i], path).absolute for i, path, _ in kept_copies.list_of(conn, expected.asset_id)]
        reason = words.missing(copies, is_copy=is_copy, is_blocked=checked.outcome is Outcome.NO_FILE)
        mount_point = _mount_point_without_disk(root, expected)
        if mount_point is not None:
            reason = words.disk_away(mount_point, is_copy=is_copy)
        return NewFinding(FindingKind.MISSING, expected.asset_id, *expected.place, size_bytes, reason)
    if checked.outcome is Outcome.UNREADABLE:
        reason = words.unreadable(checked.reason, is_copy=is_copy)
        return NewFinding(FindingKind.UNREADABLE, expected.asset_id, *expected.place, size_bytes, reason)
    if checked.outcome is not Outcome.ALTERED or checked.signature is None:
        return None
    return NewFinding(
        kind=FindingKind.ALTERED,
        asset_id=expected.asset_id,
        root_id=expected.root_id,
        path=expected.path,
        size_bytes=checked.signature.size_bytes,
        reason=words.altered(expected.signature, checked.signature, is_copy=is_copy),
        signature=checked.signature,
        digest=checked.digest,
        digest_algorithm=expected.algorithm,
        sha256=checked.sha256,
    )


def _mount_point_without_disk(root: Root, expected: Expected) -> bytes | None:
    try:
        return mount_point_without_disk(Place(root, expected.path), expected.signature.device)
    except OSError:
        return None


def _is_back(place: Place) -> bool:
    try:
        return signature_at(place.root, place.path) is not None
    except OSError:
        return False
