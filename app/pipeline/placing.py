"""Under which names the files of a group go to their folder: one suffix for all, and never onto another file. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

from app.pipeline.filing import Filing
from app.pipeline.naming import suffixed


class Target(Enum):
    """What is at the place where a file would go."""

    FREE = "free"
    OWN = "own"
    SAME = "same"
    HELD = "held"
    OTHER = "other"


File = TypeVar("File")
#: Of the same kind, where it is only taken.
File_contra = TypeVar("File_contra", contravariant=True)


#: A folder and the names of a group in it.
Names = tuple[bytes, tuple[bytes, ...]]


class GivenSuffixes:
    """Which numbers groups of the same names have got in one folder: the next one need not try these again."""

    def __init__(self) -> None:
        self._runs: dict[Names, tuple[int, int]] = {}
        self._holders: dict[Names, set[int]] = {}

    def next_to_try(self, names: Names, number: int, key: int) -> int:
        """The number, or the next that was not given to others; one that has a number already looks at all again."""
        first, after = self._runs.get(names, (0, 0))
        return after if first <= number < after and key not in self._holders[names] else number

    def note(self, names: Names, number: int, key: int) -> None:
        """A group of these names, whose first file this is, has got this number."""
        first, after = self._runs.get(names, (number, number))
        if number == after:
            self._runs[names] = (first, number + 1)
            self._holders.setdefault(names, set()).add(key)


class Ground(Protocol[File_contra]):
    """The places that files may get, as whoever places them sees these."""

    @property
    def limit_bytes(self) -> int:
        """How long a name may be."""

    @property
    def given(self) -> GivenSuffixes:
        """The suffixes that were given so far."""

    def key(self, file: File_contra) -> int:
        """What tells files apart."""

    def look(self, file: File_contra, path: bytes) -> tuple[Target, int | None]:
        """What a file would meet at a path; with HELD, the id of the asset that holds its content there."""

    def claim(self, file: File_contra, path: bytes, target: Target) -> None:
        """The file gets this path, at which it meets that."""


class Placed(NamedTuple, Generic[File]):
    """A file, the path that it gets, what it meets there, and with HELD who holds its content."""

    file: File
    path: bytes
    target: Target
    held_by: int | None


def place_group(ground: Ground[File], files: Sequence[File], filing: Filing) -> list[Placed[File]]:
    """Where a group goes: the first suffix at which no file meets other content, the same for all of them.

    Files of one name, from different folders, cannot be suffixed alike: the first of each name go as a group, the
    others each by itself.
    """
    each = list(zip(files, filing.names, strict=True))
    firsts: list[tuple[File, bytes]] = []
    others: list[tuple[File, bytes]] = []
    seen: set[bytes] = set()
    for file, name in each:
        (others if name in seen else firsts).append((file, name))
        seen.add(name)
    placed = _place_together(ground, [file for file, _ in firsts], _named(filing, [name for _, name in firsts]))
    for file, name in others:
        placed += place_group(ground, [file], _named(filing, [name]))
    return placed


def _named(filing: Filing, names: Sequence[bytes]) -> Filing:
    return replace(filing, names=tuple(names))


def _place_together(ground: Ground[File], files: Sequence[File], filing: Filing) -> list[Placed[File]]:
    alike, key, number = (filing.folder, filing.names), ground.key(files[0]), -1
    while True:
        number = ground.given.next_to_try(alike, number + 1, key)
        names = suffixed(filing.names, number, ground.limit_bytes)
        paths = [_join(filing.folder, name) for name in names]
        found = [ground.look(file, path) for file, path in zip(files, paths, strict=True)]
        if len(set(paths)) == len(paths) and all(target is not Target.OTHER for target, _ in found):
            break
        if number and len(set(paths)) < len(paths):
            return _place_apart(ground, files, filing)
    placed = [Placed(file, path, *met) for file, path, met in zip(files, paths, found, strict=True)]
    for one in placed:
        ground.claim(one.file, one.path, one.target)
    if all(target in (Target.FREE, Target.SAME) for target, _ in found):
        ground.given.note(alike, number, key)
    return placed


def _place_apart(ground: Ground[File], files: Sequence[File], filing: Filing) -> list[Placed[File]]:
    """Names that only differ where they are cut cannot be suffixed alike: each goes by itself."""
    each = zip(files, filing.names, strict=True)
    return [one for file, name in each for one in place_group(ground, [file], _named(filing, [name]))]


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
