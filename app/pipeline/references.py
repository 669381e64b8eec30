"""Reference folders: existing libraries whose files count as originals. Nothing is ever written there.

Like the ingest folder they are walked, and like its files theirs are read only as far as something new looks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from app.db import reference_files
from app.db.reference_files import Unread
from app.errors import printable
from app.files.digest import Digested, Wanted, digest_files, digest_heads
from app.files.reference_roots import check_reference, reference_roots
from app.files.walk import Found, walk
from app.model import Failure, Place, Root, Signature
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

CHUNK = 2_000


class References:
    """What dedup asks of reference folders, in calling order: check, look, read."""

    def __init__(self, services: Services, step: StepContext, tally: Tally) -> None:
        self.db, self.step, self.tally, self.config = services.db, step, tally, services.config
        self.roots = reference_roots(services.db, services.config)

    def check(self) -> None:
        """Forget what is no reference any more. Raises RootUnavailable when a folder is away."""
        with self.db.reading() as conn:
            counts = {root.id: reference_files.count(conn, root.id) for root in self.roots}
            is_known = reference_files.has_any(conn)
        for root in self.roots:
            check_reference(root.path, is_known=counts[root.id] > 0)
        if is_known:
            with self.db.transaction() as conn:
                reference_files.forget_outside(conn, list(counts))

    def look(self) -> bool:
        """Bring the rows up to date with the folders, if anything waits to be compared with them; whether that was."""
        with self.db.reading() as conn:
            is_needed = bool(self.roots) and reference_files.has_discovered(conn)
        if is_needed:
            for root in self.roots:
                self._look_through(root)
        return is_needed

    def read_heads(self) -> None:
        """Read both ends of every file that is as large as something new."""
        wanted = _some(self._wanted(self._as_large()))
        if wanted is not None:
            self._read(digest_heads(wanted, self.config.dedup.threads))

    def read_whole(self) -> None:
        """Read every file whole that looks like something new."""
        wanted, dedup = _some(self._wanted(self._alike())), self.config.dedup
        if wanted is not None:
            self._read(digest_files(wanted, dedup.hash_algorithm, dedup.threads))

    def _look_through(self, root: Root) -> None:
        with self.db.reading() as conn:
            last_id = reference_files.last_id(conn)
        # One byte a file, however many there are.
        seen = bytearray(last_id + 1)
        blind: list[bytes] = []
        found = (one for one in walk(root, self.config.scan.ignore_patterns) if _is_compared(one, blind))
        while chunk := list(islice(found, CHUNK)):
            self._take(root, chunk, seen)
            self.step.safe_point(0, 0, self.tally.size_bytes)
        self.tally.failures += [Failure(printable(Place(root, path).absolute), "cannot be read") for path in blind]
        # What lies below a folder that cannot be read is still there, for all that is known.
        if not blind:
            self._forget_vanished(root, seen)

    def _take(self, root: Root, chunk: list[Found], seen: bytearray) -> None:
        paths = [one.path for one in chunk]
        with self.db.reading() as conn:
            known = reference_files.list_signatures_at(conn, root.id, paths)
        for file_id, _ in known.values():
            if file_id < len(seen):
                seen[file_id] = 1
        new = [(one.path, one.signature) for one in chunk if one.signature is not None and one.path not in known]
        changed = [
            (known[one.path][0], one.signature) for one in chunk
            if one.signature is not None and one.path in known and not _is_same(known[one.path][1], one.signature)
        ]  # fmt: skip
        if new or changed:
            with self.db.transaction() as conn:
                reference_files.insert(conn, root.id, new)
                reference_files.renew(conn, changed)

    def _forget_vanished(self, root: Root, seen: bytearray) -> None:
        with self.db.reading() as conn:
            gone = [one for one in reference_files.list_ids(conn, root.id) if one < len(seen) and not seen[one]]
        # An unmounted disk lacks every file too.
        check_reference(root.path, is_known=bool(gone))
        with self.db.transaction() as conn:
            reference_files.forget(conn, gone)

    def _as_large(self) -> Iterator[Unread]:
        with self.db.reading() as conn:
            sizes = iter(reference_files.list_sizes_wanted(conn))
        while part := list(islice(sizes, CHUNK)):
            with self.db.reading() as conn:
                found = reference_files.list_without_head(conn, part)
            yield from found

    def _alike(self) -> Iterator[Unread]:
        last = 0
        while True:
            with self.db.reading() as conn:
                page = reference_files.list_without_digest(conn, last, CHUNK)
            if not page:
                return
            last = page[-1].id
            yield from page

    def _wanted(self, files: Iterable[Unread]) -> Iterator[Wanted]:
        roots = {root.id: root for root in self.roots}
        if not roots:
            return
        for one in files:
            if one.root_id in roots:
                yield Wanted(one.id, Place(roots[one.root_id], one.path), one.signature)

    def _read(self, results: Iterable[Digested | None]) -> None:
        waiting: list[Digested] = []
        try:
            for result in results:
                if result is not None:
                    waiting.append(result)
                if len(waiting) >= CHUNK:
                    self._write(waiting)
                self.step.safe_point(0, 0, self.tally.size_bytes)
        finally:
            self._write(waiting)

    def _write(self, read: list[Digested]) -> None:
        """What cannot be read, or is not what was found, is compared with nothing: what is new is kept then."""
        whole = [(r.key, r.digests.head_digest, r.digests.digest, r.digests.sha256) for r in read if r.digests]
        heads = [(r.key, r.head_digest) for r in read if r.digests is None and r.head_digest is not None]
        self.tally.failures += [Failure(printable(r.error.path), str(r.error)) for r in read if r.error is not None]
        if whole or heads:
            with self.db.transaction() as conn:
                reference_files.write_digests(conn, whole, self.config.dedup.hash_algorithm)
                reference_files.write_heads(conn, heads)
        read.clear()


def _some(wanted: Iterator[Wanted]) -> Iterator[Wanted] | None:
    """The same, or None when there is nothing: no process is started for nothing then."""
    first = next(wanted, None)
    return chain([first], wanted) if first is not None else None


def _is_compared(found: Found, blind: list[bytes]) -> bool:
    if found.is_unread:
        blind.append(found.path)
    return found.kind != "left"


def _is_same(known: Signature, seen: Signature) -> bool:
    """Device numbers may change with every mount."""
    return seen._replace(device=known.device) == known
