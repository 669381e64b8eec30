"""Reading files again and comparing each with the digest that it should have, in reader processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.files import verify_reader as words
from app.files.readers import Answer, Job, Readers
from app.model import Place, Signature

CRASHED = "the program that reads it gave no answer"


class Outcome(StrEnum):
    """What came of one file."""

    INTACT = "intact"
    ALTERED = "altered"
    #: It was read, and there was nothing to compare it with.
    READ = "read"
    #: It was changed while it was read, or a program has it open for writing: nothing can be said of it now.
    CHANGING = "changing"
    MISSING = "missing"
    #: Something that is not a plain file lies there: a symbolic link, a folder, a pipe.
    NO_FILE = "no_file"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to check: `key` comes back with the result. An empty digest: only tell what it holds."""

    key: int
    place: Place
    digest: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for one `Asked`. What was read is told with the digests that it has now."""

    key: int
    outcome: Outcome
    signature: Signature | None = None
    digest: str = ""
    sha256: str = ""
    reason: str = ""


def check_files(
    asked: Iterable[Asked], processes: int = 2, bytes_per_second: float = 0
) -> Iterator[Checked | None]:
    """The result for every file, as they come; None now and then while a long file is being read.

    Every file is read from the disk, whole; all processes together read at most so many bytes per second (0: as fast
    as they can). A file that differs is read a second time before that is told. Memory is bounded however many
    files there are. Absence is only what the system says: whether the disk is there is for the caller to check.
    """
    rate = str(bytes_per_second / max(1, processes))
    with Readers("app.files.verify_reader", processes, arguments=[rate]) as readers:
        for answer in readers.read(map(_job, asked)):
            yield None if answer is None else _checked(answer)


def _job(asked: Asked) -> Job:
    root, path = asked.place.root.path.decode("latin-1"), asked.place.path.decode("latin-1")
    return Job(asked.key, [root, path, asked.algorithm, asked.digest])


def _checked(answer: Answer) -> Checked:
    key = answer.key
    if answer.fault is not None:
        return Checked(key, Outcome.UNREADABLE, reason=answer.fault)
    match answer.value:
        case [words.INTACT, list(seen)]:
            return Checked(key, Outcome.INTACT, _signature(seen))
        case [words.ALTERED | words.READ as word, list(seen), str(digest), str(sha256)]:
            return Checked(key, Outcome(word), _signature(seen), digest, sha256)
        case [words.CHANGING]:
            return Checked(key, Outcome.CHANGING)
        case [words.VANISHED]:
            return Checked(key, Outcome.MISSING)
        case [words.NO_FILE]:
            return Checked(key, Outcome.NO_FILE)
        case [words.ERROR, str(reason)]:
            return Checked(key, Outcome.UNREADABLE, reason=reason)
        case _:
            return Checked(key, Outcome.UNREADABLE, reason=CRASHED)


def _signature(seen: list[Any]) -> Signature:
    return Signature(*seen)
