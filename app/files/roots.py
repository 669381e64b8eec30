"""Root folders: their set-up, and the checks that an unmounted or foreign folder cannot pass."""

from __future__ import annotations

import errno
import os
import stat
import uuid

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import facts, journal, roots
from app.db.clock import now
from app.db.connection import Database
from app.db.migrate import DATABASE_ID, database_lock
from app.errors import RootUnavailable, StateError, printable
from app.files.container import is_inside_container
from app.files.markers import MARKER_NAME, Marker, read_marker, write_marker
from app.files.preflight import preflight
from app.model import Root, RootKind

__all__ = [
    "MARKER_NAME",
    "add_missing_roots",
    "check_root",
    "check_roots",
    "configured_roots",
    "find_roots",
    "free_bytes",
    "preflight",
    "refuse_foreign_markers",
    "set_up_roots",
    "were_set_up",
]

STAGING_NAME = b".mp-staging"

#: The fact that closes the time in which missing folders and markers are made.
SET_UP_AT = "set_up_at"


def configured_roots(config: Config) -> list[tuple[RootKind, bytes]]:
    """Every root that the configuration names, but staging, whose place depends on the mounts."""
    named = [
        (RootKind.INGEST, config.paths.source_dir),
        (RootKind.BATCH, config.paths.batch_dir),
        (RootKind.ARCHIVE, config.paths.sorted_dir),
        (RootKind.DUPLICATES, config.paths.duplicates_dir),
    ]
    if config.sync_target == "folder":
        named.append((RootKind.DELIVERY, config.sync.folder_dir))
    return [(kind, normal_path(path)) for kind, path in named if path]


def staging_places(config: Config) -> tuple[bytes, bytes]:
    """Where staging may be: beside the batch folder, or inside it when a rename between the two fails."""
    batch = normal_path(config.paths.batch_dir)
    return os.path.join(os.path.dirname(batch), STAGING_NAME), os.path.join(batch, STAGING_NAME)


def normal_path(path: str) -> bytes:
    """The one spelling of a configured folder, as stored in the roots table."""
    return os.fsencode(os.path.normpath(path))


def set_up_roots(db: Database, config: Config) -> list[Root]:
    """Make folders, markers and rows while the database is new; afterwards only look them up.

    Raises RootUnavailable when, later, a folder or its marker is missing or a path was not added yet, and
    StateError when a folder belongs to another database.
    """
    if were_set_up(db):
        found = find_roots(db, config)
        check_roots(db, found)
        return found
    made = add_missing_roots(db, config)
    with db.transaction() as conn:
        facts.put(conn, SET_UP_AT, now())
    return made


def were_set_up(db: Database) -> bool:
    """Whether the first start is over: since then, a missing folder or marker means an unmounted disk or share."""
    with db.reading() as conn:
        return facts.find(conn, SET_UP_AT) is not None


def add_missing_roots(db: Database, config: Config) -> list[Root]:
    """The explicit act: every configured path without a row gets its folder, marker and row.

    A path that has a row is only checked. Nothing is made when one folder belongs to another database.
    """
    with database_lock(db.path):
        refuse_foreign_markers(config, _database_id(db))
        made = [_add(db, kind, path) for kind, path in configured_roots(config)]
        made.append(_add(db, RootKind.STAGING, _choose_staging(db, config)))
    check_roots(db, made)
    return made


def add_staging(db: Database, config: Config) -> None:
    """Make the staging folder, its marker and its row, if there is no row: nothing else has to be made for it."""
    with db.reading() as conn:
        known = [roots.find(conn, RootKind.STAGING, path) for path in staging_places(config)]
    if not any(known):
        _add(db, RootKind.STAGING, _choose_staging(db, config))


def find_roots(db: Database, config: Config) -> list[Root]:
    """The rows of the configured roots; those that have none yet are left out."""
    with db.reading() as conn:
        found = [roots.find(conn, kind, path) for kind, path in configured_roots(config)]
        staging = [roots.find(conn, RootKind.STAGING, path) for path in staging_places(config)]
    known = [root for root in staging if root is not None]
    newest = [max(known, key=lambda root: root.id)] if known else []
    return [root for root in found if root is not None] + newest


def check_roots(db: Database, checked: list[Root]) -> None:
    """Raise RootUnavailable unless every one of these roots is mounted, ours and lasting."""
    database_id = _database_id(db)
    for root in checked:
        check_root(root, database_id)


def check_root(root: Root, database_id: str) -> None:
    """Raise RootUnavailable unless this folder is there and its marker names this root and database."""
    _check_folder(root.kind, root.path)
    marker = read_marker(root.kind, root.path)
    if marker is None:
        reason = f"its marker file {printable(MARKER_NAME)} is missing; is the disk or share mounted"
        raise RootUnavailable(root.kind, root.path, reason)
    if marker != Marker(root.marker_id, database_id):
        reason = "its marker file belongs to another folder or installation; is the right disk or share mounted here"
        raise RootUnavailable(root.kind, root.path, reason)


def refuse_foreign_markers(config: Config, database_id: str | None) -> None:
    """Raise StateError when a configured folder carries the marker of another database.

    A fresh, empty database must never take over folders whose history lies in another one.
    """
    for kind, path in configured_roots(config):
        marker = read_marker(kind, path)
        if marker is not None and marker.database_id != database_id:
            raise StateError(_foreign_words(path, config.system.db_path, marker, database_id))


def _foreign_words(path: bytes, db_path: str, marker: Marker, database_id: str | None) -> str:
    state = "is missing or empty" if database_id is None else "is another one"
    return (
        f"The folder {printable(path)} belongs to the database {marker.database_id}, but {db_path} {state}. "
        "Put that database back in its place, or let `media-pipeline restore FILE` do that from a backup, or let "
        "`media-pipeline rebuild` make it again from the manifests and the folders; to start over on purpose, "
        f"remove the file {printable(MARKER_NAME)} from every folder of this installation."
    )


def free_bytes(root: Root) -> int:
    """Room that this process may use on the root's file system. Raises RootUnavailable."""
    try:
        answer = os.statvfs(root.path)
    except OSError as error:
        raise RootUnavailable(root.kind, root.path, str(error.strerror)) from error
    return answer.f_bavail * answer.f_frsize


def _database_id(db: Database) -> str:
    with db.reading() as conn:
        found = facts.find(conn, DATABASE_ID)
    if found is None:
        raise StateError(f"The database {db.path} has no identity; it was not made by this program.")
    return found


def _add(db: Database, kind: RootKind, path: bytes) -> Root:
    with db.reading() as conn:
        known = roots.find(conn, kind, path)
    if known is not None:
        return known
    _make_folder(kind, path)
    _check_folder(kind, path)
    marker = read_marker(kind, path) or write_marker(kind, path, Marker(str(uuid.uuid4()), _database_id(db)))
    with db.transaction() as conn:
        return _insert(conn, kind, path, marker)


def _insert(conn: Connection, kind: RootKind, path: bytes, marker: Marker) -> Root:
    root = roots.find(conn, kind, path)
    if root is None:
        root = roots.add(conn, kind, path, marker.root_id)
        journal.record(conn, "root.created", f"The {kind} folder {printable(path)} was set up.")
    return root


def _make_folder(kind: RootKind, path: bytes) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise RootUnavailable(kind, path, f"it cannot be made: {error.strerror}") from error


def _check_folder(kind: RootKind, path: bytes) -> None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise RootUnavailable(kind, path, "it does not exist; is the disk or share mounted") from None
    except OSError as error:
        raise RootUnavailable(kind, path, str(error.strerror)) from error
    if not stat.S_ISDIR(found.st_mode):
        raise RootUnavailable(kind, path, "it is not a folder")
    if is_inside_container(path):
        reason = "it lies inside the container and would vanish with it; mount a volume there"
        raise RootUnavailable(kind, path, reason)


def _choose_staging(db: Database, config: Config) -> bytes:
    beside, inside = staging_places(config)
    with db.reading() as conn:
        for path in (inside, beside):
            if roots.find(conn, RootKind.STAGING, path) is not None:
                return path
    return beside if _folders_can_be_renamed(beside, normal_path(config.paths.batch_dir)) else inside


def _folders_can_be_renamed(source: bytes, target: bytes) -> bool:
    name = b".mp-" + uuid.uuid4().hex.encode() + b".probe"
    try:
        os.makedirs(source, exist_ok=True)
        os.mkdir(os.path.join(source, name))
    except OSError:
        return False
    place = source
    try:
        os.rename(os.path.join(source, name), os.path.join(target, name))
        place = target
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS):
            raise
    finally:
        os.rmdir(os.path.join(place, name))
    return place == target
