"""Digests of files: each file is read once for its digest and its SHA-256, and only counts if it stood still.

`full_digest` reads one file here and now; `digest_files` has reader processes do it for many.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from app.errors import FileError, SourceChanged
from app.files.hash_reader import (
    BEING_WRITTEN,
    BUFFER_BYTES,
    CHANGED,
    ERROR,
    HEAD,
    VANISHED,
    digests_of,
    facts,
    open_file,
)
from app.files.readers import CHUNK, Answer, Job, Readers
from app.model import Place, Signature

#: The ends of a file are read so quickly that handing them over one chunk of 32 after the other would be most of it.
#: The answers to two chunks fit into a pipe: a process never has to wait until it is heard.
HEADS_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Digests:
    """What a file holds: `digest` by the chosen algorithm, `sha256` and the digest of both its ends always, and under
    which signature it was read."""

    digest: str
    sha256: str
    signature: Signature
    head_digest: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to digest: `key` comes back with the result; `signature` is what it must still have."""

    key: int
    place: Place
    signature: Signature


@dataclass(frozen=True, slots=True)
class Digested:
    """The result for one `Wanted`: digests, or only that of both ends where no more was asked for, or the error that
    says why there are none."""

    key: int
    digests: Digests | None = None
    head_digest: str | None = None
    error: FileError | None = None


def full_digest(place: Place, algorithm: str = "blake3") -> Digests:
    """Read a whole file now. Raises SourceChanged when it moved while it was read, FileError when it cannot be read."""
    try:
        descriptor = open_file(place.root.path, place.path)
    except OSError as error:
        raise FileError("read", place.absolute, error.strerror or str(error)) from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileError("read", place.absolute, "it is not a regular file")
        with mmap.mmap(-1, BUFFER_BYTES) as buffer:
            head, digest, sha256 = digests_of(descriptor, before.st_size, algorithm, buffer)
        if facts(os.fstat(descriptor)) != facts(before):
            raise SourceChanged("read", place.absolute, "it changed while it was read")
    except OSError as error:
        raise FileError("read", place.absolute, error.strerror or str(error)) from error
    finally:
        os.close(descriptor)
    return Digests(digest, sha256, Signature(*facts(before)), head)


def digest_files(wanted: Iterable[Wanted], algorithm: str = "blake3", processes: int = 2) -> Iterator[Digested | None]:
    """The result for every file, as they come; None now and then while a long file is being read.

    A file that is not what `signature` says, that some program has open for writing, or that moves while it
    is read, gives SourceChanged: it counts when it has settled. Memory is bounded however many files there are.
    """
    return _read(wanted, algorithm, processes, CHUNK)


def digest_heads(wanted: Iterable[Wanted], processes: int = 2) -> Iterator[Digested | None]:
    """As `digest_files`, but of both ends of each file: equal ones may hold the same, others certainly do not."""
    return _read(wanted, HEAD, processes, HEADS_CHUNK)


def _read(wanted: Iterable[Wanted], algorithm: str, processes: int, chunk: int) -> Iterator[Digested | None]:
    asked: dict[int, Wanted] = {}
    jobs = _jobs(wanted, asked, algorithm)
    first = next(jobs, None)
    if first is None:
        return  # no process is started for nothing
    with Readers("app.files.hash_reader", processes, chunk=chunk) as readers:
        for answer in readers.read(chain([first], jobs)):
            yield None if answer is None else _digested(asked.pop(answer.key), answer)


def _jobs(wanted: Iterable[Wanted], asked: dict[int, Wanted], algorithm: str) -> Iterator[Job]:
    for want in wanted:
        asked[want.key] = want
        s = want.signature
        expected = [s.device, s.inode, s.size_bytes, s.mtime_ns, s.ctime_ns]
        root, path = want.place.root.path.decode("latin-1"), want.place.path.decode("latin-1")
        yield Job(want.key, [root, path, expected, algorithm])


def _digested(want: Wanted, answer: Answer) -> Digested:
    path = want.place.absolute
    if answer.fault is not None:
        return Digested(want.key, error=FileError("read", path, answer.fault))
    match answer.value:
        case [str(head), str(digest), str(sha256)]:
            return Digested(want.key, Digests(digest, sha256, want.signature, head), head)
        case [word] if word == CHANGED:
            return Digested(want.key, error=SourceChanged("read", path, "it is not the file that was found"))
        case [word] if word == BEING_WRITTEN:
            return Digested(want.key, error=SourceChanged("read", path, "a program has it open for writing"))
        case [word] if word == VANISHED:
            return Digested(want.key, error=SourceChanged("read", path, "it is no longer there"))
        case [str(head)]:
            return Digested(want.key, head_digest=head)
        case [word, reason] if word == ERROR:
            return Digested(want.key, error=FileError("read", path, str(reason)))
        case _:
            return Digested(want.key, error=FileError("read", path, "the program that reads it gave no answer"))
