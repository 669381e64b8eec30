"""Seeing every file of every folder, and reading each once: what a rebuild takes for the truth.

What was read is kept, so that a rebuild that was cut off, or is repeated, reads only what is new or has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from app.db import rebuild_files
from app.db.rebuild_files import Seen, Sighting
from app.errors import RootUnavailable
from app.files.digest import Digested, Wanted, digest_files
from app.files.leftovers import walk_leftovers
from app.files.walk import Found, walk
from app.model import Place, Root, RootKind, Signature
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.rebuild.areas import IN_BATCH, OF_KIND, READ, Area, area_of
from app.pipeline.rebuild.nested_disks import refuse_without_disks
from app.pipeline.step import StepContext
from app.services import Services

CHUNK = 2_000
#: Digests written in one transaction.
SLICE = 1_000


def walked_roots(services: Services) -> list[Root]:
    """The roots that a rebuild looks through. What was delivered are copies, and their disk may well be away."""
    return [root for kind, roots in services.roots.items() if kind in OF_KIND for root in roots]


def see_everything(services: Services, step: StepContext, sizes: Collection[int]) -> None:
    """Bring the table of sightings up to date with the disk; `sizes` are those of files that manifests name.

    Raises RootUnavailable, also when a folder below a root cannot be read or is without its disk, and Stopped at a
    safe point.
    """
    for root in walked_roots(services):
        found = _everything_under(services, root, sizes)
        while chunk := list(islice(found, CHUNK)):
            _note(services, chunk, step.step_id)
            step.safe_point(0, 0)
    with services.db.transaction() as conn:
        rebuild_files.forget_unseen(conn, step.step_id)
    refuse_without_disks(services, walked_roots(services))
    _read_everything(services, step)


def _everything_under(services: Services, root: Root, sizes: Collection[int]) -> Iterator[Seen]:
    patterns = services.config.scan.ignore_patterns if root.kind is RootKind.INGEST else ()
    for found in walk(root, patterns):
        if found.is_unread:
            raise _unread_below(root, found)
        if found.signature is not None and not _is_own(root, found.path):
            yield _seen(root, found, found.signature, sizes)
        elif found.signature is None:
            nothing = Signature(0, 0, 0, 0, 0)
            yield root.id, found.path, Area.LEFT, b"", nothing, found.reason
    for left in walk_leftovers(root):
        yield root.id, left.path, Area.TRASH if left.is_trash else Area.TEMPORARY, b"", left.signature, None


def _unread_below(root: Root, found: Found) -> RootUnavailable:
    """What cannot be looked at would be taken for an empty place, and every file there be given up."""
    way_out = "give the service the right to read it, or mend the disk, then go on with `media-pipeline rebuild`"
    return RootUnavailable(root.kind, Place(root, found.path).absolute, f"{found.reason}; {way_out}")


def _is_own(root: Root, path: bytes) -> bool:
    """Whether this is the manifest or the checksums of a batch, at the top of its folder."""
    top, _, name = path.partition(b"/")
    return OF_KIND[root.kind] in IN_BATCH and bool(top) and name in OWN_NAMES


def _seen(root: Root, found: Found, signature: Signature, sizes: Collection[int]) -> Seen:
    """A name that is no photo's is read only when a manifest names a file of that size."""
    if found.kind == "left":
        area = area_of(root.kind, found.path) if signature.size_bytes in sizes else Area.LEFT
        return root.id, found.path, area, b"", signature, found.reason
    name = found.group_name or found.path.rpartition(b"/")[2]
    return root.id, found.path, area_of(root.kind, found.path), name, signature, None


def _note(services: Services, chunk: Sequence[Seen], seen: int) -> None:
    root_id = chunk[0][0]
    with services.db.reading() as conn:
        known = rebuild_files.list_at(conn, root_id, [one[1] for one in chunk])
    same = [known[one[1]].id for one in chunk if _is_same(known.get(one[1]), one)]
    news = [one for one in chunk if not _is_same(known.get(one[1]), one)]
    with services.db.transaction() as conn:
        rebuild_files.mark_seen(conn, same, seen)
        rebuild_files.note(conn, news, seen)


def _is_same(known: Sighting | None, now: Seen) -> bool:
    """Device numbers may change with every mount; all else must be as it was."""
    if known is None:
        return False
    _, path, area, group_name, signature, _ = now
    kept = known.signature._replace(device=signature.device)
    return (known.path, known.area, known.group_name, kept) == (path, area, group_name, signature)


def _read_everything(services: Services, step: StepContext) -> None:
    settings = services.config.dedup
    with services.db.reading() as conn:
        total, _ = rebuild_files.count(conn)
        unread = sum(1 for _ in _unread(services))
    done, size_bytes = total - unread, 0
    reading: dict[int, Sighting] = {}
    read: list[Digested] = []
    try:
        for result in digest_files(_wanted(services, reading), settings.hash_algorithm, settings.threads):
            if result is not None:
                read.append(result)
                done, size_bytes = done + 1, size_bytes + reading[result.key].size_bytes
            if len(read) >= SLICE:
                _write(services, read, reading)
            step.safe_point(done, total, size_bytes)
    finally:
        _write(services, read, reading)


def _unread(services: Services) -> Iterator[Sighting]:
    last = 0
    while True:
        with services.db.reading() as conn:
            page = rebuild_files.list_unread(conn, services.config.dedup.hash_algorithm, last, CHUNK, READ)
        if not page:
            return
        last = page[-1].id
        yield from page


def _wanted(services: Services, reading: dict[int, Sighting]) -> Iterator[Wanted]:
    roots = {root.id: root for root in walked_roots(services)}
    for one in _unread(services):
        reading[one.id] = one
        yield Wanted(one.id, Place(roots[one.root_id], one.path), one.signature)


def _write(services: Services, read: list[Digested], reading: dict[int, Sighting]) -> None:
    done = [(r.key, r.digests.digest, r.digests.sha256) for r in read if r.digests is not None]
    with services.db.transaction() as conn:
        rebuild_files.write_digests(conn, done, services.config.dedup.hash_algorithm)
        rebuild_files.write_findings(conn, _unreadable(read))
    for result in read:
        reading.pop(result.key)
    read.clear()


def _unreadable(read: Iterable[Digested]) -> list[tuple[int, int | None, str | None, str | None]]:
    return [(r.key, None, None, str(r.error)) for r in read if r.error is not None]
