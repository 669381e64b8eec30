"""The thumbnails in the state folder: one small file for each content, and a note where none can be made.

They are a cache: each can be made again, so nothing is flushed, and what is damaged counts as not there.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.files.kinds import MEDIA_SUFFIXES, VIDEO_SUFFIXES, suffix
from app.model import Asset

FOLDER = "thumbnails"
#: Longer or wider no thumbnail is.
SIDE = 256
PICTURE, NOTE = ".webp", ".txt"
#: What could not be drawn is tried again after this time: a program may have been installed, a disk mended.
NOTE_SECONDS = 7 * 24 * 3600
#: Pruning makes room for a while.
PRUNED_TO = 0.9
LONGEST_NOTE = 300
#: Sidecars that are small pictures or films themselves.
DRAWN_SIDECARS = frozenset((b"thm", b"lrv"))


def is_drawable(path: bytes) -> bool:
    """Whether there may be a picture of a file of this name; there is none of an XMP or JSON file."""
    return suffix(path) in MEDIA_SUFFIXES | DRAWN_SIDECARS


def is_film(path: bytes) -> bool:
    """Whether a file of this name is a film."""
    return suffix(path) in VIDEO_SUFFIXES or suffix(path) == b"lrv"


def key_of(asset: Asset) -> str:
    """What its thumbnail is kept under: its content, as far as that is known; it outlives every move."""
    return asset.sha256 or hashlib.sha256(b"%d %d %d" % (asset.id, asset.size_bytes, asset.mtime_ns)).hexdigest()


@dataclass(frozen=True)
class Shelf:
    """The thumbnails in one state folder."""

    state_dir: Path

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.state_dir / FOLDER

    def read(self, key: str) -> bytes | None:
        """The thumbnail, or None when there is none."""
        try:
            content = self._path(key, PICTURE).read_bytes()
        except OSError:
            return None
        return content if content.startswith(b"RIFF") else None

    def why_none(self, key: str) -> str | None:
        """Why it could not be drawn, as far as it was tried lately."""
        path = self._path(key, NOTE)
        try:
            is_fresh = path.stat().st_mtime > time.time() - NOTE_SECONDS
            return path.read_text("utf-8", "replace") if is_fresh else None
        except OSError:
            return None

    def has(self, key: str) -> bool:
        """Whether there is a thumbnail, or a note that there can be none."""
        return self.read(key) is not None or self.why_none(key) is not None

    def put(self, key: str, content: bytes) -> int:
        """Keep a thumbnail; returns the bytes that it takes. Raises OSError."""
        self._write(self._path(key, PICTURE), content)
        with suppress(FileNotFoundError):
            self._path(key, NOTE).unlink()
        return len(content)

    def note(self, key: str, reason: str) -> int:
        """Keep why there is none; returns the bytes that this takes. Raises OSError."""
        content = reason[:LONGEST_NOTE].encode("utf-8", "replace")
        self._write(self._path(key, NOTE), content)
        return len(content)

    def used_bytes(self) -> int:
        """What all of them take."""
        return sum(status.st_size for _, status in self._entries())

    def prune(self, most_bytes: int) -> int:
        """Drop the oldest until a little less than so many bytes are left; returns how many are. Raises OSError."""
        found = sorted(self._entries(), key=lambda entry: entry[1].st_mtime_ns)
        left = sum(status.st_size for _, status in found)
        wanted = most_bytes if left <= most_bytes else int(most_bytes * PRUNED_TO)
        for path, status in found:
            if left <= wanted:
                break
            with suppress(FileNotFoundError):
                os.unlink(path)
            left -= status.st_size
        return left

    def _path(self, key: str, ending: str) -> Path:
        return self.folder / key[:2] / f"{key}{ending}"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_suffix(f".new-{os.getpid()}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        for folder in _scanned(self.folder):
            for entry in _scanned(folder.path):
                with suppress(FileNotFoundError):
                    yield entry.path, entry.stat(follow_symlinks=False)


def _scanned(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
