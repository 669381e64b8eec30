"""Putting a backup back: database, configuration and missing manifests, while what is there is kept aside.

Files have moved on since the backup was made. So the restored database begins its life waiting: a rebuild puts its
rows right from the disk, keeping what they tell of the past, and a person confirms that before anything moves.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from app.backup.contents import MANIFESTS
from app.backup.making import list_manifests
from app.backup.publishing import keep_aside, put_in_place, stamp, unfinished_name
from app.backup.state import refuse_in_use, stopped_service
from app.backup.unpacking import Unpacked, remove_folder, unpacked
from app.config import files
from app.config.parse import Snapshot, parse
from app.config.schema import Config
from app.config.store import ConfigStore, changed_keys
from app.db import confirmation, journal, rebuild_rows
from app.db import roots as root_rows
from app.db.clock import now
from app.db.migrate import migrate, open_database
from app.db.snapshot import create_private
from app.errors import ConfigError, Conflict, FileError, MediaPipelineError, TargetExists
from app.files.manifest import MANIFEST_FOLDER
from app.files.markers import Marker, read_marker, write_marker
from app.files.own_files import write_new_file
from app.files.roots import configured_roots
from app.model import Place, Root, RootKind

WHY_ENDED = "The database was restored from a backup; whatever was under way is taken up again afterwards."


@dataclass
class Restored:
    """What a restore did, or with a dry run would do."""

    made_at: str
    database_id: str
    db_path: str
    config_path: str
    manifests: int = 0
    changed_keys: list[str] = field(default_factory=list)
    manifests_put_back: int = 0
    #: Manifests that the archive has with other content; they stay as they are.
    manifests_differing: list[str] = field(default_factory=list)
    folders_unmarked: list[str] = field(default_factory=list)
    kept_database: str | None = None
    kept_config: str | None = None
    is_dry: bool = False


@dataclass(frozen=True)
class Wish:
    """How a person wants it: look only; leave the configuration as it is; mark folders that lost their markers."""

    is_dry: bool = False
    keeps_config: bool = False
    marks_folders: bool = False
    #: A mere look, after which nothing is to follow, may be taken while the service runs.
    is_look_alone: bool = False


def restore(config_path: str, backup_path: str, wish: Wish, environment: dict[str, str]) -> Restored:
    """Verify a backup and put it back.

    Raises BadRequest for a file that is no whole backup, Conflict when the folders belong to another database or the
    service runs, StateError for a backup of a newer version, ConfigError.
    """
    work = os.path.join(os.path.dirname(os.path.abspath(config_path)), f"restore.new-{uuid.uuid4().hex}")
    _drop_unfinished(os.path.dirname(work))
    with unpacked(os.path.abspath(backup_path), work) as found:
        snapshot = _config_of(config_path, found, wish, environment)
        config = snapshot.config
        planned = Restored(
            found.description.made_at, found.description.database_id, config.system.db_path, config_path,
            manifests=len(found.description.manifests()), is_dry=wish.is_dry or wish.is_look_alone,
        )  # fmt: skip
        planned.changed_keys = _changed(config_path, config, environment)
        planned.folders_unmarked = _check_folders(config, found.description.database_id)
        if wish.is_look_alone:
            return planned
        with _stopped({config.system.db_path, *_db_path_in_force(config_path, environment)}):
            if not wish.is_dry:
                _put_back(found, snapshot, planned, wish)
                _record(planned, os.path.basename(backup_path))
    return planned


def _drop_unfinished(folder: str) -> None:
    """What a restore that was killed has unpacked."""
    for name in os.listdir(folder):
        if name.startswith("restore.new-"):
            remove_folder(os.path.join(folder, name))


def _config_of(config_path: str, found: Unpacked, wish: Wish, environment: dict[str, str]) -> Snapshot:
    text = files.read_text(config_path) if wish.keeps_config else found.config_text
    return parse(text, environment, config_path)


def _changed(config_path: str, wanted: Config, environment: dict[str, str]) -> list[str]:
    """The settings that will differ from those in force; all of them, in a word, when those cannot be read."""
    try:
        return changed_keys(parse(files.read_text(config_path), environment, config_path).config, wanted)
    except ConfigError:
        return ["all"]


def _db_path_in_force(config_path: str, environment: dict[str, str]) -> list[str]:
    """Where the database of the service lies that may run now; empty when no service can have been started there."""
    try:
        path = ConfigStore(config_path, environment).load().config.system.db_path
        os.stat(os.path.dirname(os.path.abspath(path)))
    except (ConfigError, FileNotFoundError, NotADirectoryError):
        return []
    return [path]


@contextmanager
def _stopped(db_paths: set[str]) -> Iterator[None]:
    """Keep the service off these databases. Raises Conflict while it runs on one of them."""
    with ExitStack() as held:
        for path in sorted(db_paths):
            held.enter_context(stopped_service(path))
            refuse_in_use(path)
        yield


def _check_folders(config: Config, database_id: str) -> list[str]:
    """Raise Conflict when a folder belongs to another database; returns the paths of those without a marker."""
    unmarked = []
    for kind, path in configured_roots(config):
        marker = read_marker(kind, path)
        if marker is None:
            unmarked.append(os.fsdecode(path))
        elif marker.database_id != database_id:
            raise Conflict(
                f"The {kind} folder {os.fsdecode(path)} belongs to the database {marker.database_id}, and the backup "
                f"is one of {database_id}. Restore a backup of that database, or correct the folders in the settings."
            )
    return unmarked


# --- doing it


def _put_back(found: Unpacked, snapshot: Snapshot, planned: Restored, wish: Wish) -> None:
    made = _ready_database(found, planned)
    planned.kept_database = keep_aside(planned.db_path)
    put_in_place(made, planned.db_path)
    if not wish.keeps_config:
        planned.kept_config = _put_config(planned.config_path, found)
    db = open_database(planned.db_path)
    try:
        with db.reading() as conn:
            known = root_rows.list_all(conn)
        if wish.marks_folders:
            _mark(snapshot.config, known, planned)
        _put_manifests(snapshot.config, known, found, planned)
    finally:
        db.close()


def _ready_database(found: Unpacked, planned: Restored) -> str:
    """The database beside its place, at the newest schema, and waiting from its first moment on."""
    made = unfinished_name(planned.db_path)
    create_private(made)
    shutil.copyfile(found.database, made)
    migrate(made)
    db = open_database(made)
    try:
        with db.transaction() as conn:
            rebuild_rows.end_unfinished_work(conn, WHY_ENDED)
            confirmation.require(conn, now(), confirmation.RESTORED)
        db.checkpoint()
    finally:
        db.close()
        _drop_companions(made)
    return made


def _drop_companions(made: str) -> None:
    """What the migration of the copy left beside it: its lock, and its own backup."""
    folder, name = os.path.split(made)
    for found in os.listdir(folder):
        if found.startswith(name) and found != name:
            os.unlink(os.path.join(folder, found))


def _put_config(config_path: str, found: Unpacked) -> str | None:
    """The configuration in place, the one that was there beside it under another name."""
    kept = None
    with files.save_lock(config_path):
        if files.file_state(config_path) is not None:
            kept = f"{config_path}.kept-{stamp()}-{uuid.uuid4().hex[:6]}"
            create_private(kept)
            shutil.copy2(config_path, kept)
            files.keep_revision(config_path, files.read_text(config_path, strict=False), "file")
        files.replace_text(config_path, found.config_text)
        files.keep_revision(config_path, found.config_text, "restore")
    return kept


def _mark(config: Config, known: Sequence[Root], planned: Restored) -> None:
    """The folders lost their markers and a person says that they are the right ones: they are marked again."""
    by_path = {(root.kind, root.path): root for root in known}
    for kind, path in configured_roots(config):
        root = by_path.get((kind, path))
        if root is not None and read_marker(kind, path) is None:
            write_marker(kind, path, Marker(root.marker_id, planned.database_id))
    for root in known:
        if root.kind is RootKind.STAGING and os.path.isdir(root.path) and read_marker(root.kind, root.path) is None:
            write_marker(root.kind, root.path, Marker(root.marker_id, planned.database_id))


def _put_manifests(config: Config, known: Sequence[Root], found: Unpacked, planned: Restored) -> None:
    """Manifests that the archive lacks; one that it has with other content stays, and is told of."""
    places = [path for kind, path in configured_roots(config) if kind is RootKind.ARCHIVE]
    archive = next((root for root in known if root.kind is RootKind.ARCHIVE and root.path in places), None)
    if archive is None:
        return
    there = set(list_manifests(archive))
    for member in found.description.manifests():
        name = os.fsencode(member.name.removeprefix(MANIFESTS))
        try:
            write_new_file(Place(archive, MANIFEST_FOLDER + b"/" + name), found.read(member.name))
            planned.manifests_put_back += name not in there
        except TargetExists:
            planned.manifests_differing.append(os.fsdecode(name))
        except (FileError, MediaPipelineError) as error:
            planned.manifests_differing.append(f"{os.fsdecode(name)}: {error}")


def _record(planned: Restored, name: str) -> None:
    detail = {
        "name": name,
        "made_at": planned.made_at,
        "kept_aside": [kept for kept in (planned.kept_database, planned.kept_config) if kept],
    }
    words = f"The database and the configuration are those of a backup made at {planned.made_at}."
    db = open_database(planned.db_path)
    try:
        with db.transaction() as conn:
            journal.record(conn, "backup.restored", words, level="warning", detail=detail)
    finally:
        db.close()
