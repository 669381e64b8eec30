"""Making a backup: configuration, its last revisions, a copy of the database and every manifest, as one file.

It is made beside a running service. The file holds the configuration with its keys and passwords: only its owner
may read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from app import __version__
from app.backup.contents import CONFIG, DATABASE, DESCRIPTION, MANIFESTS, REVISIONS, Description, Member, sha256_of
from app.backup.publishing import OWNER_ONLY, put_in_place, unfinished_name
from app.backup.shelf import Backup, Keeping, backup_folder, drop_old, drop_unfinished, free_name
from app.config import files
from app.db import facts, journal
from app.db.clock import now
from app.db.connection import Database
from app.db.migrate import DATABASE_ID
from app.db.revisions import newest_revision
from app.db.snapshot import snapshot_into
from app.errors import BadRequest, Conflict, StateError
from app.files.manifest import MANIFEST_FOLDER
from app.files.own_files import read_own_file
from app.files.walk import open_folder
from app.model import Place, Root, RootKind
from app.services import Services

OWNER_ONLY_FOLDER = 0o700
#: Rows and paths repeat themselves: more effort makes it hardly smaller, and much slower.
COMPRESSION = 3


def make_backup(
    services: Services, config_path: str, target: str | None = None, keeping: Keeping | None = None
) -> Backup:
    """Write one file, durably, under a name that nothing has; what `keeping` does not keep beside it is removed.

    Raises BadRequest when the folder for it is not there, Conflict when the file itself is there already,
    StateError and ConfigError when something cannot be read.
    """
    folder = _folder_for(services, target)
    with _alone_in(folder):
        drop_unfinished(folder)
        path = os.path.abspath(target) if target else free_name(folder)
        if os.path.lexists(path):
            raise Conflict(f"{path} exists already; a backup replaces nothing.")
        made_at = now()
        try:
            made = _write(services, config_path, path, made_at)
            put_in_place(made, path)
        except OSError as error:
            raise StateError(f"The backup {path} cannot be written: {error.strerror or error}.") from error
        with open(path, "rb") as file:
            found = Backup(os.path.basename(path), path, os.path.getsize(path), made_at, sha256_of(file.read))
        if keeping:
            drop_old(folder, keeping)
    _record(services.db, found)
    return found


def _folder_for(services: Services, target: str | None) -> str:
    """Ours is made when it is missing. A person's is not: its disk may just not be mounted."""
    if target is None and not services.config.backup.dir:
        folder = backup_folder(services)
        os.makedirs(folder, mode=OWNER_ONLY_FOLDER, exist_ok=True)
        return folder
    folder = os.path.dirname(os.path.abspath(target)) if target else backup_folder(services)
    try:
        is_folder = stat.S_ISDIR(os.stat(folder).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_folder = False
    if not is_folder and target is None:
        raise StateError(f"There is no folder {folder} (backup.dir). Make it, or mount its disk, then try again.")
    if not is_folder:
        raise BadRequest(f"There is no folder {folder}. Make it, or mount its disk, then ask again.")
    return folder


@contextmanager
def _alone_in(folder: str) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(services: Services, config_path: str, path: str, made_at: str) -> str:
    made = unfinished_name(path)
    snapshot = f"{made}.sqlite"
    try:
        # The database first: manifests that it names are then certainly among those copied after it.
        snapshot_into(services.db.path, snapshot)
        small = _small_files(services, config_path)
        description = _describe(services, made_at, small, snapshot)
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION) as archive,
        ):
            _fill(archive, description, small, snapshot)
    except BaseException:
        if os.path.lexists(made):
            os.unlink(made)
        raise
    finally:
        if os.path.lexists(snapshot):
            os.unlink(snapshot)
    return made


class _Small:
    """A file small enough to be read as a whole: where from, and what it held when it was described."""

    def __init__(self, name: str, source: Place | bytes) -> None:
        self.name, self._source = name, source

    def content(self) -> bytes:
        """What it holds now. Raises StateError when it is gone."""
        if isinstance(self._source, bytes):
            return self._source
        found = read_own_file(self._source)
        if found is None:
            raise StateError(f"{self.name} vanished while the backup was made; try again.")
        return found


def _small_files(services: Services, config_path: str) -> list[_Small]:
    found = [_Small(CONFIG, _bytes_of(config_path))]
    for revision in reversed(files.list_revisions(config_path)):
        found.append(_Small(REVISIONS + os.path.basename(revision.path), _bytes_of(revision.path)))
    archive = services.root(RootKind.ARCHIVE)
    for name in list_manifests(archive):
        place = Place(archive, MANIFEST_FOLDER + b"/" + name)
        found.append(_Small(MANIFESTS + os.fsdecode(name), place))
    return found


def _bytes_of(path: str) -> bytes:
    """The file to the letter, also when it is no text."""
    return files.read_text(path, strict=False).encode("utf-8", "surrogateescape")


def list_manifests(archive: Root) -> list[bytes]:
    """The names of the manifests that the archive keeps. Raises StateError when its folder cannot be read."""
    try:
        descriptor = open_folder(archive, MANIFEST_FOLDER)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"The manifests in the archive cannot be read: {error.strerror}.") from error
    try:
        return sorted(name for name in map(os.fsencode, os.listdir(descriptor)) if name.endswith(b".json"))
    finally:
        os.close(descriptor)


def _describe(services: Services, made_at: str, small: Sequence[_Small], snapshot: str) -> Description:
    members = []
    for one in small:
        content = one.content()
        members.append(Member(one.name, len(content), hashlib.sha256(content).hexdigest()))
    with open(snapshot, "rb") as file:
        members.insert(1, Member(DATABASE, os.path.getsize(snapshot), sha256_of(file.read)))
    with services.db.reading() as conn:
        database_id = facts.find(conn, DATABASE_ID) or ""
    return Description(made_at, __version__, newest_revision(), database_id, tuple(members))


def _fill(archive: tarfile.TarFile, description: Description, small: Sequence[_Small], snapshot: str) -> None:
    mtime = int(datetime.fromisoformat(description.made_at).timestamp())
    text = description.as_json()
    archive.addfile(_header(DESCRIPTION, len(text), mtime), io.BytesIO(text))
    with open(snapshot, "rb") as file:
        archive.addfile(_header(DATABASE, os.path.getsize(snapshot), mtime), file)
    for one in small:
        content = one.content()
        archive.addfile(_header(one.name, len(content), mtime), io.BytesIO(content))


def _header(name: str, size_bytes: int, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size_bytes, mtime, OWNER_ONLY
    return header


def _record(db: Database, made: Backup) -> None:
    detail = {"name": made.name, "size_bytes": made.size_bytes}
    with db.transaction() as conn:
        facts.put(conn, facts.BACKUP_FAILED, "")
        journal.record(conn, "backup.made", f"The backup {made.name} was made.", detail=detail)
