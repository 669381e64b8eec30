"""While a large scan still walks, the ends of files of one size are read: dedup finds most of its reading done.

What is not read when the walk ends, or could not be read, is left to dedup, which tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.db import unread
from app.files.digest import HeadReaders, Wanted
from app.model import Place, Root
from app.services import Services

#: Fewer files than this at once are not worth two processes.
FEW = 500
#: Files that wait for a process; more are left to dedup, so that memory is bounded.
MANY = 20_000


class ReadingAhead:
    """Reads beside the scan that calls `look`; used as a context manager. Waits for nothing."""

    def __init__(self, services: Services, roots: Sequence[Root]) -> None:
        self._db, self._processes = services.db, services.config.dedup.threads
        # The head of a turning disk is left to the walk.
        self._is_wanted = services.config.dedup.read_order != "inode"
        self._roots = {root.id: root for root in roots}
        self._readers: HeadReaders | None = None
        self._asked: set[int] = set()

    def __enter__(self) -> ReadingAhead:
        return self

    def __exit__(self, *error: object) -> None:
        if self._readers is not None:
            self._write()
            self._readers.__exit__(*error)

    def look(self, sizes: Sequence[int]) -> None:
        """Rows of files with these sizes were just written: have those read that are as large as another file."""
        if self._readers is None and len(sizes) >= FEW and self._is_wanted:
            self._readers = HeadReaders(self._processes)
        if self._readers is None:
            return
        self._write()
        if self._readers.offered < MANY:
            self._offer(self._readers, list(set(sizes)))

    def _offer(self, readers: HeadReaders, sizes: Sequence[int]) -> None:
        with self._db.reading() as conn:
            found = [one for one in unread.list_of_sizes(conn, sizes) if one.id not in self._asked]
        here = [one for one in found if one.root_id in self._roots]
        self._asked.update(one.id for one in here)
        readers.offer(Wanted(one.id, Place(self._roots[one.root_id], one.path), one.signature) for one in here)

    def _write(self) -> None:
        read = self._readers.collect() if self._readers is not None else []
        heads = [(one.key, one.head_digest) for one in read if one.head_digest is not None]
        if heads:
            with self._db.transaction() as conn:
                unread.write_heads(conn, heads)
            self._asked.difference_update(asset_id for asset_id, _ in heads)
