"""What a scan finds new, on its way into rows.

In a large scan the ends of files of one size are read by processes beside the walk. Rows wait for that in memory, and
are written once, with their digests; in the first scan of a library also with their verdicts, when dedup comes next
(app/pipeline/alike.py). What is not read in time, or could not be read, is left to dedup, which tells of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from app.db import assets, runs, unread
from app.files.belonging import group_key
from app.files.head_reader import HEAD_DIGEST_BYTES
from app.files.head_readers import HeadReaders, ToRead
from app.files.walk import Found
from app.model import Root, Run, RunKind, Stage
from app.pipeline.alike import Alike, Judged, Newcomer
from app.pipeline.intake import Arrival, write_found
from app.pipeline.moved_files import MovedFiles
from app.pipeline.step import StepContext, Stopped
from app.pipeline.tally import Tally
from app.services import Services

#: Rows in one transaction.
CHUNK = 5_000
#: Fewer files than this at once are not worth two processes.
FEW = 500
#: So many files wait for their rows at most; bounds memory.
MANY = 120_000
#: Rows wait no longer than this for a process from which nothing comes.
PATIENCE_SECONDS = 2.0
LISTEN_SECONDS = 0.05


class Arrivals:
    """New and changed files of one ingest folder; used as a context manager by the scan. `take` waits for nothing."""

    def __init__(self, services: Services, step: StepContext, root: Root, tally: Tally) -> None:
        self.db, self.step, self.root, self.tally, self.dedup = services.db, step, root, tally, services.config.dedup
        with self.db.reading() as conn:
            self._is_first = assets.last_id(conn) == 0
            comes_next = _takes_dedup(runs.get(conn, step.run_id))
        self._judges = self._is_first and comes_next and not self.dedup.reference_dirs
        # What is done to duplicates takes more than a label: dedup has them read for it.
        self._judges_copies = self.dedup.hash_algorithm == "blake3" and self.dedup.duplicate_policy == "label"
        self._moved = None if self._is_first else MovedFiles(services, step, root, tally)
        self._alike = Alike()
        self._asked: set[int] = set()
        self._to_ask: list[int] = []
        self._ready: deque[Judged] = deque()
        self._readers: HeadReaders | None = None
        self._ids: dict[int, int] = {}
        self._written = 0
        self._taken = 0
        self._is_over = False

    def __enter__(self) -> Arrivals:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None and issubclass(kind, Stopped):
                self._write_all()
        finally:
            if self._readers is not None:
                self._readers.__exit__()

    def take(self, settled: Sequence[Found]) -> None:
        """These have stopped changing; they get their rows now or later, or have one from another place."""
        self._add(self._moved.take(settled) if self._moved is not None and settled else settled)

    def _add(self, settled: Sequence[Found]) -> None:
        known_sizes = self._list_known_sizes(settled)
        for found in settled:
            newcomer = Newcomer(found, group_key(found.group_name or found.path.rpartition(b"/")[2]))
            size = newcomer.size_bytes
            self.tally.size_bytes += size
            self._to_ask += self._alike.add(newcomer, is_known_size=size in known_sizes)
        self._taken += len(settled)
        self._ask()
        self._collect()
        if len(self._alike.newcomers) > MANY:
            self._judges = False
            self._write([Judged(key) for key in islice(self._alike.newcomers, MANY // 4)])

    def finish(self) -> None:
        """The walk is over: write all that is left. Raises Stopped."""
        if self._moved is not None:
            self._add(self._moved.finish())
        if self._readers is None:
            self._write_all()
            return
        self._is_over = True
        if self._judges:
            for size in self._alike.list_read_sizes():
                self._ready.extend(self._alike.judge(size))
        else:
            self._ready.extend(Judged(key) for key in self._alike.newcomers if key not in self._asked)
        while self._asked or self._ready:
            self._go_on()

    def _go_on(self) -> None:
        self.step.safe_point(self.tally.counts["seen"], self.tally.counts["seen"], self.tally.size_bytes)
        self._collect()
        if len(self._ready) >= CHUNK or not self._asked:
            self._write([self._ready.popleft() for _ in range(min(CHUNK, len(self._ready)))])
        elif not self._collect(LISTEN_SECONDS) and not self._collect(PATIENCE_SECONDS):
            self._asked.clear()
            self._ready = deque(map(Judged, self._alike.newcomers))

    def _list_known_sizes(self, settled: Sequence[Found]) -> set[int]:
        if self._is_first or not settled:
            return set()
        sizes = {found.signature.size_bytes for found in settled if found.signature is not None}
        with self.db.reading() as conn:
            return unread.list_known_sizes(conn, list(sizes))

    def _ask(self) -> None:
        # The head of a turning disk is left to the walk.
        if self._readers is None and self._taken >= FEW and self.dedup.read_order != "inode":
            self._readers = HeadReaders(self.root.path, self.dedup.threads)
        if self._readers is None:
            return
        found = ((key, self._alike.newcomers[key].found) for key in self._to_ask if key in self._alike.newcomers)
        asked = [ToRead(key, one.path, one.signature) for key, one in found if one.signature is not None]
        self._asked.update(one.key for one in asked)
        self._to_ask.clear()
        self._readers.offer(sorted(asked, key=_path))

    def _collect(self, wait_seconds: float = 0.0) -> bool:
        """Take what has been read; whether anything has."""
        read = self._readers.collect(wait_seconds) if self._readers is not None else []
        for key, answer in read:
            self._asked.discard(key)
            size = self._alike.answer(key, answer)
            if self._is_over and self._judges:
                self._ready.extend(self._alike.judge(size) if size is not None else ())
            elif self._is_over and key in self._alike.newcomers:
                self._ready.append(Judged(key))
        return bool(read)

    def _write_all(self) -> None:
        left = [Judged(key) for key in self._alike.newcomers]
        for start in range(0, len(left), CHUNK):
            self._write(left[start : start + CHUNK])

    def _write(self, judged: Iterable[Judged]) -> None:
        """An original is written with its duplicates, or before them."""
        arrived = [self._arrival(one) for one in sorted(judged, key=_originals_first)]
        last_id = self._written if self._is_first else None
        counts = write_found(self.db, self.root, arrived, self.step.run_id, self._ids, last_id)
        self._written += len(arrived)
        self.tally.counts.update(counts)

    def _arrival(self, judged: Judged) -> Arrival:
        newcomer, answer = self._alike.newcomers.pop(judged.key), self._alike.answers.pop(judged.key, None)
        if answer is not None and self.dedup.hash_algorithm != "blake3":
            answer = answer[:HEAD_DIGEST_BYTES]
        is_copied = judged.has_copies or judged.original is not None
        if is_copied and not self._judges_copies:
            judged = Judged(judged.key)
        return Arrival(newcomer.found, newcomer.stem, answer, judged)


def _takes_dedup(run: Run) -> bool:
    return run.kind in (RunKind.WORKFLOW, RunKind.PREVIEW) or Stage.DEDUP in run.stages


def _path(one: ToRead) -> bytes:
    return one.path


def _originals_first(one: Judged) -> tuple[bool, int]:
    return one.original is not None, one.key
