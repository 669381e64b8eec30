"""What people decided about dates, kept beside the archive as lines of JSON, so that it outlives the database.

Lines are added and made durable; the last one about a content counts. When most of them are out of date, those that
count are written into a new file, and the old one goes. Whoever reads it passes over what is no such line.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app.db import decision_notes
from app.db.connection import Database
from app.db.decision_notes import CHUNK, FORGOTTEN, DecisionNote
from app.errors import MediaPipelineError
from app.files import faults
from app.files.capture_time.judge import offset_of, written_in
from app.files.directory import Folders, flush_folder
from app.files.own_files import DECISIONS_NAME, remove_own_file, write_new_file
from app.files.roots import check_roots
from app.log import get_logger
from app.model import Place, Root

FOLDER = b".media-pipeline/decisions"
ACTIONS = frozenset(("accept", "set", "zone", "shift", FORGOTTEN))
SHA256 = re.compile(r"[0-9a-f]{64}")
#: What is text in every line.
TEXTS = tuple(name for name in DecisionNote._fields if name != "alone")
#: Far longer than any line of ours.
LONGEST_LINE = 2_000
#: A file grows by so much, and to twice of what it began with, before it is written anew.
GROWTH_BYTES = 1 << 20
ADD_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_as_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def is_there(archive: Root) -> bool:
    """Whether anything was ever written there. Raises FileError, RootUnavailable."""
    with Folders() as folders:
        return bool(_names(folders, archive))


def write_pending(db: Database, archive: Root) -> int:
    """Write what is noted and not written yet, all that stands where nothing was ever written; returns how many lines.

    Raises RootUnavailable, FileError: what is not written stays noted.
    """
    with db.reading() as conn:
        if not decision_notes.has_pending(conn):
            return 0
    check_roots(db, [archive])
    written = 0 if is_there(archive) else _write_standing(db, archive)
    while True:
        with db.reading() as conn:
            last_id, notes = decision_notes.list_pending(conn, CHUNK)
        if not last_id:
            return written
        add(archive, notes)
        with db.transaction() as conn:
            decision_notes.drop(conn, last_id)
        written += len(notes)


def _write_standing(db: Database, archive: Root) -> int:
    last_id, written = 0, 0
    while True:
        with db.reading() as conn:
            last_id, notes = decision_notes.list_standing(conn, last_id, CHUNK)
        if not last_id:
            return written
        add(archive, notes)
        written += len(notes)


def add(archive: Root, notes: Sequence[DecisionNote]) -> None:
    """Add these, durably. Raises FileError (NoSpace among them), RootUnavailable."""
    place = Place(archive, FOLDER)
    with Folders() as folders:
        try:
            folder = folders.make(archive, FOLDER)
            name, fd = _open_newest(folders, archive, folder)
            try:
                _append(fd, b"".join(map(_line, notes)))
                size_bytes = os.fstat(fd).st_size
                flush_folder(folder)
                folders.flush()
                if size_bytes > GROWTH_BYTES + 2 * _size_at_first(fd):
                    _write_anew_if_it_goes(archive, name)
            finally:
                os.close(fd)
        except OSError as error:
            raise faults.of_file(error, "write", place) from error


def read(archive: Root) -> tuple[dict[str, DecisionNote], int]:
    """What stands, by the SHA-256 of the content, and how many lines are none. Raises FileError, RootUnavailable."""
    found: dict[str, DecisionNote] = {}
    faulty = 0
    with Folders() as folders:
        try:
            for name in _names(folders, archive):
                fd = os.open(name, READ_FLAGS, dir_fd=folders.open(archive, FOLDER))
                for note in _notes(fd):
                    faulty += note is None
                    if note is not None:
                        found[note.sha256] = note
        except OSError as error:
            raise faults.of_file(error, "read", Place(archive, FOLDER)) from error
    return {sha256: note for sha256, note in found.items() if note.action != FORGOTTEN}, faulty


# --- the files


def _names(folders: Folders, archive: Root) -> list[bytes]:
    """Oldest first: what the newer one says counts."""
    try:
        fd = folders.open(archive, FOLDER)
    except FileNotFoundError:
        return []
    return sorted(name for name in map(os.fsencode, os.listdir(fd)) if DECISIONS_NAME.fullmatch(name))


def _open_newest(folders: Folders, archive: Root, folder: int) -> tuple[bytes, int]:
    """The newest one, open and locked; another process may be writing a newer one while the lock is waited for."""
    while True:
        names = _names(folders, archive) or [b"dates-000001.jsonl"]
        fd = os.open(names[-1], ADD_FLAGS, 0o666, dir_fd=folder)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if _names(folders, archive)[-1:] == names[-1:]:
                return names[-1], fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _append(fd: int, lines: bytes) -> None:
    """Behind what is there; a line that a crash has cut off ends here."""
    size_bytes = os.fstat(fd).st_size
    if size_bytes and os.pread(fd, 1, size_bytes - 1) != b"\n":
        lines = b"\n" + lines
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def _size_at_first(fd: int) -> int:
    """How large the file was when it was written anew, as its first line says."""
    first = os.pread(fd, LONGEST_LINE, 0).partition(b"\n")[0]
    try:
        said = json.loads(first)
    except ValueError:
        return 0
    size_bytes = said.get("size_bytes") if isinstance(said, dict) else None
    return size_bytes if isinstance(size_bytes, int) and size_bytes > 0 else 0


def _write_anew_if_it_goes(archive: Root, newest: bytes) -> None:
    """A file that only grows does no harm; lines added again because of it would."""
    try:
        _write_anew(archive, newest)
    except MediaPipelineError as error:
        get_logger().warning("the file of decided dates could not be written anew", reason=str(error))


def _write_anew(archive: Root, newest: bytes) -> None:
    """What counts, in a new file, of which the first line says how large it is; then the old ones go."""
    standing, _ = read(archive)
    lines = b"".join(map(_line, standing.values()))
    following = b"dates-%06d.jsonl" % (_number(newest) + 1)
    if not DECISIONS_NAME.fullmatch(following):
        return
    head = _as_json({"size_bytes": len(lines)}).encode() + b"\n"
    write_new_file(Place(archive, FOLDER + b"/" + following), head + lines)
    with Folders() as folders:
        old = [name for name in _names(folders, archive) if name < following]
    for name in old:
        remove_own_file(Place(archive, FOLDER + b"/" + name))


def _number(name: bytes) -> int:
    return int(name[len(b"dates-") : -len(b".jsonl")])


# --- lines


def _line(note: DecisionNote) -> bytes:
    return _as_json(note._asdict()).encode() + b"\n"


def _notes(fd: int) -> Iterator[DecisionNote | None]:
    """What the lines say, None for a line that is none. Closes the file."""
    with os.fdopen(fd, "rb") as file:
        while line := file.readline(LONGEST_LINE):
            said = _parsed(line)
            # What a new file begins with is no decision.
            if not (isinstance(said, dict) and said.keys() == {"size_bytes"}):
                yield _note(said) if line.endswith(b"\n") else None


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _note(said: Any) -> DecisionNote | None:
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in TEXTS):
        return None
    # What is no text could not be written into a database.
    note = DecisionNote(*(said[name].encode("utf-8", "replace").decode() for name in TEXTS))
    # Earlier versions parted none.
    note = note._replace(alone=said.get("alone") is True)
    if not SHA256.fullmatch(note.sha256) or note.action not in ACTIONS or not _is_instant(note.decided_at):
        return None
    is_date = written_in(note.text) is not None and (note.zone in ("local", "utc") or offset_of(note.zone) is not None)
    return note if is_date or note.action == FORGOTTEN else None


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
