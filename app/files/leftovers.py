"""Finding what we put into the tree for a while: sources in our trash, and copies that were not finished.

The journal knows each of them; when it is lost, only their names tell what they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import RootUnavailable
from app.files.directory import is_regular, signature_of
from app.files.moving import TEMP_PREFIX, TRASH_FOLDER
from app.files.walk import open_folder
from app.model import Root, Signature

#: Folders of ours that are roots themselves or hold no media.
NOT_ENTERED = (b".mp-staging", b".media-pipeline")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A plain file at one of our private names. Out of the trash it may be incomplete."""

    path: bytes
    is_trash: bool
    signature: Signature


def walk_leftovers(root: Root) -> Iterator[Leftover]:
    """Every such file under a root, in hidden folders too. Raises RootUnavailable when the root cannot be read.

    Links are not followed; a folder below that cannot be read is passed over.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            descriptor = open_folder(root, folder)
        except OSError as error:
            if not folder:
                raise RootUnavailable(root.kind, root.path, error.strerror or str(error)) from error
            continue
        try:
            yield from _look(descriptor, folder, waiting)
        finally:
            os.close(descriptor)


def _look(descriptor: int, folder: bytes, waiting: list[bytes]) -> Iterator[Leftover]:
    in_trash = TRASH_FOLDER in folder.split(b"/")
    with os.scandir(descriptor) as entries:
        for entry in entries:
            name = os.fsencode(entry.name)
            path = folder + b"/" + name if folder else name
            if entry.is_dir(follow_symlinks=False):
                if name not in NOT_ENTERED:
                    waiting.append(path)
            elif in_trash or name.startswith(TEMP_PREFIX):
                found = _leftover(entry, path, in_trash or name.startswith(TRASH_FOLDER))
                if found is not None:
                    yield found


def _leftover(entry: os.DirEntry[str], path: bytes, is_trash: bool) -> Leftover | None:
    try:
        seen = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Leftover(path, is_trash, signature_of(seen)) if is_regular(seen) else None
