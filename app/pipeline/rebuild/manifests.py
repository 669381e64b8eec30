"""Reading every manifest that there is: in the archive, and in batch folders whose archive copy is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from app.db import batches, rebuild_entries
from app.db.rebuild_entries import NewEntry
from app.errors import FileError, RootUnavailable, printable
from app.files.walk import list_names
from app.model import AssetStatus, Batch, Failure, Place, Root, RootKind
from app.pipeline.manifest import MANIFEST_NAME, Manifest, parse
from app.pipeline.manifest_store import ARCHIVE_FOLDER, read_own_file
from app.pipeline.step import StepContext
from app.services import Services


@dataclass(frozen=True)
class Head:
    """What a manifest says of its batch. `path` is below the archive, None when only the batch folder has it."""

    batch_id: int
    name: str
    created_at: str
    target: str
    revision: int
    place: Place
    path: bytes | None
    file_count: int
    undone_at: str | None = None
    returned_as: AssetStatus | None = None


def read_manifests(services: Services, step: StepContext) -> tuple[list[Head], list[Failure]]:
    """Write the lines of the newest manifest of each batch; returns the batches, and what could not be read."""
    failures: list[Failure] = []
    newest: dict[tuple[int, str], Head] = {}
    for place, path in _places(services):
        step.safe_point(0, 0)
        head = _head(place, path, failures)
        if head is not None:
            key = (head.batch_id, head.created_at)
            newest[key] = _newer(newest.get(key), head)
    with services.db.reading() as conn:
        known = batches.list_recent(conn, limit=-1)
    heads = number(newest.values(), known)
    _write(services, step, heads)
    return heads, failures


def _places(services: Services) -> Iterator[tuple[Place, bytes | None]]:
    archive = services.root(RootKind.ARCHIVE)
    for name in _names(archive, ARCHIVE_FOLDER):
        if name.endswith(b".json"):
            path = ARCHIVE_FOLDER + b"/" + name
            yield Place(archive, path), path
    for kind in (RootKind.STAGING, RootKind.BATCH):
        root = services.root(kind)
        for folder in _names(root, b""):
            yield Place(root, folder + b"/" + MANIFEST_NAME), None


def _names(root: Root, folder: bytes) -> list[bytes]:
    try:
        return list_names(root, folder)
    except OSError as error:
        raise RootUnavailable(root.kind, Place(root, folder).absolute, error.strerror or str(error)) from error


def _head(place: Place, path: bytes | None, failures: list[Failure]) -> Head | None:
    try:
        content = read_own_file(place)
        if content is None:
            return None
        manifest = parse(content, place.absolute)
    except FileError as error:
        failures.append(Failure(printable(place.absolute), str(error)))
        return None
    return Head(
        manifest.batch_id,
        manifest.batch_name,
        manifest.created_at,
        manifest.target,
        manifest.revision,
        place,
        path,
        manifest.file_count,
        manifest.undone_at,
        _returned_as(manifest),
    )


def _returned_as(manifest: Manifest) -> AssetStatus | None:
    """What its files are since it was taken back. One that does not say so was written when all were set aside."""
    if manifest.undone_at is None:
        return None
    return AssetStatus.UNIQUE if manifest.returned_as == AssetStatus.UNIQUE.value else AssetStatus.SET_ASIDE


def _newer(known: Head | None, found: Head) -> Head:
    """The one with the higher revision; of equal ones the one in the archive. An empty one only says `undone`."""
    if known is None:
        return found
    first, second = sorted((known, found), key=lambda head: (head.revision, head.path is not None))
    if second.file_count or not first.file_count:
        return second
    return replace(first, undone_at=second.undone_at, returned_as=second.returned_as, path=second.path)


def number(heads: Iterable[Head], known: Collection[Batch]) -> list[Head]:
    """The heads by id, no two alike: where manifests of different times claim one id, the newest keeps it."""
    taken = {batch.id: batch.created_at for batch in known}
    kept: dict[int, Head] = {}
    homeless: list[Head] = []
    for head in sorted(heads, key=lambda h: h.created_at, reverse=True):
        if head.batch_id in kept or taken.get(head.batch_id, head.created_at) != head.created_at:
            homeless.append(head)
        else:
            kept[head.batch_id] = head
    free = max([*kept, *taken], default=0) + 1
    for offset, head in enumerate(reversed(homeless)):
        kept[free + offset] = replace(head, batch_id=free + offset)
    return [kept[batch_id] for batch_id in sorted(kept)]


def _write(services: Services, step: StepContext, heads: Iterable[Head]) -> None:
    with services.db.transaction() as conn:
        rebuild_entries.forget_all(conn)
    for head in heads:
        step.safe_point(0, 0)
        content = read_own_file(head.place)
        manifest = parse(content or b"", head.place.absolute)
        with services.db.transaction() as conn:
            rebuild_entries.add(conn, _entries(head, manifest))


def _entries(head: Head, manifest: Manifest) -> Iterator[NewEntry]:
    for file in manifest.files:
        yield NewEntry(
            head.batch_id,
            file.asset_id,
            file.path,
            file.size_bytes,
            file.sha256,
            file.digest,
            file.digest_algorithm,
            file.origin,
            file.group,
            file.taken_at,
            file.taken_local,
            file.taken_from,
        )
