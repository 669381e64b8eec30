"""What a scan finds new, on its way into rows.

In a large scan the ends of files of one size are read by processes beside the walk. Rows wait for that in memory, and
are written once, with their digests; in the first scan of a library also with their verdicts, when dedup comes next
(app/pipeline/alike.py). What is not read in time, or could not be read, is left to dedup, which tells of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from app.db import assets, runs, unread
from app.files.head_readers import HeadReaders, ToRead
from app.files.size_census import SizeCensus
from app.files.walk import Found
from app.model import Root, Run, RunKind, Stage
from app.model.original_order import is_usual_for_new
from app.pipeline.alike import Alike
from app.pipeline.moved_files import MovedFiles
from app.pipeline.new_rows import CHUNK, Rows
from app.pipeline.step import StepContext, Stopped
from app.pipeline.tally import Tally
from app.services import Services

#: Fewer files than this at once are not worth two processes.
FEW = 500
#: So many files wait for their rows at most; bounds memory.
MANY = 120_000
#: Rows wait no longer than this for a process from which nothing comes.
PATIENCE_SECONDS = 2.0
LISTEN_SECONDS = 0.05
#: So long after the walk all rows wait for all files: written in the order of the walk they cost less.
WAIT_SECONDS = 10.0


class Arrivals:
    """New and changed files of one ingest folder; used as a context manager by the scan. `take` waits for nothing."""

    def __init__(self, services: Services, step: StepContext, root: Root, tally: Tally) -> None:
        self.db, self.step, self.root, self.tally, self.dedup = services.db, step, root, tally, services.config.dedup
        with self.db.reading() as conn:
            self._is_first = assets.last_id(conn) == 0
            comes_next = _takes_dedup(runs.get(conn, step.run_id))
        self._judges = self._is_first and comes_next and not self.dedup.reference_dirs
        self._moved = None if self._is_first else MovedFiles(services, step, root, tally)
        # What is read small is BLAKE3; and what is done to duplicates takes more than a label: dedup reads them for it.
        judges_copies = (
            self.dedup.hash_algorithm == "blake3"
            and self.dedup.duplicate_policy == "label"
            and is_usual_for_new(self.dedup.original_order)
        )
        self._alike = Alike(judges_copies=judges_copies)
        self._rows = Rows(self.db, root, step.run_id, self._alike, is_first=self._is_first)
        self._asked: set[int] = set()
        #: Those of them that are to be read whole.
        self._whole: set[int] = set()
        self._to_ask: list[int] = []
        self._ready: list[int] = []
        self._readers: HeadReaders | None = None
        #: Of a first scan that is too large to be judged in memory.
        self._census: SizeCensus | None = None
        self._is_over, self._late_at, self._heard_at = False, 0.0, 0.0

    def __enter__(self) -> Arrivals:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None and issubclass(kind, Stopped):
                self._write_all()
        finally:
            if self._readers is not None:
                self._readers.__exit__()

    @property
    def has_any(self) -> bool:
        """Whether anything new was found."""
        return bool(self._alike.paths)

    def take(self, settled: Sequence[Found]) -> None:
        """These have stopped changing; they get their rows now or later, or have one from another place."""
        self._add(self._moved.take(settled) if self._moved is not None and settled else settled)

    def _add(self, settled: Sequence[Found]) -> None:
        self._to_ask += self._alike.add(settled, self._list_known_sizes(settled))
        self.tally.size_bytes += sum(found.signature.size_bytes for found in settled if found.signature is not None)
        self._ask()
        self._collect()
        if len(self._alike.paths) - self._rows.written > MANY:
            self._write_oldest()

    def finish(self) -> None:
        """The walk is over: write all that is left. Raises Stopped."""
        if self._moved is not None:
            self._add(self._moved.finish())
        if self._readers is None:
            self._write_all()
            return
        self._is_over, self._heard_at = True, time.monotonic()
        self._late_at = self._heard_at + WAIT_SECONDS
        if self._judges:
            for size in self._alike.list_read_sizes():
                self._ready.extend(self._alike.judge(size))
            self._ask_whole()
        else:
            self._ready.extend(key for key in self._left() if key not in self._asked)
        without_group = self._parts(self._left())
        while self._asked or self._ready:
            self._safe_point()
            self._collect()
            if part := next(without_group, None):
                self._rows.make_groups(part)
            else:
                self._go_on()

    def _go_on(self) -> None:
        is_late = time.monotonic() > self._late_at
        if is_late:
            self._give_up_whole()
        if not self._asked or (is_late and len(self._ready) >= CHUNK):
            self._write_ready()
        elif not self._collect(LISTEN_SECONDS) and not self._whole and self._has_no_patience():
            self._asked.clear()
            self._ready = self._left()

    def _has_no_patience(self) -> bool:
        return time.monotonic() > self._heard_at + PATIENCE_SECONDS

    def _give_up_whole(self) -> None:
        """What takes so long is read by dedup, which writes down what it has."""
        for key in self._whole:
            self._ready.extend(self._alike.answer_whole(key, None))
        self._asked -= self._whole
        self._whole.clear()

    def _write_ready(self) -> None:
        keys = self._alike.originals_first(self._ready)
        self._ready.clear()
        for part in self._parts(keys):
            self._write(part)
            self._safe_point()

    def _parts(self, keys: Sequence[int]) -> Iterator[Sequence[int]]:
        return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))

    def _safe_point(self) -> None:
        self.step.safe_point(self.tally.counts["seen"], 0, self.tally.size_bytes)

    def _left(self) -> list[int]:
        return [key for key, path in enumerate(self._alike.paths) if path is not None]

    def _list_known_sizes(self, settled: Sequence[Found]) -> set[int]:
        if self._is_first or not settled:
            return set()
        sizes = {found.signature.size_bytes for found in settled if found.signature is not None}
        with self.db.reading() as conn:
            return unread.list_known_sizes(conn, list(sizes))

    def _ask(self) -> None:
        # The head of a turning disk is left to the walk.
        if self._readers is None and len(self._alike.paths) >= FEW and self.dedup.read_order != "inode":
            self._readers = HeadReaders(self.root.path, self.dedup.threads)
        if self._readers is None:
            return
        asked = self._to_read(self._to_ask)
        self._to_ask.clear()
        self._readers.offer(asked)

    def _to_read(self, keys: Iterable[int]) -> list[ToRead]:
        """As they came, so folder by folder; they are asked for."""
        wanted = self._alike.to_read(sorted(keys))
        self._asked.update([key for _, key, _ in wanted])
        return wanted

    def _ask_whole(self) -> None:
        keys = self._alike.take_to_read_whole()
        if keys and self._readers is not None:
            self._whole.update(keys)
            self._readers.offer_whole(self._to_read(keys))

    def _collect(self, wait_seconds: float = 0.0) -> bool:
        """Take what has been read; whether anything has."""
        read = self._readers.collect(wait_seconds) if self._readers is not None else []
        for key, answer in read:
            if key in self._asked:
                self._asked.discard(key)
                self._take_answer(key, answer)
        if read:
            self._heard_at = time.monotonic()
            self._ask_whole()
        return bool(read)

    def _take_answer(self, key: int, answer: bytes | None) -> None:
        if key in self._whole:
            self._whole.discard(key)
            self._ready.extend(self._alike.answer_whole(key, answer))
            return
        size = self._alike.answer(key, answer)
        if not self._is_over:
            return
        if self._judges:
            self._ready.extend(self._alike.judge(size) if size is not None else ())
        elif self._alike.paths[key] is not None:
            self._ready.append(key)

    def _write_oldest(self) -> None:
        """There are too many for the memory: a quarter gets its rows. What is as large as another file is compared by
        dedup."""
        if self._judges:
            self._census = SizeCensus(self.root, self._safe_point)
        self._judges = self._is_first = False
        self._alike.forget_sizes()
        for part in self._parts(self._left()[: MANY // 4]):
            self._write(part)

    def _write_all(self) -> None:
        self._asked.clear()
        for part in self._parts(self._alike.originals_first(self._left())):
            self._write(part)

    def _write(self, keys: Sequence[int]) -> None:
        if self._census is not None:
            self._alike.judge_lone(keys, self._census)
        self.tally.counts.update(self._rows.write(keys))


def _takes_dedup(run: Run) -> bool:
    return run.kind in (RunKind.WORKFLOW, RunKind.PREVIEW) or Stage.DEDUP in run.stages
