"""The settings file on disk and its last revisions: read, replaced as a whole, never half-written."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from app.config.document import MAX_BYTES, place_of
from app.config.parse import revision_of
from app.errors import ConfigError, NotFound, Problem, printable

REVISIONS_FOLDER = "revisions"
KEPT_REVISIONS = 10
OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700

_REVISION_FILE = re.compile(r"(?P<at>[0-9T]{15}\.[0-9]{6}Z)_(?P<actor>[A-Za-z0-9 ()@+._-]{1,64})\.yaml")
_TIME_FORMAT = "%Y%m%dT%H%M%S.%fZ"

FileState = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Revision:
    """A kept revision: the digest of its text, when it was saved (UTC ISO 8601) and by whom."""

    revision: str
    at: str
    actor: str
    path: str


def file_state(path: str) -> FileState | None:
    """What stat says of the file; another answer means that it may hold something else. None: there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_text(path: str, *, strict: bool = True) -> str:
    """The file's text. Raises ConfigError when there is none, and when it is not text unless `strict` is off.

    Then bytes that are no text are kept as lone surrogates, and are written back as the bytes that they were.
    """
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1).decode("utf-8", "strict" if strict else "surrogateescape")
    except FileNotFoundError:
        message = f"there is no configuration file {path}; copy config/default.yaml there and set the folders"
        raise ConfigError([Problem("", message)]) from None
    except OSError as error:
        raise ConfigError([Problem("", f"the file {path} cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "ignore")
        raise ConfigError([Problem("", f"the file {path} is not UTF-8 text", *place_of(before))]) from error


def readable(text: str) -> str:
    """The text with what is no text replaced by question marks."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def save_lock(path: str) -> Iterator[None]:
    """Keep other processes from saving this file meanwhile; waits its turn."""
    folder = _revisions_folder(path)
    descriptor = _opened(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_text(path: str, text: str) -> None:
    """Put a text in the file's place at once, durably and readable only by its owner. Raises ConfigError."""
    target = os.path.realpath(path)
    _drop_leftovers(target)
    temporary = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{uuid.uuid4().hex}.tmp")
    try:
        _write(temporary, text, like=target)
        os.replace(temporary, target)
        _sync_folder(os.path.dirname(target))
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        raise ConfigError([Problem("", _write_problem(path, error))]) from error


def _drop_leftovers(target: str) -> None:
    """Remove what a save that was killed left behind. Callers hold the lock, so nobody is writing one now."""
    folder, name = os.path.split(target)
    leftover = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{32}}\.tmp")
    with suppress(OSError):
        for found in os.listdir(folder):
            if leftover.fullmatch(found):
                os.unlink(os.path.join(folder, found))


def keep_revision(path: str, text: str, actor: str) -> str | None:
    """Keep a text among the last revisions unless it is the newest of them; drops what is too old.

    Returns the path of what was kept, or None when it was there.
    """
    kept = list_revisions(path)
    if kept and kept[0].revision == revision_of(text):
        return None
    folder = _revisions_folder(path)
    at = datetime.now(UTC).strftime(_TIME_FORMAT)
    name = re.sub(r"[^A-Za-z0-9 ()@+._-]", "-", actor)[:64] or "unknown"
    made = os.path.join(folder, f"{at}_{name}.yaml")
    try:
        _write(made, text, like=path)
        for old in kept[KEPT_REVISIONS - 1 :]:
            os.unlink(old.path)
        _sync_folder(folder)
    except OSError as error:
        raise ConfigError([Problem("", _write_problem(folder, error))]) from error
    return made


def drop_revision(kept_path: str | None) -> None:
    """Take back what was kept of a save that failed."""
    if kept_path is not None:
        with suppress(OSError):
            os.unlink(kept_path)


def list_revisions(path: str) -> list[Revision]:
    """The kept revisions, newest first; one that cannot be read is left out."""
    folder = _revisions_path(path)
    try:
        names = sorted(os.listdir(folder), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError([Problem("", f"the folder {folder} cannot be read: {error.strerror}")]) from error
    kept = (_revision(folder, found) for name in names if (found := _REVISION_FILE.fullmatch(name)))
    return [revision for revision in kept if revision is not None]


def read_revision(path: str, revision: str) -> str:
    """The text of a kept revision. Raises NotFound."""
    return read_text(find_revision(path, revision).path, strict=False)


def find_revision(path: str, revision: str) -> Revision:
    """The newest kept revision with this name. Raises NotFound."""
    for kept in list_revisions(path):
        if kept.revision == revision:
            return kept
    raise NotFound("configuration revision", printable(os.fsencode(revision[:64])))


def _revision(folder: str, name: re.Match[str]) -> Revision | None:
    file_path = os.path.join(folder, name[0])
    try:
        digest = revision_of(read_text(file_path, strict=False))
    except ConfigError:
        return None
    at = datetime.strptime(name["at"], _TIME_FORMAT).replace(tzinfo=UTC)
    return Revision(digest, at.isoformat(timespec="microseconds"), name["actor"], file_path)


def _revisions_path(path: str) -> str:
    return os.path.join(os.path.dirname(os.path.realpath(path)), REVISIONS_FOLDER)


def _revisions_folder(path: str) -> str:
    folder = _revisions_path(path)
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder, mode=OWNER_ONLY_FOLDER, exist_ok=True)
            _keep_folder_owner(folder, like=path)
    except OSError as error:
        raise ConfigError([Problem("", _write_problem(folder, error))]) from error
    return folder


def _opened(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError([Problem("", _write_problem(path, error))]) from error


def _write(path: str, text: str, like: str | None = None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        if like is not None:
            _keep_owner(descriptor, like)
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(descriptor)


def _keep_owner(descriptor: int, like: str) -> None:
    """When root saves a file of the service's user, that user must still be able to read it."""
    with suppress(OSError):
        found = os.stat(like)
        os.fchown(descriptor, found.st_uid, found.st_gid)


def _keep_folder_owner(folder: str, like: str) -> None:
    with suppress(OSError):
        found = os.stat(like)
        os.chown(folder, found.st_uid, found.st_gid)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_problem(path: str, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return f"{path} is mounted as a single file and cannot be replaced; mount its folder instead"
    return f"{path} cannot be written: {error.strerror}"
