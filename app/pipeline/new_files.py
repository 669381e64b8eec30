"""What is new in the ingest folders, looked for again and again at little cost: between two runs.

Of a folder that did not change only its own times are asked. One that did is listed then and once more at the next
look, because some file systems keep times in steps of two seconds. A file that a scan would take is new; it stands
still once two looks, `scan.settle_seconds` apart, showed the same. A file in an unchanged folder that was overwritten
in place is noticed by the full look that comes every hour, and by every run.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from app.db import groups, kept_copies
from app.db.seen_files import SeenFiles, open_seen_files
from app.files.roots import check_roots
from app.files.settle import MAX_PENDING
from app.files.walk import Found, walk
from app.model import AssetStatus, Root, RootKind, Signature
from app.pipeline.scan import CHUNK, Verdict, decide
from app.services import Services

#: Every folder is listed anew this often, for file systems that do not tell every change in a folder's times.
FULL_LOOK_SECONDS = 3_600.0
#: A folder is listed so often for each change of its times.
LISTINGS = 2

#: Since when a new file has been as it is; ANSWERED of one that a run was started for.
ANSWERED = float("inf")


@dataclass(slots=True)
class _Folder:
    """What the last listing of a folder showed; `files` are its new ones, by a hash of name, size and times."""

    stamp: tuple[int, ...] | None = None
    listings: int = 0
    below: list[bytes] = field(default_factory=list)
    files: dict[int, float] = field(default_factory=dict)

    def is_as_before(self, stamp: tuple[int, ...] | None) -> bool:
        """Whether nothing needs to be looked for in it."""
        is_known = stamp is not None and stamp == self.stamp and self.listings >= LISTINGS
        return is_known and all(since == ANSWERED for since in self.files.values())


@dataclass(frozen=True)
class Look:
    """How many new files stand still, for how long the first of them has, and how many are still being written."""

    still: int = 0
    longest_seconds: float = 0.0
    changing: int = 0


class NewFiles:
    """The memory of one process between its looks. After a restart, files that no run took count as new again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._folders: dict[tuple[int, bytes], _Folder] = {}
        self._full_look_at = 0.0

    def look(self, services: Services, stopping: threading.Event | None = None) -> Look:
        """Look into every ingest folder. Raises RootUnavailable when one is away."""
        ingest = list(services.roots.get(RootKind.INGEST, ()))
        check_roots(services.db, ingest)
        if self._clock() >= self._full_look_at:
            self._full_look_at = self._clock() + FULL_LOOK_SECONDS
            for folder in self._folders.values():
                folder.stamp = None
        seen: dict[tuple[int, bytes], _Folder] = {}
        for root in ingest:
            with open_seen_files(services.db, root.id) as rows:
                self._walk(_Lister(services, root, rows, self._clock), seen, stopping)
        self._folders = seen
        return self._judge(services.config.scan.settle_seconds)

    def answer(self, settle_seconds: float) -> None:
        """A run was started: what stands still is no reason for another one until it changes."""
        moment = self._clock()
        for folder in self._folders.values():
            for key, since in folder.files.items():
                if moment - since >= settle_seconds:
                    folder.files[key] = ANSWERED

    def _walk(
        self, lister: _Lister, seen: dict[tuple[int, bytes], _Folder], stopping: threading.Event | None
    ) -> None:
        waiting, room = [b""], MAX_PENDING - sum(len(folder.files) for folder in seen.values())
        while waiting and room > 0 and not (stopping is not None and stopping.is_set()):
            path = waiting.pop()
            key = (lister.root.id, path)
            seen[key] = lister.look_into(path, self._folders.get(key) or _Folder(), room)
            waiting += seen[key].below
            room -= len(seen[key].files)

    def _judge(self, settle_seconds: float) -> Look:
        moment = self._clock()
        open_since = [s for folder in self._folders.values() for s in folder.files.values() if s != ANSWERED]
        still = [moment - since for since in open_since if moment - since >= settle_seconds]
        return Look(len(still), max(still, default=0.0), len(open_since) - len(still))


class _Lister:
    """Looks into the folders of one root."""

    def __init__(self, services: Services, root: Root, rows: SeenFiles, clock: Callable[[], float]) -> None:
        self.root = root
        self._db, self._rows, self._clock = services.db, rows, clock
        self._ignored = services.config.scan.ignore_patterns

    def look_into(self, path: bytes, before: _Folder, room: int) -> _Folder:
        """The folder as it is now; at most so many of its new files are told apart."""
        stamp = self._stamp(path)
        if before.is_as_before(stamp):
            return before
        below: list[bytes] = []
        found = walk(self.root, self._ignored, self._known_names, below=[path], deeper=below)
        moment = self._clock()
        files = {key: before.files.get(key, moment) for key in islice(self._news(found), room)}
        listings = before.listings + 1 if stamp == before.stamp else 1
        return _Folder(stamp, listings, below, files)

    def _stamp(self, path: bytes) -> tuple[int, ...] | None:
        try:
            status = os.lstat(os.path.join(self.root.path, path))
        except OSError:
            return None
        return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)

    def _known_names(self, folder: bytes) -> list[bytes]:
        with self._db.reading() as conn:
            return groups.list_names_in(conn, self.root.id, folder)

    def _news(self, found: Iterator[Found]) -> Iterator[int]:
        while chunk := list(islice(found, CHUNK)):
            files = [(one.path, one.signature) for one in chunk if one.kind != "left" and one.signature is not None]
            rows = self._rows.at(b"", [path for path, _ in files])
            with self._db.reading() as conn:
                kept = kept_copies.list_at(conn, self.root.id, [path for path, _ in files if path not in rows])
            for path, signature in files:
                copy = kept.get(path)
                if decide(signature, _known(rows.get(path)), copy[2] if copy else None) is Verdict.NEWS:
                    yield hash((path, signature.size_bytes, signature.mtime_ns, signature.ctime_ns))


def _known(row: tuple[object, ...] | None) -> tuple[AssetStatus, Signature] | None:
    return (AssetStatus(str(row[2])), Signature(*row[3:])) if row is not None else None  # type: ignore[arg-type]
