"""Libraries that hypothesis makes up, and what is compared before and after a run: trees with inodes, rows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.conftest import make_jpeg

#: Tables that a preview writes: its own run, what it tells, and what it has read.
OF_THE_RUN = ("runs", "steps", "events", "known_digests", "sqlite_sequence")

FOLDERS = (b"", b"DCIM/100", b"DCIM/101", b"phone", b"phone/caf\xc3\xa9", b"odd\xff")
STEMS = (
    b"IMG_1", b"img_1", b"IMG_2", b"e\xcc\x81t\xc3\xa9", b"bad\xff", b"2024-05-06 07.08.09", b"n" * 249, b"line\nx",
)  # fmt: skip
ENDINGS = (b".jpg", b".JPG", b".jpeg", b".cr2", b".heic", b".mov", b".xmp", b".jpg.xmp", b".txt", b".png")
DAYS = (
    "2024:05:06 07:08:09", "2024:05:06 10:00:00", "2023:12:31 23:59:59", "1970:01:01 00:00:00", "2099:01:01 00:00:00",
)  # fmt: skip
MTIMES = (1_700_000_000, 1_600_000_000, 86_400 * 300)
PLAIN = (b"", b"plain one", b"plain two " * 50, b"\0" * 3_000)


@dataclass(frozen=True)
class File:
    """One file to write: `content` picks from what there is, so that contents come up again and again."""

    folder: bytes
    stem: bytes
    ending: bytes
    content: int
    mtime: int

    @property
    def path(self) -> bytes:
        name = self.stem + self.ending
        return self.folder + b"/" + name[:255] if self.folder else name[:255]


@dataclass(frozen=True)
class Story:
    """What happened before, and what lies in the ingest folder when the preview is asked for."""

    changes: Mapping[str, Mapping[str, Any]]
    archived: Sequence[File]
    in_open_batch: Sequence[File]
    new: Sequence[File]
    foreign: Sequence[tuple[bytes, int]]
    second_name: bool
    removed: int
    is_archive_elsewhere: bool


@lru_cache(maxsize=64)
def content_of(number: int) -> bytes:
    """Pictures with a date, without one, and plain bytes."""
    if number < len(PLAIN):
        return PLAIN[number]
    day = DAYS[number % len(DAYS)]
    return make_jpeg(taken=day if number % 3 else None, seed=number)


#: Some contents come up again and again, most do not.
contents = st.one_of(st.integers(0, 7), st.integers(8, 300), st.integers(8, 300))


@st.composite
def shots(draw: st.DrawFn) -> list[File]:
    """What a camera makes at once: files of one stem, each with a content of its own."""
    folder, stem = draw(st.sampled_from(FOLDERS)), draw(st.sampled_from(STEMS))
    endings = draw(st.lists(st.sampled_from(ENDINGS), min_size=1, max_size=3, unique=True))
    return [File(folder, stem, ending, draw(contents), draw(st.sampled_from(MTIMES))) for ending in endings]


def lists(least: int, most: int) -> st.SearchStrategy[list[File]]:
    """So many shots."""
    return st.lists(shots(), min_size=least, max_size=most).map(lambda found: [file for shot in found for file in shot])


FOLDER_PATTERNS = ("{year}/{month:02d}/{day:02d}", "{year}", "all", "{type}/{folder}", "{camera_make}/{month_name}")

foreign_places = st.tuples(
    st.sampled_from((b"2024/05/06/", b"2023/12/31/", b"2023/11/14/", b"unknown-date/", b"review/")).flatmap(
        lambda folder: st.sampled_from((b"IMG_1.jpg", b"IMG_1_1.jpg", b"IMG_2.jpg", b"bad\xff.jpg")).map(
            lambda name: folder + name
        )
    ),
    st.integers(-1, 15),
)


@st.composite
def settings_of_a_library(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    target = draw(st.sampled_from(["none", "none", "folder", "syncthing"]))
    by_size = draw(st.booleans())
    size = {"selection_mode": "size", "max_size_gb": draw(st.sampled_from([0, 1_000, 3_000, 20_000])) / 2**30}
    count = {"selection_mode": "files", "max_files": draw(st.sampled_from([0, 1, 2, 3, 5]))}
    return {
        "batch": {**(size if by_size else count), "transfer_mode": draw(st.sampled_from(["move", "move", "copy"])),
                  "allow_parallel": draw(st.sampled_from([False, False, True]))},
        "sorter": {
            "transfer_mode": draw(st.sampled_from(["move", "move", "copy"])),
            "weak_dates": draw(st.sampled_from(["mtime", "review", "unknown_folder"])),
            "exif_fallback": draw(st.booleans()),
            "folder_pattern": draw(st.sampled_from(FOLDER_PATTERNS)),
            "name_pattern": draw(st.sampled_from(["", "", "{year}_{counter:03d}", "{camera_model}"])),
            "safe_names": draw(st.sampled_from(["auto", "portable", "native"])),
        },
        "dedup": {"duplicate_policy": draw(st.sampled_from(["label", "quarantine"])), "threads": 1},
        "sync": {"target": target, "peer_policy": "mirror"},
        "syncthing": {
            "folder_id": "photos",
            "api_url": "http://127.0.0.1:9",
            "auto_sort_after_sync": draw(st.sampled_from([True, True, True, False])),
        },
    }


@st.composite
def stories(draw: st.DrawFn) -> Story:
    return Story(
        draw(settings_of_a_library()),
        draw(lists(0, 3)),
        draw(st.one_of(st.just([]), lists(1, 2))),
        draw(lists(2, 7)),
        draw(st.lists(foreign_places, max_size=3, unique_by=lambda pair: pair[0])),
        draw(st.booleans()),
        draw(st.integers(0, 2)),
        draw(st.sampled_from([False, False, True])),
    )


def write(base: bytes, listed: Sequence[File]) -> list[bytes]:
    """Write files whose names are free; returns their paths."""
    written = []
    for file in listed:
        path = os.path.join(base, file.path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            continue
        Path(os.fsdecode(path)).write_bytes(content_of(file.content))
        os.utime(path, (file.mtime, file.mtime))
        written.append(path)
    return written


def write_foreign(base: bytes, foreign: Sequence[tuple[bytes, int]]) -> None:
    """Files that no row knows, and, for -1, folders where a file would like to be."""
    for name, number in foreign:
        path = os.path.join(base, name)
        if number < 0:
            os.makedirs(path, exist_ok=True)
        elif not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Path(os.fsdecode(path)).write_bytes(content_of(number))


def tree_of(base: Path, *without: str) -> dict[bytes, tuple[int, ...]]:
    """Everything below a folder, folders too, with mode, inode, links, size and times to the nanosecond."""
    found: dict[bytes, tuple[int, ...]] = {}
    for folder, folders, names in os.walk(os.fsencode(base)):
        if folder == os.fsencode(base):
            folders[:] = [f for f in folders if os.fsdecode(f) not in without]
        for name in (*folders, *names):
            path = os.path.join(folder, name)
            s = os.lstat(path)
            found[path] = (s.st_mode, s.st_ino, s.st_nlink, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
    return found


def rows_of(db_path: str, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but those named."""
    with closing(sqlite3.connect(db_path)) as conn:
        tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(conn.execute(f"SELECT * FROM {name}"), key=repr) for name in tables if name not in without}
