"""Bringing a database to the newest schema, and refusing one that is damaged, newer or badly placed.

Every process calls `migrate` once when it starts. A lock beside the database keeps two starting processes
apart; a database that is already at the newest revision is only checked.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from app.db import facts, journal
from app.db.connection import Database
from app.db.filesystem import flush, refuse_network
from app.db.revisions import MIGRATIONS, known_revisions, newest_revision
from app.db.snapshot import OWNER_ONLY, copy_private
from app.errors import DatabaseDamaged, StateError

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

#: The fact under which a database keeps its identity; the markers of its root folders name it too.
DATABASE_ID = "database_id"


def migrate(path: str) -> None:
    """Make the database if there is none, else bring it to the newest revision after a backup.

    The whole change is one transaction: cut off, it leaves the old database. Raises StateError, with the
    database untouched, when it is damaged, was made by a newer version or lies on a network file system.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    refuse_network(os.fsencode(folder))
    with database_lock(path):
        found = read_revision(path)
        if found is not None:
            check_whole(path)
        if found == newest_revision():
            return
        refuse_newer(path, found)
        backup = _back_up(path, found) if found is not None else None
        _upgrade(path, found, backup)


def open_database(path: str) -> Database:
    """The database, ready for use. Raises StateError unless it is at the revision of this program."""
    found = read_revision(path)
    if found is None:
        raise StateError(f"There is no database at {path} yet; it is made when the program starts.")
    refuse_newer(path, found)
    if found != newest_revision():
        raise StateError(f"The database {path} is of an older version ({found}); restart the program to migrate it.")
    return Database(path)


def read_revision(path: str) -> str | None:
    """The revision of the database at this path; None when there is no file or it holds no table.

    Raises StateError when it is damaged or is something else than our database.
    """
    if not _holds_bytes(path):
        return None
    with _plain_words(path), closing(_connect(path)) as conn:
        tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise StateError(f"{path} is a database of another program; set system.db_path to another file.")
        row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise _damaged(path, "it does not say which version it is")
    return str(row[0])


def read_database_id(path: str) -> str | None:
    """The identity of the database at this path, or None when there is none yet. Raises StateError."""
    if read_revision(path) is None:
        return None
    with _plain_words(path), closing(_connect(path)) as conn:
        row = conn.execute("SELECT value FROM facts WHERE name = ?", (DATABASE_ID,)).fetchone()
    return str(row[0]) if row else None


def _holds_bytes(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StateError(f"The database {path} cannot be read: {error.strerror}.") from error


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def check_whole(path: str) -> None:
    """Raise StateError when the database at this path is damaged."""
    with _plain_words(path), closing(_connect(path)) as conn:
        answers = [" ".join(str(row[0]).split()) for row in conn.execute("PRAGMA quick_check(5)")]
    if answers != ["ok"]:
        raise _damaged(path, "; ".join(answers))


def refuse_newer(path: str, found: str | None) -> None:
    """Raise StateError for a revision that this program does not know."""
    if found is not None and found not in known_revisions():
        raise StateError(
            f"The database {path} was made by a newer version of Media Pipeline (revision {found}). "
            "Start that version again, or restore the backup that it made before it changed the database."
        )


def _back_up(path: str, revision: str) -> str:
    target = _free_backup_name(path, revision)
    with _plain_words(path):
        copy_private(path, target)
    for name in (target, os.path.dirname(target)):
        flush(name)
    return target


def _free_backup_name(path: str, revision: str) -> str:
    base = f"{os.path.abspath(path)}.backup-{revision}"
    number = 1
    while os.path.lexists(name := base if number == 1 else f"{base}-{number}"):
        number += 1
    return name


def _upgrade(path: str, found: str | None, backup: str | None) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY))
    db = Database(path)
    try:
        with db.transaction() as conn:
            _run_revisions(conn)
            if facts.find(conn, DATABASE_ID) is None:
                facts.put(conn, DATABASE_ID, str(uuid.uuid4()))
            if found is not None:
                message = f"The database went from version {found} to {newest_revision()}; backup: {backup}."
                journal.record(conn, "database.migrated", message)
        # Were the schema only in the -wal file, losing that file would look like an empty database.
        with db.engine.connect() as conn:
            conn.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _run_revisions(conn: Connection) -> None:
    from alembic import command

    config = _alembic_config()
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def _alembic_config() -> AlembicConfig:
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def database_lock(path: str) -> Iterator[None]:
    """Keep other processes from migrating this database or setting its roots up meanwhile; waits its turn."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _plain_words(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise StateError(f"The database {path} cannot be used: {error}.") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # Damage can also lie in the text of a name.
        raise _damaged(path, str(error)) from error


def _damaged(path: str, finding: str) -> DatabaseDamaged:
    return DatabaseDamaged(
        f"The database {path} is damaged ({finding}). Nothing was changed and no file will be moved. Stop the "
        "program; then `media-pipeline restore FILE` puts a backup in its place, or `media-pipeline rebuild` makes a "
        "new one from the manifests and the folders. The damaged file is kept either way."
    )
