"""Files that a person has moved or renamed in the ingest folders: each keeps its row, and with it all that is known.

A file is taken for one that lay elsewhere when that place is empty now, and

* it has the inode, the size and the time of modification of what lay there; where that alone may be chance (another
  name too, and a time in whole seconds, as inodes are given anew) and the row knows what it held, it is read as well;
* or it has the size, and the time or the name, of what lay there, and holds the same when it is read (moved to another
  disk, or restored).

A file that lies beside the old one is a copy, not a move. A row whose file vanished in an earlier scan is found too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from app.db import assets, kept_copies, moved_files
from app.db.moved_files import Former
from app.files.digest import Wanted, digest_files
from app.files.roots import check_roots
from app.files.walk import Found, Looks
from app.model import AssetStatus, Place, Root, RootKind
from app.pipeline.moved_pairs import Clues, Pair, stem_of
from app.pipeline.moved_rows import write_moved
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Rows in one transaction, or somewhat more: a group is not cut.
CHUNK = 5_000
#: More files than this of one size are not looked through for one of them that was moved.
CROWD = 50_000


class MovedFiles:
    """The files of one ingest folder that came from elsewhere in these folders. In calling order: `take` again and
    again, then `finish`."""

    def __init__(self, services: Services, step: StepContext, root: Root, tally: Tally) -> None:
        self.db, self.step, self.root, self.tally = services.db, step, root, tally
        self.settings = services.config.dedup
        self.roots = {one.id: one for one in services.roots[RootKind.INGEST]}
        self._moved: list[Pair] = []
        self._probable: list[Pair] = []
        self._taken: set[int] = set()
        self._crowded: set[int] = set()

    def take(self, settled: Sequence[Found]) -> list[Found]:
        """Keep those that have moved, or may have; returns the others."""
        pairs = self._still_free(self._list_pairs(settled))
        if not pairs:
            return list(settled)
        chosen: dict[bytes, Pair] = {}
        for pair in sorted(pairs):
            if pair.found.path not in chosen and pair.former.id not in self._taken:
                chosen[pair.found.path] = pair
                self._taken.add(pair.former.id)
        for pair in chosen.values():
            (self._moved if pair.is_certain else self._probable).append(pair)
        return [found for found in settled if found.path not in chosen]

    def finish(self) -> list[Found]:
        """Write what has moved; returns those that turned out to be others. Raises Stopped."""
        others = self._read()
        grouped = (list(part) for _, part in groupby(sorted(self._moved, key=_together), key=_together))
        while part := _some(grouped):
            with self.db.transaction() as conn:
                self.tally.counts["moved"] += write_moved(conn, self.roots, self.root, part, self.step.run_id)
            self._safe_point()
        self._moved.clear()
        return others

    def _safe_point(self) -> None:
        self.step.safe_point(self.tally.counts["seen"], 0, self.tally.size_bytes)

    def _list_pairs(self, settled: Sequence[Found]) -> list[Pair]:
        by_size: dict[int, list[Found]] = {}
        for found in settled:
            if found.signature is not None and found.signature.size_bytes not in self._crowded:
                by_size.setdefault(found.signature.size_bytes, []).append(found)
        wanted = {size: Clues(alike) for size, alike in by_size.items()}
        looked, pairs = Counter[int](), []
        with self.db.reading() as conn:
            for former in moved_files.list_former(conn, list(self.roots), list(wanted)):
                looked[former.size_bytes] += 1
                if former.id not in self._taken:
                    pairs += list(wanted[former.size_bytes].pairs_with(former))
        self._crowded.update(size for size, count in looked.items() if count > CROWD)
        return pairs

    def _still_free(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those whose new place is nobody's, and whose old place is empty."""
        paths = list({pair.found.path for pair in pairs})
        with self.db.reading() as conn:
            taken = {*assets.list_at(conn, self.root.id, paths), *kept_copies.list_at(conn, self.root.id, paths)}
        free = [pair for pair in pairs if pair.found.path not in taken]
        empty = self._list_empty({pair.former for pair in free})
        return [pair for pair in free if pair.former.id in empty]

    def _list_empty(self, formers: set[Former]) -> set[int]:
        """Ids of the rows at whose places certainly nothing lies; what has vanished before was looked for then."""
        empty = {one.id for one in formers if one.status is AssetStatus.GONE}
        waiting = sorted((one for one in formers if one.id not in empty), key=lambda one: (one.root_id, one.path))
        for root_id, of_root in groupby(waiting, key=lambda one: one.root_id):
            with Looks(self.roots[root_id]) as looks:
                empty.update(one.id for one in of_root if _is_empty(looks, one.path))
        # An unmounted share also lacks every file.
        check_roots(self.db, [self.roots[root_id] for root_id in {one.root_id for one in waiting}])
        return empty

    def _read(self) -> list[Found]:
        """Read what may have moved; what holds the same has. Returns what does not, or cannot be read."""
        by_key = {pair.former.id: pair for pair in self._probable}
        wanted = [
            Wanted(key, Place(self.root, pair.found.path), pair.found.signature)
            for key, pair in by_key.items()
            if pair.found.signature is not None
        ]
        for answer in digest_files(wanted, self.settings.hash_algorithm, self.settings.threads):
            self._safe_point()
            if answer is None or answer.digests is None:
                continue
            if answer.digests.sha256 == by_key[answer.key].former.sha256:
                self._moved.append(by_key.pop(answer.key))
        self._probable.clear()
        return [pair.found for pair in by_key.values()]


def _is_empty(looks: Looks, path: bytes) -> bool:
    try:
        return looks.signature_at(path) is None
    except OSError:
        return False


def _some(grouped: Iterator[list[Pair]]) -> list[Pair]:
    """The next groups, until they are enough for a transaction."""
    part: list[Pair] = []
    while len(part) < CHUNK and (alike := next(grouped, None)) is not None:
        part += alike
    return part


def _together(pair: Pair) -> tuple[bytes, bytes]:
    """The same for files of one group that have moved together."""
    return pair.former.path.rpartition(b"/")[0], stem_of(pair.found)
