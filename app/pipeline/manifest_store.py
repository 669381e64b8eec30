"""Where manifests lie: one in the batch folder, and a second copy of every revision in the archive.

A manifest in the archive is written once and never edited. When files drop out of a batch while it is built, or fail
before they are delivered, a new revision is written beside the first, and takes its place in the batch's folder.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from app.files.disk import Disk
from app.files.manifest import MANIFEST_FOLDER
from app.files.own_files import read_own_file
from app.model import Batch, Place, Root
from app.pipeline.manifest import MANIFEST_NAME, SUMS_NAME, Manifest, parse, sums_bytes

__all__ = ["ARCHIVE_FOLDER", "archive_path", "load", "load_newest", "read_own_file", "save", "stage"]

#: Below the archive.
ARCHIVE_FOLDER = MANIFEST_FOLDER


def archive_path(batch_name: str, revision: int = 1) -> bytes:
    """Where the archive keeps this revision of a batch's manifest."""
    suffix = b"" if revision == 1 else b".r%d" % revision
    return ARCHIVE_FOLDER + b"/" + os.fsencode(batch_name) + suffix + b".json"


def load(place: Place) -> Manifest | None:
    """The manifest at a place, None when there is none. Raises FileError when it cannot be read or is none."""
    content = read_own_file(place)
    return None if content is None else parse(content, place.absolute)


def load_newest(archive: Root, batch: Batch) -> Manifest | None:
    """The newest revision of this batch's manifest that the archive holds; another batch's does not count."""
    newest: Manifest | None = None
    while found := load(Place(archive, archive_path(batch.name, newest.revision + 1 if newest else 1))):
        newest = found
    return newest if newest and (newest.batch_id, newest.created_at) == (batch.id, batch.created_at) else None


def save(disk: Disk, archive: Root, manifest: Manifest, content: bytes) -> bytes:
    """Write a revision (`content` is its text) into the archive, durably; returns its path there.

    Raises TargetExists when that is taken.
    """
    path = archive_path(manifest.batch_name, manifest.revision)
    disk.write_new_file(Place(archive, path), content)
    return path


def stage(
    disk: Disk, folder: Root, manifest: Manifest, content: bytes, ours: Collection[bytes] | None = None
) -> bool:
    """See to it that a batch's folder below this one holds its manifest and SHA256SUMS, durably, and no older ones;
    whether anything had to be written.

    With `ours`, everything that we have written there, a file with other content stays as it is.
    """
    top, is_written = os.fsencode(manifest.batch_name) + b"/", False
    for name, wanted in ((MANIFEST_NAME, content), (SUMS_NAME, sums_bytes(manifest))):
        place = Place(folder, top + name)
        found = read_own_file(place)
        if found == wanted or (found is not None and ours is not None and found not in ours):
            continue
        if found is not None:
            disk.remove_own_file(place)
        disk.write_new_file(place, wanted)
        is_written = True
    return is_written
