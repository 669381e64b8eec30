"""The marker file of a root folder: which root this is, and which database knows it.

Markers are made only by an explicit act. A folder without its marker is an unmounted share, not an empty root.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass

from app.errors import RootUnavailable, printable
from app.model import RootKind

MARKER_NAME = b".media-pipeline-root"
MARKER_MODE = 0o644
MARKER_MAX_BYTES = 4096

READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Marker:
    """What a marker file says: the root's id, and the id of the database that made it."""

    root_id: str
    database_id: str


def read_marker(kind: RootKind, path: bytes) -> Marker | None:
    """The marker of a folder, None when it or the folder is missing. Raises RootUnavailable when unreadable."""
    try:
        descriptor = os.open(os.path.join(path, MARKER_NAME), READ_FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RootUnavailable(kind, path, f"its marker file cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        text = file.read(MARKER_MAX_BYTES)
    try:
        content = json.loads(text)
        return Marker(str(content["root"]), str(content["database"]))
    except (ValueError, TypeError, KeyError) as error:
        raise RootUnavailable(kind, path, f"its marker file {printable(MARKER_NAME)} is damaged") from error


def write_marker(kind: RootKind, path: bytes, marker: Marker) -> Marker:
    """Put a marker into a folder, durably; returns it. Raises RootUnavailable."""
    content = {
        "root": marker.root_id,
        "database": marker.database_id,
        "kind": kind.value,
        "note": "Media Pipeline knows its folders by this file; do not remove or copy it.",
    }
    # Published by a rename, so that a cut-off set-up never leaves half a marker.
    temporary = os.path.join(path, b".mp-" + uuid.uuid4().hex.encode() + b".part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, MARKER_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(content, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary, os.path.join(path, MARKER_NAME))
        _sync_folder(path)
    except OSError as error:
        raise RootUnavailable(kind, path, f"its marker file cannot be written: {error.strerror}") from error
    return marker


def _sync_folder(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
