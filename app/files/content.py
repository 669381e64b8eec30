"""What files hold: hashing an open file, and copying one so that the copy is proven before it gets its name."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import Protocol

from blake3 import blake3

from app.errors import CopyMismatch, FileError, NoSpace, SourceChanged
from app.files import directory, faults, syscalls
from app.model import Place, Signature

CHUNK_BYTES = 1 << 20


class Hasher(Protocol):
    """What blake3 and hashlib have in common."""

    def update(self, data: memoryview, /) -> object:
        """Take more bytes in."""

    def hexdigest(self) -> str:
        """The digest of all bytes so far."""


def hasher(algorithm: str) -> Hasher:
    """A fresh hasher; `algorithm` is blake3 or sha256."""
    if algorithm == "blake3":
        hashing: Hasher = blake3()
        return hashing
    if algorithm == "sha256":
        return hashlib.sha256()
    raise ValueError(f"unknown digest algorithm {algorithm}")


def digest_of(fd: int, algorithm: str) -> str:
    """The digest of everything in an open file, from its start."""
    hashing = hasher(algorithm)
    buffer = memoryview(bytearray(CHUNK_BYTES))
    offset = 0
    while count := os.preadv(fd, [buffer], offset):
        hashing.update(buffer[:count])
        offset += count
    return hashing.hexdigest()


def read_digest(folder: int, name: bytes, algorithm: str) -> tuple[str, Signature] | None:
    """(digest, signature) of a plain file that stood still while it was read; None when it is no plain file.

    Raises OSError, FileNotFoundError among them; BlockingIOError never: pipes are not waited for.
    """
    fd = os.open(name, directory.READ_FLAGS, dir_fd=folder)
    try:
        before = os.fstat(fd)
        if not directory.is_regular(before):
            return None
        digest = digest_of(fd, algorithm)
        after = directory.signature_of(os.fstat(fd))
    finally:
        os.close(fd)
    # A file that moves while it is read has no digest: the empty text equals none.
    return (digest if after == directory.signature_of(before) else ""), after


def copy_to_temp(
    source: Place, source_dir: int, target_dir: int, temp: bytes, expected: tuple[str, str], durable: bool
) -> Signature:
    """Copy a file into a new temporary name beside its target and return the source's signature.

    `expected` is (digest, algorithm): what was read must have it. With `durable` off the caller flushes the copy.
    Raises FileError or OSError; what was begun is left at the temporary name, which is the caller's to remove.
    """
    name = source.path.rpartition(b"/")[2]
    reading = os.open(name, directory.READ_FLAGS, dir_fd=source_dir)
    try:
        before = os.fstat(reading)
        if not directory.is_regular(before):
            raise FileError("copy", source.absolute, "it is not a plain file")
        check_room(target_dir, source, before.st_size)
        writing = os.open(temp, directory.NEW_FLAGS, 0o600, dir_fd=target_dir)
        try:
            digest = _fill(source, reading, writing, before.st_size, expected[1])
            _keep_metadata(reading, writing, before)
            if durable:
                os.fsync(writing)
        finally:
            os.close(writing)
        if digest is not None and digest != expected[0]:
            raise SourceChanged("copy", source.absolute, "its content is not what was hashed before")
        return directory.signature_of(before)
    finally:
        os.close(reading)


def check_room(folder: int, source: Place, size_bytes: int) -> None:
    """Raise NoSpace when the file system of this folder has less room than the file needs."""
    room = os.fstatvfs(folder)
    if room.f_bavail * room.f_frsize < size_bytes:
        raise NoSpace("copy", source.absolute, f"{size_bytes} bytes are needed and fewer are free")


def _fill(source: Place, reading: int, writing: int, size_bytes: int, algorithm: str) -> str | None:
    """Clone, else reserve and copy. The digest of what was read, or None after a clone, which is read back later."""
    if size_bytes and syscalls.clone(reading, writing):
        return None
    syscalls.reserve_room(writing, size_bytes)
    hashing = hasher(algorithm)
    buffer = memoryview(bytearray(min(CHUNK_BYTES, max(size_bytes, 1))))
    while count := _read(source, reading, buffer):
        hashing.update(buffer[:count])
        _write_all(writing, buffer[:count])
    return hashing.hexdigest()


def _read(source: Place, fd: int, buffer: memoryview) -> int:
    """A file that cannot be read is that file's fault alone, even when the disk says input/output error."""
    try:
        return os.readv(fd, [buffer])
    except OSError as error:
        raise FileError("read", source.absolute, os.strerror(error.errno or 0)) from error


def _write_all(fd: int, data: memoryview) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _keep_metadata(reading: int, writing: int, seen: os.stat_result) -> None:
    """Owner and extended attributes as far as the file system lets us; mode and times always."""
    mine = os.fstat(writing)
    if (mine.st_uid, mine.st_gid) != (seen.st_uid, seen.st_gid):
        _try_to_give_away(writing, seen)
    _copy_attributes(reading, writing)
    with contextlib.suppress(PermissionError):  # exFAT and shares without modes
        os.fchmod(writing, seen.st_mode & 0o777)
    os.utime(writing, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _try_to_give_away(fd: int, seen: os.stat_result) -> None:
    try:
        os.fchown(fd, seen.st_uid, seen.st_gid)
    except OSError as error:
        if error.errno not in faults.NOT_KEPT:
            raise


def _copy_attributes(reading: int, writing: int) -> None:
    try:
        for name in os.listxattr(reading):
            os.setxattr(writing, name, os.getxattr(reading, name))
    except OSError as error:
        if error.errno not in faults.NOT_KEPT:
            raise


def check_copy(place: Place, target_dir: int, temp: bytes, expected: tuple[str, str]) -> None:
    """Read a durable copy back from the disk, not from memory. Raises CopyMismatch unless it is right."""
    fd = os.open(temp, directory.READ_FLAGS, dir_fd=target_dir)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if digest_of(fd, expected[1]) != expected[0]:
            raise CopyMismatch("copy", place.absolute, "the copy read back from the disk differs from the original")
    finally:
        os.close(fd)
