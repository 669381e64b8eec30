"""Taking away the folder of a batch that has ended: our two files, then the folders, as far as they are empty."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from app.db import batches, journal, kept_copies, members
from app.db.clock import now
from app.errors import FileError, printable
from app.files.prune import remove_empty_folders, remove_own_file
from app.files.walk import open_folder
from app.model import AssetStatus, Batch, BatchStatus, Place, Root, RootKind
from app.pipeline import manifest_store
from app.pipeline.failing import is_missing
from app.pipeline.manifest import MANIFEST_NAME, SUMS_NAME, Manifest, parse, sums_bytes
from app.pipeline.step import StepContext
from app.services import Services

ENDED = (BatchStatus.SORTED, BatchStatus.CANCELLED)
PRESENT = tuple(status for status in AssetStatus if status is not AssetStatus.GONE)


@dataclass
class Cleaned:
    """The batches whose folders are gone, how many folders that were, and what stays in others."""

    batches: list[Batch] = field(default_factory=list)
    folders: int = 0
    left: list[str] = field(default_factory=list)


def clean_finished(services: Services, step: StepContext) -> Cleaned:
    """Clean up after every batch that has ended and still has a folder: one may be left from a step cut off."""
    cleaned = Cleaned()
    if not services.config.system.cleanup_empty_batches:
        return cleaned
    roots = (services.root(RootKind.STAGING), services.root(RootKind.BATCH))
    with services.db.reading() as conn:
        ended = [b for b in batches.list_by_status(conn, ENDED) if b.cleaned_at is None]
        copied = kept_copies.list_places(conn, services.root(RootKind.BATCH).id)
        in_use = {path.partition(b"/")[0] for _, path in copied}
    chosen = [b for b in ended if os.fsencode(b.name) not in in_use]
    for number, batch in enumerate(chosen):
        step.safe_point(number, len(chosen))
        if not _has_files(services, batch, roots):
            _clean(services, step, batch, cleaned, roots)
    return cleaned


def clean_batch(services: Services, step: StepContext, batch: Batch, roots: Sequence[Root]) -> None:
    """Take away the folder of one batch in each of these roots, unless files of it are left there."""
    if batch.cleaned_at is None and not _has_files(services, batch, roots):
        _clean(services, step, batch, Cleaned(), roots)


def _has_files(services: Services, batch: Batch, roots: Sequence[Root]) -> bool:
    """Whether files of the batch are still in its folder: failed ones, or ones that were never moved out."""
    ours = {root.id: root for root in roots}
    with services.db.reading() as conn:
        there = members.list_of(conn, batch.id, PRESENT, list(ours))
    return any(not is_missing(Place(ours[a.root_id], a.path)) for a in there)


def _clean(
    services: Services, step: StepContext, batch: Batch, cleaned: Cleaned, roots: Sequence[Root]
) -> None:
    archive = services.root(RootKind.ARCHIVE)
    revisions = dict(revisions_of(archive, batch))
    folders = _made_folders(batch, revisions.values())
    left: list[str] = []
    for root in roots:
        _remove_own_files(root, batch, revisions)
        cleaned.folders += len(remove_empty_folders(root, folders))
        left += [printable(path) for path in _names_below(root, os.fsencode(batch.name))]
    cleaned.left += left
    if left or any(_is_there(root, batch) for root in roots):
        return
    cleaned.batches.append(batch)
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, cleaned_at=now())
        journal.record(conn, "batch.cleaned", f"The folder of batch {batch.name} was removed; it was empty.",
                       run_id=step.run_id, batch_id=batch.id, detail={"batch_name": batch.name})


def _made_folders(batch: Batch, revisions: Iterable[Manifest]) -> list[bytes]:
    """The folders that we made for this batch, as its manifests tell; others are not ours to remove."""
    top = os.fsencode(batch.name)
    made = {top}
    for below in {file.path.rpartition(b"/")[0] for manifest in revisions for file in manifest.files}:
        folder = below
        while folder:
            made.add(top + b"/" + folder)
            folder = folder.rpartition(b"/")[0]
    return sorted(made)


def revisions_of(archive: Root, batch: Batch) -> Iterator[tuple[bytes, Manifest]]:
    """(text, manifest) of every revision that the archive holds."""
    for revision in count(1):
        place = Place(archive, manifest_store.archive_path(batch.name, revision))
        content = manifest_store.read_own_file(place)
        if content is None:
            return
        yield content, parse(content, place.absolute)


def _remove_own_files(root: Root, batch: Batch, revisions: Mapping[bytes, Manifest]) -> None:
    """Remove the manifest and SHA256SUMS, each only while it is the one that we wrote for this batch."""
    folder = os.fsencode(batch.name) + b"/"
    manifest_place, sums_place = Place(root, folder + MANIFEST_NAME), Place(root, folder + SUMS_NAME)
    try:
        content = manifest_store.read_own_file(manifest_place)
        if content is not None:
            manifest = revisions.get(content) or parse(content, manifest_place.absolute)
            if (manifest.batch_id, manifest.created_at) != (batch.id, batch.created_at):
                return
            # Also when it is absent: a removal that was cut off left it under a private name.
            written = {sums_bytes(known) for known in (manifest, *revisions.values())}
            if manifest_store.read_own_file(sums_place) in (None, *written):
                remove_own_file(sums_place)
        remove_own_file(manifest_place)
    except FileError:
        return  # not what we wrote: it stays, and is listed


def _names_below(root: Root, folder: bytes) -> Iterator[bytes]:
    """Files, and folders that are empty, below a folder; links are named, not followed."""
    try:
        descriptor = open_folder(root, folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        with os.scandir(descriptor) as entries:
            listed = [(os.fsencode(e.name), e.is_dir(follow_symlinks=False)) for e in entries]
    finally:
        os.close(descriptor)
    for name, is_folder in sorted(listed):
        below = list(_names_below(root, folder + b"/" + name)) if is_folder else []
        yield from below or [folder + b"/" + name]


def _is_there(root: Root, batch: Batch) -> bool:
    try:
        os.close(open_folder(root, os.fsencode(batch.name)))
    except FileNotFoundError:
        return False
    return True
