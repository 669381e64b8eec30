"""What a stage, a route or a command works with: one configuration, its database and its root folders."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.config.changes import changed_keys
from app.config.schema import Config
from app.config.store import ConfigStore, Revision, Snapshot
from app.db import config_revisions, facts, journal, moves, policy_change
from app.db.connection import Database
from app.db.migrate import migrate, open_database, read_database_id, read_revision
from app.errors import ConfigError, Conflict, NotFound, RootUnavailable, StateError
from app.files.disk import MEDIA, Disk
from app.files.roots import configured_roots, find_roots, refuse_foreign_markers, set_up_roots
from app.log import follow_level, get_logger
from app.model import Root, RootKind

#: The setting that names each kind of root, for messages about one that was not set up.
SETTINGS = {
    RootKind.INGEST: "paths.source_dir",
    RootKind.BATCH: "paths.batch_dir",
    RootKind.STAGING: "paths.batch_dir",
    RootKind.ARCHIVE: "paths.sorted_dir",
    RootKind.DUPLICATES: "paths.duplicates_dir",
    RootKind.DELIVERY: "sync.folder_dir",
}

#: The settings that say where files are.
PLACES = (
    "paths.source_dir",
    "paths.duplicates_dir",
    "paths.batch_dir",
    "paths.sorted_dir",
    "sync.folder_dir",
    "system.db_path",
)


@dataclass(frozen=True)
class Services:
    """One configuration with what it names; never changed, replaced as a whole when the configuration moves."""

    config: Config
    revision: str
    db: Database
    roots: Mapping[RootKind, tuple[Root, ...]]
    state_dir: Path
    #: The media as stages change them and look at them; an imagined one in a preview.
    disk: Disk = MEDIA

    @property
    def backup_dir(self) -> Path:
        """Where backups lie when no file was named: backup.dir, else beside the database."""
        return Path(self.config.backup.dir) if self.config.backup.dir else self.state_dir / "backups"

    def root(self, kind: RootKind) -> Root:
        """The root of this kind. Raises RootUnavailable when it was not set up."""
        found = self.roots.get(kind, ())
        if not found:
            setting = SETTINGS.get(kind, kind.value)
            raise RootUnavailable(kind, b"", f"{setting} was not set up yet; set it up to make its folder and marker")
        return found[0]

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def open_services(snapshot: Snapshot) -> Services:
    """Open the database, which must be migrated, and look up the configured roots.

    Raises StateError, which tells a database that was lost from one that was never made.
    """
    refuse_lost_database(snapshot.config)
    db = open_database(snapshot.config.system.db_path)
    return _services(snapshot, db)


def set_up(snapshot: Snapshot) -> Services:
    """What each process does once when it starts: migrate, set the roots up while the database is new, open.

    Raises StateError before anything is made when the folders belong to a database that is not there, and
    RootUnavailable when a folder or its marker has gone missing since set-up.
    """
    db_path = snapshot.config.system.db_path
    database_id = read_database_id(db_path)
    try:
        refuse_foreign_markers(snapshot.config, database_id)
    except RootUnavailable:
        # A disk that cannot be read must not keep a database that is there from its migration.
        if database_id is None:
            raise
    _migrate(snapshot, is_new=database_id is None)
    db = open_database(db_path)
    try:
        set_up_roots(db, snapshot.config)
    except BaseException:
        db.close()
        raise
    return _services(snapshot, db)


def _migrate(snapshot: Snapshot, *, is_new: bool) -> None:
    db_path = snapshot.config.system.db_path
    try:
        migrate(db_path)
    except OSError as error:
        reason = error.strerror or str(error)
        if not is_new:
            raise StateError(f"The database {db_path} cannot be brought up to date: {reason}.") from error
        beside = os.path.join(os.path.dirname(os.path.abspath(snapshot.path or "data/config.yaml")), "db.sqlite")
        raise StateError(
            f"The database cannot be made at {db_path}: {reason}. Set system.db_path to a file in a folder on a local "
            f"disk that this user may write, as in {beside}; logs and backups of it go beside it."
        ) from error


def refuse_lost_database(config: Config) -> None:
    """Raise StateError, with the ways out, when there is no database although the folders belong to one."""
    if read_revision(config.system.db_path) is not None:
        return
    with suppress(RootUnavailable):  # a folder that cannot be read proves nothing
        refuse_foreign_markers(config, None)


def _services(snapshot: Snapshot, db: Database) -> Services:
    by_kind: dict[RootKind, tuple[Root, ...]] = {}
    for root in find_roots(db, snapshot.config):
        by_kind[root.kind] = (*by_kind.get(root.kind, ()), root)
    state_dir = Path(os.path.dirname(os.path.abspath(db.path)))
    return Services(snapshot.config, snapshot.revision, db, by_kind, state_dir)


def refuse_path_change(db: Database, old: Config, new: Config) -> None:
    """Raise Conflict when a save would move folders or the database while files are on their way.

    A move that was begun is finished, or undone, where it was begun.
    """
    moved = [path for path in changed_keys(old, new) if path in PLACES]
    if not moved:
        return
    with db.reading() as conn:
        is_moving = moves.has_open(conn)
    if is_moving:
        raise Conflict(
            f"{', '.join(moved)} cannot be changed while files are being moved; try again when that is done."
        )


def roots_were_added(services: Services) -> bool:
    """Whether a configured folder that was not set up when these services were opened has been set up since."""
    wanted = {kind for kind, _ in configured_roots(services.config)} | {RootKind.STAGING}
    if wanted <= set(services.roots):
        return False
    known = {root for of_kind in services.roots.values() for root in of_kind}
    return set(find_roots(services.db, services.config)) != known


def note_revision(db: Database, before: Config | None, snapshot: Snapshot, actor: str) -> None:
    """Write down that another configuration is in force, unless some process did already; keys, never values."""
    with db.transaction() as conn:
        last = config_revisions.find_last(conn)
        if last is not None and last.digest == snapshot.revision:
            return
        changed = changed_keys(before, snapshot.config) if before is not None else []
        config_revisions.add(conn, snapshot.revision, actor, changed)
        words = ", ".join(changed) or "no setting"
        message = f"The configuration was changed by {actor}: {words}."
        detail = {"revision": snapshot.revision, "actor": actor, "changed_keys": changed}
        journal.record(conn, "config.saved", message, detail=detail)


def follow_policy(db: Database, config: Config) -> None:
    """Let batches that are not sorted yet follow sync.peer_policy, unless some process did that already."""
    with db.reading() as conn:
        affected = policy_change.list_affected(conn, config.sync.peer_policy)
    if affected:
        with db.transaction() as conn:
            policy_change.follow(conn, config)


def note_fault(db: Database, fault: ConfigError | None, fallback: Revision | None = None) -> None:
    """Write down that the file on disk has faults and is not in force, once for all processes that see it."""
    words = str(fault) if fault is not None else ""
    with db.transaction() as conn:
        if facts.find(conn, "config_fault") == words:
            return
        facts.put(conn, "config_fault", words)
        if fault is not None:
            problems = [p.sentence() for p in fault.problems]
            message = f"The configuration file has faults and {in_force_instead(fallback)}: {words}"
            journal.record(conn, "config.rejected", message, level="warning", detail={"problems": problems})


def in_force_instead(fallback: Revision | None) -> str:
    """What is in force while the file has faults, as half a sentence."""
    if fallback is None:
        return "the last good one stays in force"
    return f"the revision saved at {fallback.at[:19]}Z by {fallback.actor} is in force instead"


class ServiceContainer:
    """Hands out the services of the configuration in force, rebuilt when its revision moves.

    Whoever still works with older services keeps them; their database is closed when the last one lets go.
    """

    def __init__(self, path: str) -> None:
        self.store = ConfigStore(path)
        self.store.guard, self.store.saved = self._guard, self._saved
        #: Why the newest configuration is not in force although it is valid, else None.
        self.fault: StateError | None = None
        self._lock = threading.RLock()
        self._services: Services | None = None
        self._refused: str | None = None
        self._noted: Config | None = None
        self._told: ConfigError | None = None

    @property
    def services(self) -> Services:
        """The services of the newest usable configuration. Raises ConfigError or StateError when there is none yet."""
        with self._lock:
            snapshot = self.store.current()
            if self._services is None:
                self._services = self._open(snapshot)
            elif snapshot.revision not in (self._services.revision, self._refused):
                self._services = self._renewed(self._services, snapshot)
            elif snapshot.revision == self._services.revision and roots_were_added(self._services):
                self._services = self._open(snapshot)
            if self.store.fault is not self._told:
                self._tell_fault(self._services.db)
            return self._services

    @property
    def fault_words(self) -> str | None:
        """Why the newest configuration is not in force, each fault with its place; None when it is."""
        if self.store.fault is not None:
            return self.store.fault.placed(os.path.basename(self.store.path))
        return str(self.fault) if self.fault is not None else None

    def _tell_fault(self, db: Database) -> None:
        self._told, fallback = self.store.fault, self.store.fallback
        if self._told is not None and fallback is not None:
            # The file stays as it is: only a person can tell what was meant.
            what = f"the configuration file has faults and {in_force_instead(fallback)}"
            get_logger().error(what, faults=[problem.placed(self.store.path) for problem in self._told.problems])
        note_fault(db, self._told, fallback)

    def close(self) -> None:
        """Close the database of the services in force, for a caller that is done with them; asked again, it is opened
        anew."""
        with self._lock:
            if self._services is not None:
                self._services.close()
            self._services = None

    def _renewed(self, old: Services, snapshot: Snapshot) -> Services:
        """A valid configuration may still name a database that cannot be used: then the old one stays in force."""
        try:
            return self._open(snapshot)
        except StateError as error:
            self.fault, self._refused = error, snapshot.revision
            get_logger().warning("the new configuration cannot be used; the old one stays in force", why=str(error))
            return old

    def _open(self, snapshot: Snapshot) -> Services:
        services = open_services(snapshot)
        weakref.finalize(services, services.db.close)
        self.fault = self._refused = None
        before = self._noted or self._last_noted(services.db)
        note_revision(services.db, before, snapshot, self.store.saver_of(snapshot.revision))
        follow_policy(services.db, snapshot.config)
        self._noted = snapshot.config
        self.store.keep_in_force()
        follow_level(snapshot.config.system.log_level)
        return services

    def _last_noted(self, db: Database) -> Config | None:
        """The configuration that was in force when the program last ran, if its text was kept."""
        with db.reading() as conn:
            last = config_revisions.find_last(conn)
        try:
            return self.store.load_revision(last.digest).config if last is not None else None
        except (NotFound, ConfigError):
            return None

    def _guard(self, old: Config, new: Config) -> None:
        if self._services is not None:
            refuse_path_change(self._services.db, old, new)

    def _saved(self, before: Config | None, snapshot: Snapshot, actor: str) -> None:
        if self._services is not None:
            note_revision(self._services.db, before, snapshot, actor)
            follow_policy(self._services.db, snapshot.config)
            self._noted = snapshot.config
