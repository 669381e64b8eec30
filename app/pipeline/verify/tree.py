"""The second half of a verification: which files lie in the folders that no row knows, and what do they hold?

The folders are walked once, in slices; each slice is compared with the rows. Photos and videos found this way are
read as well: so a file that was only moved by hand is recognised, and a person can take the others in.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from app.db import batches, findings, foreign_files, verification
from app.errors import printable
from app.files.kinds import NO_MEDIA, file_kind
from app.files.roots import check_roots
from app.files.verifying import Asked, Checked, Outcome, check_files
from app.files.walk import Found, walk
from app.model import Failure, Finding, Place, Root, RootKind, Signature
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.step import StepContext
from app.pipeline.verify import words
from app.pipeline.verify.scope import Scope
from app.pipeline.verify.stint import Stint
from app.services import Services

SLICE = 2_000
WRITTEN_AT_ONCE = 200
UNREAD_FOLDER = "folder cannot be read"


class Tree:
    """One walk through every folder in which a file without a row is foreign."""

    def __init__(self, services: Services, step: StepContext, scope: Scope, stint: Stint) -> None:
        self.services, self.db, self.step, self.scope, self._stint = services, services.db, step, scope, stint
        self.passed_over: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self.read_bytes = 0

    def run(self) -> None:
        """List what is foreign, then read it. Raises RootUnavailable, and TimeIsUp after a file that was read."""
        for root in self.scope.walked:
            self._walk(root)
        self._read()

    def _safe_point(self) -> None:
        done, total, size_bytes = self.step.progress or (0, 0, 0)
        self.step.safe_point(done, total, size_bytes)

    def _walk(self, root: Root) -> None:
        own = self._own_files(root)
        seen = walk(root, self.services.config.scan.ignore_patterns)
        while slice_ := list(islice(seen, SLICE)):
            self._note(root, own, slice_)
            self._safe_point()
        # Of a share that went away during the walk, what was not seen is not known to be gone.
        check_roots(self.db, [root])
        with self.db.transaction() as conn:
            findings.drop_unseen(conn, self.scope.run_id, root.id, foreign=True)

    def _own_files(self, root: Root) -> set[bytes]:
        """The manifests and checksums that lie at the top of the folders of batches."""
        if root.kind not in (RootKind.STAGING, RootKind.BATCH):
            return set()
        with self.db.reading() as conn:
            return {os.fsencode(name) + b"/" + own for name in batches.list_names(conn) for own in OWN_NAMES}

    def _note(self, root: Root, own: set[bytes], seen: Sequence[Found]) -> None:
        with self.db.reading() as conn:
            known = verification.list_known_paths(conn, root.id, [found.path for found in seen]) | own
        foreign = []
        for found in seen:
            if found.path in known:
                continue
            if found.signature is not None and (found.kind != "left" or found.reason.startswith(NO_MEDIA)):
                foreign.append((found.path, found.signature, words.foreign(found.reason)))
            else:
                self._pass_over(found)
        if foreign:
            with self.db.transaction() as conn:
                foreign_files.put(conn, self.scope.run_id, root.id, foreign)

    def _pass_over(self, found: Found) -> None:
        if found.reason.startswith(UNREAD_FOLDER):
            self.failures.append(Failure(printable(found.path), found.reason))
        else:
            self.passed_over[found.reason] += 1

    def _read(self) -> None:
        """Read what is foreign and not known from the last time; what was read stays when the run is stopped."""
        reading: dict[int, Finding] = {}
        read: list[Checked] = []
        try:
            for checked in check_files(
                self._asked(reading), self.services.config.dedup.threads, self.scope.bytes_per_second
            ):
                if checked is not None:
                    read.append(checked)
                if len(read) >= WRITTEN_AT_ONCE:
                    self._write(read, reading)
                self._safe_point()
                if checked is not None:
                    self._stint.file_was_read()
        finally:
            self._write(read, reading)

    def _asked(self, reading: dict[int, Finding]) -> Iterator[Asked]:
        roots = {root.id: root for root in self.scope.walked}
        last = 0
        while True:
            with self.db.reading() as conn:
                page = foreign_files.list_unread(conn, self.scope.run_id, last, SLICE)
                sizes = foreign_files.sizes_of_missing(conn, [f.size_bytes or 0 for f in page])
            if not page:
                return
            last = page[-1].id
            for finding in page:
                name = finding.path.rpartition(b"/")[2]
                if file_kind(name)[0] != "left" or finding.size_bytes in sizes:
                    reading[finding.id] = finding
                    place = Place(roots[finding.root_id], finding.path)
                    yield Asked(finding.id, place, "", self.services.config.dedup.hash_algorithm)

    def _write(self, read: list[Checked], reading: dict[int, Finding]) -> None:
        results = [(reading.pop(checked.key), checked) for checked in read]
        read.clear()
        if not results:
            return
        gone = [finding.id for finding, checked in results if checked.outcome in (Outcome.MISSING, Outcome.NO_FILE)]
        contents = [checked.sha256 for _, checked in results if checked.outcome is Outcome.READ]
        with self.db.transaction() as conn:
            twins = verification.list_by_content(conn, contents) if contents else {}
            findings.drop(conn, gone)
            foreign_files.write_content(conn, [self._content(f, c, twins) for f, c in results if c.signature])

    def _content(
        self, finding: Finding, checked: Checked, twins: dict[str, tuple[int, int, bytes]]
    ) -> tuple[int, Signature, str, str, str, str]:
        assert checked.signature is not None
        twin, reason = twins.get(checked.sha256), finding.reason
        if twin is not None and checked.signature.size_bytes:
            reason = words.foreign_copy(twin[0], twin[2])
        algorithm = self.services.config.dedup.hash_algorithm
        return finding.id, checked.signature, checked.digest, algorithm, checked.sha256, reason
