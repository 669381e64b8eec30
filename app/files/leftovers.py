"""Finding what we put into the tree for a while: sources in our trash, and copies that were not finished.

The journal knows each of them; when it is lost, only their names tell what they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.errors import RootUnavailable
from app.files.content import CHUNK_BYTES
from app.files.directory import is_regular, signature_of
from app.files.hash_reader import open_file
from app.files.moving import HOLDS_FOLDER, TEMP_PREFIX, TRASH_FOLDER
from app.files.walk import open_folder
from app.model import Place, Root, Signature

#: Folders of ours that are roots themselves or hold no media.
NOT_ENTERED = (b".mp-staging", b".media-pipeline")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A plain file at one of our private names. Unless it is in the trash, or a hold, it may be incomplete."""

    path: bytes
    is_trash: bool
    signature: Signature


def walk_leftovers(root: Root) -> Iterator[Leftover]:
    """Every such file under a root, in hidden folders too.

    Raises RootUnavailable when the root or our trash in it cannot be read. Links are not followed; another folder that
    cannot be read is passed over: it is somebody else's, or `walk` tells of it.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            descriptor = open_folder(root, folder)
        except OSError as error:
            if not folder or _is_trash(folder):
                raise RootUnavailable(root.kind, Place(root, folder).absolute, error.strerror or str(error)) from error
            continue
        try:
            yield from _look(descriptor, folder, waiting)
        finally:
            os.close(descriptor)


def _look(descriptor: int, folder: bytes, waiting: list[bytes]) -> Iterator[Leftover]:
    in_trash = _is_trash(folder)
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


def _is_trash(folder: bytes) -> bool:
    """Whether what lies in a folder of ours is a whole file: a source in the trash, or a hold."""
    return not {TRASH_FOLDER, HOLDS_FOLDER}.isdisjoint(folder.split(b"/"))


def _leftover(entry: os.DirEntry[str], path: bytes, is_trash: bool) -> Leftover | None:
    try:
        seen = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Leftover(path, is_trash, signature_of(seen)) if is_regular(seen) else None


def is_begun_copy(temp: Place, source: Place) -> bool:
    """Whether a temporary file is a copy of the source as far as it got: its beginning, then nothing but zeros.

    Room is reserved before the first byte is copied, so a copy that was cut off has the full size.
    """
    buffers = memoryview(bytearray(CHUNK_BYTES)), memoryview(bytearray(CHUNK_BYTES))
    try:
        with _opened(temp) as copy, _opened(source) as original:
            if os.fstat(copy).st_size > os.fstat(original).st_size:
                return False
            return _begins_alike(copy, original, buffers)
    except OSError:
        return False


def _begins_alike(copy: int, original: int, buffers: tuple[memoryview, memoryview]) -> bool:
    offset, only_zeros = 0, False
    while count := os.preadv(copy, [buffers[0]], offset):
        begun = bytes(buffers[0][:count])
        if only_zeros or begun != _read(original, buffers[1][:count], offset):
            written = begun.rstrip(b"\0")
            if written and (only_zeros or written != _read(original, buffers[1][: len(written)], offset)):
                return False
            only_zeros = True
        offset += count
    return True


def _read(descriptor: int, into: memoryview, offset: int) -> bytes:
    done = 0
    while done < len(into) and (count := os.preadv(descriptor, [into[done:]], offset + done)):
        done += count
    return bytes(into[:done])


@contextmanager
def _opened(place: Place) -> Iterator[int]:
    descriptor = open_file(place.root.path, place.path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
