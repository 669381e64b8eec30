"""The few files that we write among media ourselves (manifests, checksums, the pairing test): whole, or not there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re

from app.errors import FileError, NoSpace, SourceChanged, TargetExists
from app.files import faults, publish
from app.files.directory import NEW_FLAGS, READ_FLAGS, Folders, is_regular, look, split
from app.files.moving import TEMP_PREFIX, TEMP_SUFFIX
from app.files.walk import open_folder
from app.model import Place
from app.model.pairing import PAIRING_TEST_NAME

#: Only files of these names are ever removed by `remove_own_file`.
OWN_FILE_NAMES = frozenset({b"manifest.json", b"SHA256SUMS", os.fsencode(PAIRING_TEST_NAME)})
#: What was decided about dates, of which a newer file holds what counts; see decision_log.py.
DECISIONS_NAME = re.compile(rb"dates-\d{6}\.jsonl")


def write_new_file(place: Place, data: bytes) -> None:
    """Write a small file of ours, durably, under a free name; missing folders are made.

    The same bytes already there are accepted. Raises TargetExists for other content, NoSpace, FileError,
    RootUnavailable. After a crash the file is whole or absent; what was begun is replaced by the next try.
    """
    folder, name = split(place)
    with Folders() as folders:
        try:
            fd = folders.make(place.root, folder)
            if not _is_there(place, fd, name, data):
                _write(place, fd, name, data)
            folders.changed(place.root, folder)
        except OSError as error:
            raise faults.of_file(error, "write", place) from error
        folders.flush()


def _is_there(place: Place, folder: int, name: bytes, data: bytes) -> bool:
    seen = look(folder, name)
    if seen is None:
        return False
    if not is_regular(seen) or seen.st_size != len(data) or _read(folder, name, len(data)) != data:
        raise TargetExists("write", place.absolute, "the name is taken by other content")
    _sync(folder, name)
    return True


def _read(folder: int, name: bytes, size_bytes: int) -> bytes:
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        return file.read(size_bytes + 1)


def _sync(folder: int, name: bytes) -> None:
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def temp_name_of(place: Place) -> bytes:
    """The private name under which this very file is written: always the same, so that a crash leaves at most one."""
    return TEMP_PREFIX + hashlib.sha256(place.path).hexdigest()[:32].encode() + TEMP_SUFFIX


def _write(place: Place, folder: int, name: bytes, data: bytes) -> None:
    temp = temp_name_of(place)
    _discard(folder, temp)
    room = os.fstatvfs(folder)
    if room.f_bavail * room.f_frsize < len(data):
        raise NoSpace("write", place.absolute, f"{len(data)} bytes are needed and fewer are free")
    try:
        _fill(folder, temp, data)
        if publish.publish(folder, temp, folder, name, lambda _inode: None) == publish.LINK:
            os.unlink(temp, dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell; the next try removes it
            _discard(folder, temp)
        raise


def _fill(folder: int, temp: bytes, data: bytes) -> None:
    fd = os.open(temp, NEW_FLAGS, 0o666, dir_fd=folder)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _discard(folder: int, own: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(own, dir_fd=folder)


def remove_own_file(place: Place, content: bytes | None = None) -> bool:
    """Remove a file of a name that only we write; False when there is none.

    It is taken to a private name first and removed there. Raises FileError for any other name or kind of file, and
    SourceChanged when it does not hold `content`: then it is put back.
    """
    folder, name = split(place)
    if name not in OWN_FILE_NAMES and not DECISIONS_NAME.fullmatch(name):
        raise FileError("remove", place.absolute, "it is not a file that this program writes")
    with Folders() as folders:
        try:
            fd = folders.open(place.root, folder)
            taken = _take(place, fd, name, content)
            folders.changed(place.root, folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise faults.of_file(error, "remove", place) from error
        folders.flush()
    return taken


def _take(place: Place, folder: int, name: bytes, content: bytes | None) -> bool:
    temp = temp_name_of(place)
    _discard(folder, temp)
    publish.take(folder, name, folder, temp)
    seen = look(folder, temp)
    if seen is None:
        return False
    if not is_regular(seen):
        publish.put_back(folder, temp, folder, name)
        raise SourceChanged("remove", place.absolute, "it is not a plain file")
    if content is not None and (seen.st_size != len(content) or _read(folder, temp, len(content)) != content):
        publish.put_back(folder, temp, folder, name)
        raise SourceChanged("remove", place.absolute, "it does not hold what was written there")
    os.unlink(temp, dir_fd=folder)
    return True


def read_own_file(place: Place) -> bytes | None:
    """The bytes of a small file of ours, None when there is none. Raises FileError."""
    folder, _, name = place.path.rpartition(b"/")
    try:
        descriptor = open_folder(place.root, folder)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file_descriptor = os.open(name, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        with os.fdopen(file_descriptor, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileError("read", place.absolute, error.strerror or str(error)) from error
