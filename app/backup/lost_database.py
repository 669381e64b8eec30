"""When the database is lost or damaged: a new one with the old identity, which then waits to be filled by a rebuild.

Its identity, and those of the folders, are read from the markers in the folders. It is made under another name and
put in place as a whole; from its first moment on nothing moves until a person has confirmed what the rebuild found.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from app.backup.publishing import keep_aside, put_in_place, unfinished_name
from app.backup.state import DatabaseState, look_at_database, refuse_in_use, stopped_service
from app.config.schema import Config
from app.db import confirmation, facts, journal, rebuild_rows
from app.db.clock import now
from app.db.connection import Database
from app.db.migrate import DATABASE_ID, migrate, open_database
from app.errors import Conflict, RootUnavailable, StateError, printable
from app.files.markers import Marker, read_marker
from app.files.roots import SET_UP_AT, add_staging, configured_roots, staging_places
from app.model import RootKind


@dataclass(frozen=True)
class Prepared:
    """What was done so that a rebuild can begin: what the database was, and where the old one is kept, if any was."""

    state: DatabaseState
    kept_aside: str | None = None
    is_resumed: bool = False


def prepare_rebuild(config: Config, *, force_new: bool = False) -> Prepared:
    """See to it that there is a database which a rebuild may fill.

    One that is missing or damaged is made anew; the damaged one is kept under another name. A healthy one is refused,
    unless a rebuild of it was begun, or `force_new` says so: then it is kept aside too. Raises Conflict, also while
    the service runs, StateError, and RootUnavailable when a folder or its marker is missing.
    """
    path = config.system.db_path
    with stopped_service(path):
        state, words = (DatabaseState.DAMAGED, "") if force_new else look_at_database(path)
        if state is DatabaseState.HEALTHY:
            return _prepare_healthy(path, words)
        markers = read_markers(config)
        refuse_in_use(path)
        made = _make(config, markers)
        kept = keep_aside(path)
        try:
            put_in_place(made, path)
        except StateError:
            os.unlink(made)
            raise
    db = open_database(path)
    try:
        _begin(db, confirmation.REBUILT, kept)
        add_staging(db, config)
    finally:
        db.close()
    return Prepared(state, kept)


def _prepare_healthy(path: str, words: str) -> Prepared:
    migrate(path)
    db = open_database(path)
    try:
        with db.reading() as conn:
            is_begun = confirmation.awaited_since(conn) is not None
    finally:
        db.close()
    if is_begun:
        return Prepared(DatabaseState.HEALTHY, is_resumed=True)
    raise Conflict(
        f"{words} Nothing needs to be rebuilt. To put its rows right where they differ from the disk, use "
        "`media-pipeline rebuild --compare`; to make a new one from the folders all the same, and keep this one "
        "aside, `media-pipeline rebuild --force-new`."
    )


def _begin(db: Database, cause: str, kept: str | None) -> None:
    with db.transaction() as conn:
        words = f"The database {confirmation.WORDS[cause]}; every manifest and every file is looked at next."
        words += f" The old one is kept as {kept}." if kept else ""
        detail = {"cause": cause, "kept_aside": kept}
        journal.record(conn, "rebuild.started", words, level="warning", detail=detail)


def read_markers(config: Config) -> list[tuple[RootKind, bytes, Marker]]:
    """(kind, path, marker) of every configured folder; they must all name one database.

    A disk for deliveries may be away. Raises RootUnavailable for any other folder without a marker, and StateError
    when markers name different databases or there is none at all.
    """
    found, missing = [], []
    for kind, path in configured_roots(config):
        marker = read_marker(kind, path)
        if marker is not None:
            found.append((kind, path, marker))
        elif kind is not RootKind.DELIVERY:
            missing.append((kind, path))
    if not found:
        raise StateError(
            "None of the configured folders carries a marker, so there is nothing to rebuild from. Mount the disks, "
            "or, on a new installation, use `media-pipeline setup`."
        )
    if missing:
        reason = "it, or its marker file, is missing; mount its disk or share, or put the right path into the settings"
        raise RootUnavailable(missing[0][0], missing[0][1], reason)
    _refuse_several(found)
    inside_first = reversed(staging_places(config))
    staged = [(place, marker) for place in inside_first if (marker := read_marker(RootKind.STAGING, place))]
    return [*found, *((RootKind.STAGING, place, marker) for place, marker in staged[:1])]


def _refuse_several(found: list[tuple[RootKind, bytes, Marker]]) -> None:
    first = found[0]
    for kind, path, marker in found:
        if marker.database_id != first[2].database_id:
            raise StateError(
                f"The {first[0]} folder {printable(first[1])} belongs to the database {first[2].database_id}, but the "
                f"{kind} folder {printable(path)} to {marker.database_id}. Put the right folders into the settings."
            )


def _make(config: Config, markers: list[tuple[RootKind, bytes, Marker]]) -> str:
    """A new database under a name of its own, complete and closed."""
    made = unfinished_name(config.system.db_path)
    migrate(made)
    db = open_database(made)
    try:
        with db.transaction() as conn:
            facts.put(conn, DATABASE_ID, markers[0][2].database_id)
            facts.put(conn, SET_UP_AT, now())
            confirmation.require(conn, now(), confirmation.REBUILT)
            for kind, path, marker in markers:
                rebuild_rows.add_root(conn, kind.value, path, marker.root_id)
        db.checkpoint()
    finally:
        db.close()
        os.unlink(f"{made}.lock")
    return made
