"""Reading for dedup: as much of each file as is needed to tell it from all others, and no more.

Files that are as large as another one are read at both ends; those that then still look like another one are read
whole. A file that a preview has read, and that is still the very same file, is not read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from app.db import assets, known_digests, undecided, unread
from app.db.connection import Connection
from app.db.unread import Unread
from app.errors import MediaPipelineError
from app.files.digest import Digested, Wanted, digest_files, digest_heads
from app.files.turning_disks import turns
from app.model import Asset, AssetStatus, Place, Root
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Rows in one transaction; what was read is written down at the latest after so many seconds.
CHUNK = 4_000
WRITE_SECONDS = 2.0

#: A page of files to read in id order after an id, and the unique files that have to be read because of a page.
ListNext = Callable[[Connection, int, int], list[Unread]]
ListAlike = Callable[[Connection, Sequence[Unread]], list[Unread]]


class Digesting:
    """Reads files and writes down what was found. What was written stays when the reading is stopped."""

    def __init__(self, services: Services, step: StepContext, tally: Tally) -> None:
        self.db, self.step, self.tally = services.db, step, tally
        self.settings = services.config.dedup
        self.roots: dict[int, Root] = {root.id: root for roots in services.roots.values() for root in roots}
        self.by_inode = _by_inode(self.settings.read_order, self.roots)
        self.reading: dict[int, Unread] = {}
        self.read: list[Digested] = []
        self.total = 0
        self.end_bytes: int | None = None
        self.written_at = time.monotonic()

    def run(self) -> None:
        """Read what dedup has to compare. A file that cannot be read is noted and never stops the rest."""
        with self.db.reading() as conn:
            are_known = known_digests.has_any(conn)
        if are_known:
            self._take_known()
        self._measure(whole=False)
        ends = self._wanted(unread.list_without_head, unread.list_unique_of_size)
        self._read(digest_heads(ends, self.settings.threads), "ends_read")
        ends = self._wanted(unread.list_unread_beside)
        self._read(digest_heads(ends, self.settings.threads), "ends_read")
        self._measure(whole=True)
        for list_next in (unread.list_without_digest, unread.list_labelled_beside):
            whole = self._wanted(list_next, unread.list_unique_with_ends)
            self._read(digest_files(whole, self.settings.hash_algorithm, self.settings.threads), "read")

    def _measure(self, *, whole: bool) -> None:
        """Find out how much there is to read, so that it can be told how long that may take."""
        with self.db.reading() as conn:
            self.total, size_bytes = unread.measure(conn, whole=whole)
        self.end_bytes = self.tally.size_bytes + size_bytes if whole else None

    def read_whole(self, wanted: Sequence[Asset]) -> None:
        """Read these, whatever they are; those that cannot be read are `discovered` again, for the next dedup."""
        self.total, self.end_bytes = max(self.total, len(wanted)), None
        rest = self._without_known(wanted)
        asked = self._asked([_unread(asset) for asset in rest])
        self._read(digest_files(asked, self.settings.hash_algorithm, self.settings.threads), "read")

    def _take_known(self) -> None:
        last = 0
        while True:
            with self.db.reading() as conn:
                page = undecided.list_without_digest(conn, last, CHUNK)
            if not page:
                return
            last = page[-1].id
            self._without_known([asset for asset in page if asset.root_id in self.roots])

    def _without_known(self, page: Sequence[Asset]) -> list[Asset]:
        """Take the digests that are known already; the others are left to be read."""
        with self.db.reading() as conn:
            known = known_digests.find(conn, page, self.settings.hash_algorithm)
        found = [(asset, known[asset.id]) for asset in page if asset.id in known]
        if not found:
            return list(page)
        with self.db.transaction() as conn:
            rows = [(asset.id, one.digest, one.sha256, one.head_digest) for asset, one in found]
            unread.write_digests(conn, rows, self.settings.hash_algorithm)
            known_digests.drop(conn, [one.signature for _, one in found])
        self.tally.counts["known"] += len(found)
        self.tally.size_bytes += sum(asset.size_bytes for asset, _ in found)
        return [asset for asset in page if asset.id not in known]

    def _wanted(self, list_next: ListNext, list_alike: ListAlike | None = None) -> Iterator[Wanted]:
        last = 0
        asked: set[int] = set()
        while True:
            with self.db.reading() as conn:
                page = list_next(conn, last, CHUNK)
                alike = [one for one in list_alike(conn, page) if one.id not in asked] if list_alike else []
            if not page:
                return
            last = page[-1].id
            # What is being read may not be written yet, and be found again with the next page.
            asked.update(one.id for one in alike)
            yield from self._asked([*alike, *page])

    def _asked(self, found: Iterable[Unread]) -> Iterator[Wanted]:
        for one in self._in_order(found):
            root = self.roots.get(one.root_id)
            if root is not None:
                self.reading[one.id] = one
                yield Wanted(one.id, Place(root, one.path), one.signature)

    def _in_order(self, found: Iterable[Unread]) -> list[Unread]:
        """As they lie on the disk, as far as inodes tell, where that spares its head; else folder by folder."""
        named = sorted(found, key=lambda one: (one.root_id, one.path))
        return sorted(named, key=lambda one: one.signature.inode if one.root_id in self.by_inode else 0)

    def _read(self, results: Iterable[Digested | None], counted: str) -> None:
        try:
            for result in results:
                if result is not None:
                    self._take(result, counted)
                self._safe_point(min(self.tally.counts[counted], self.total))
        finally:
            self._write()

    def _safe_point(self, done: int) -> None:
        read_bytes = self.tally.size_bytes
        left_bytes = None if self.end_bytes is None else max(self.end_bytes - read_bytes, 0)
        self.step.safe_point(done, self.total, read_bytes, left_bytes)

    def _take(self, result: Digested, counted: str) -> None:
        self.read.append(result)
        self.tally.counts[counted] += 1
        if counted == "read":
            self.tally.size_bytes += self.reading[result.key].signature.size_bytes
        if len(self.read) >= CHUNK or time.monotonic() - self.written_at > WRITE_SECONDS:
            self._write()

    def _write(self) -> None:
        whole, heads, failed = _sorted_out(self.read)
        if self.read:
            with self.db.transaction() as conn:
                unread.write_digests(conn, whole, self.settings.hash_algorithm)
                unread.write_heads(conn, heads)
                for key, error in failed:
                    self._note_failed(conn, key, error)
        for result in self.read:
            del self.reading[result.key]
        self.read.clear()
        self.written_at = time.monotonic()

    def _note_failed(self, conn: Connection, asset_id: int, error: MediaPipelineError) -> None:
        """A file that was found to be unlike all others before it was read has no verdict any more."""
        asset = assets.get(conn, asset_id)
        if asset.status is AssetStatus.UNIQUE:
            assets.mark(conn, [asset], AssetStatus.DISCOVERED)
        self.tally.note_failure(conn, assets.get(conn, asset_id), error, self.step.run_id)


def _by_inode(read_order: str, roots: Mapping[int, Root]) -> frozenset[int]:
    """The ids of the roots that are read in the order of inodes."""
    if read_order == "auto":
        return frozenset(root.id for root in roots.values() if turns(root.path))
    return frozenset(roots) if read_order == "inode" else frozenset()


def _sorted_out(
    read: Sequence[Digested],
) -> tuple[list[tuple[int, str, str, str | None]], list[tuple[int, str]], list[tuple[int, MediaPipelineError]]]:
    """(asset id, digest, SHA-256, head digest), (asset id, head digest) and (asset id, error)."""
    whole: list[tuple[int, str, str, str | None]] = []
    heads: list[tuple[int, str]] = []
    failed: list[tuple[int, MediaPipelineError]] = []
    for one in read:
        if one.error is not None:
            failed.append((one.key, one.error))
        elif one.digests is not None:
            whole.append((one.key, one.digests.digest, one.digests.sha256, one.digests.head_digest))
        elif one.head_digest is not None:
            heads.append((one.key, one.head_digest))
    return whole, heads, failed


def _unread(asset: Asset) -> Unread:
    return Unread(
        asset.id, asset.root_id, asset.path, asset.status, asset.attempts, asset.signature, asset.head_digest
    )
