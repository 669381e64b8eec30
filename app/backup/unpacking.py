"""Taking a backup apart: every member is checked against the description before anything is believed.

Nothing is extracted by the name that an archive gives it: what is known goes to names of our own in a folder of our
own, everything else refuses the whole file.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from app.backup.contents import (
    CONFIG,
    DATABASE,
    DESCRIPTION,
    DESCRIPTION_MAX_BYTES,
    Description,
    Member,
    copy_through,
    read_description,
)
from app.db.migrate import check_whole, read_database_id, read_revision, refuse_newer
from app.errors import BadRequest, StateError

OWNER_ONLY, OWNER_ONLY_FOLDER = 0o600, 0o700


@dataclass(frozen=True)
class Unpacked:
    """A backup whose every member was found as described, in a folder of our own."""

    description: Description
    folder: str
    #: Member name → path.
    paths: dict[str, str]

    def read(self, name: str) -> bytes:
        """The bytes of a small member."""
        with open(self.paths[name], "rb") as file:
            return file.read()

    @property
    def config_text(self) -> str:
        """The configuration in it."""
        return self.read(CONFIG).decode("utf-8", "surrogateescape")

    @property
    def database(self) -> str:
        """Where its database lies."""
        return self.paths[DATABASE]


@contextmanager
def unpacked(path: str, folder: str) -> Iterator[Unpacked]:
    """Unpack a backup into a new folder, which is removed at the end.

    Raises BadRequest when the file is no backup, is damaged or holds anything but what it describes.
    """
    os.mkdir(folder, OWNER_ONLY_FOLDER)
    try:
        with _reading(path) as archive:
            found = _unpack(archive, folder)
        _check_database(found)
        yield found
    finally:
        remove_folder(folder)


def remove_folder(folder: str) -> None:
    """Remove a folder of ours, which holds nothing but plain files."""
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


@contextmanager
def _reading(path: str) -> Iterator[tarfile.TarFile]:
    try:
        with open(path, "rb") as file, closing(tarfile.open(fileobj=file, mode="r|gz")) as archive:
            yield archive
    except FileNotFoundError:
        raise BadRequest(f"There is no file {path}.") from None
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BadRequest(f"{path} is no backup of Media Pipeline, or it is damaged ({error}).") from error
    except BadRequest as error:
        raise BadRequest(f"{path} cannot be restored. {error}") from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}.") from error


def _unpack(archive: tarfile.TarFile, folder: str) -> Unpacked:
    description = _describe(archive)
    expected = {member.name: member for member in description.members}
    paths: dict[str, str] = {}
    # Not by iterating over the archive: that would begin with its first member again.
    while (header := archive.next()) is not None:
        member = expected.get(header.name)
        if member is None or header.name in paths or not header.isreg():
            raise BadRequest(f"It holds {header.name!r}, which it does not describe.")
        paths[member.name] = os.path.join(folder, str(len(paths)))
        _write(archive, header, member, paths[member.name])
    missing = sorted(set(expected) - set(paths))
    if missing:
        raise BadRequest(f"{missing[0]} is missing in it.")
    return Unpacked(description, folder, paths)


def _describe(archive: tarfile.TarFile) -> Description:
    first = archive.next()
    if first is None or first.name != DESCRIPTION or not first.isreg() or first.size > DESCRIPTION_MAX_BYTES:
        raise BadRequest(f"Its first member is not {DESCRIPTION}.")
    file = archive.extractfile(first)
    return read_description(file.read() if file is not None else b"")


def _write(archive: tarfile.TarFile, header: tarfile.TarInfo, member: Member, path: str) -> None:
    source = archive.extractfile(header)
    if source is None or header.size != member.size_bytes:
        raise BadRequest(f"{member.name} has another size than described.")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as target:
        found = copy_through(source, target)
    if found != (member.size_bytes, member.sha256):
        raise BadRequest(f"{member.name} has other content than described.")


def _check_database(found: Unpacked) -> None:
    """Raises StateError for a database of a newer version; BadRequest when it is not the one described."""
    try:
        revision = read_revision(found.database)
    except StateError as error:
        raise BadRequest(f"The database in the backup cannot be used: {error}") from error
    refuse_newer(found.database, revision)
    try:
        check_whole(found.database)
        database_id = read_database_id(found.database)
    except StateError as error:
        raise BadRequest(f"The database in the backup cannot be used: {error}") from error
    if revision is None or database_id != found.description.database_id:
        raise BadRequest("The database in the backup is not the one that the backup describes.")

