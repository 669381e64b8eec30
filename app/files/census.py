"""Counting content: which bytes lie under some folders, how often and under which names. Hidden files, trash and
temporary files count like all others, so that nothing can be lost or made twice without being seen.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.files.directory import READ_FLAGS, is_regular
from app.files.roots import MARKER_NAME


@dataclass
class Census:
    """What was found: `names` maps every absolute path to the SHA-256 of its content, `contents` counts those."""

    names: dict[bytes, str] = field(default_factory=dict)
    contents: Counter[str] = field(default_factory=Counter)

    def lost_since(self, before: Census) -> set[str]:
        """Contents that were there before and are nowhere now."""
        return set(before.contents) - set(self.contents)

    def added_since(self, before: Census) -> set[str]:
        """Contents that were nowhere before."""
        return set(self.contents) - set(before.contents)

    @property
    def leftovers(self) -> list[bytes]:
        """Our own temporary files."""
        return [p for p in self.names if (n := os.path.basename(p)).startswith(b".mp-") and n.endswith(b".part")]


def take_census(folders: Iterable[bytes], *, leave_out: Iterable[bytes] = (MARKER_NAME,)) -> Census:
    """Read every plain file below these folders. Links are not followed; `leave_out` names files not to count.

    Raises OSError when something cannot be read: a census that skips is none. Files that vanish between being
    listed and being read are not there.
    """
    census, skipped = Census(), set(leave_out)
    for folder in folders:
        for path in _files_below(folder):
            digest = None if os.path.basename(path) in skipped else _sha256(path)
            if digest is not None:
                census.names[path] = digest
                census.contents[digest] += 1
    return census


def _files_below(folder: bytes) -> Iterator[bytes]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path


def _sha256(path: bytes) -> str | None:
    try:
        fd = os.open(path, READ_FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        if not is_regular(os.fstat(file.fileno())):
            return None
        return hashlib.file_digest(file, "sha256").hexdigest()
