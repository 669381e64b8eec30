"""Walking a root: every name under it is seen once, and is media, a sidecar, or left in place with a reason.

Nothing is opened but folders, and JSON files whose names do not tell what they describe. Symbolic links are never
followed, not even one that is swapped in for a folder during the walk: each folder is opened from the root down,
component by component.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from app.errors import RootUnavailable
from app.files.directory import signature_of
from app.files.kinds import (
    MEDIA_SUFFIXES,
    NO_MEDIA,
    TAKEOUT_SUFFIX,
    Kind,
    file_kind,
    folder_reason,
    ignored_by,
    is_own,
    plain_ending,
    suffix,
)
from app.files.lone_sidecars import ALONE
from app.files.partners import Partners
from app.files.takeout import HEAD_BYTES
from app.model import Root, Signature

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
HEAD_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

#: The names of media that came into a folder and may have left it since.
KnownNames = Callable[[bytes], Iterable[bytes]]
#: A folder with a slash behind it, and what is in it: the names of files about which nothing needs to be said.
AsBefore = Callable[[bytes, Sequence[tuple[bytes, os.stat_result]]], set[bytes]]
NONE: set[bytes] = set()
#: How Python made the names that the system gives as bytes into text; `os.fsencode` asks for it at every name.
ENCODING = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
#: So many names of a folder are looked at together.
BLOCK = 2_000

SPECIAL_FILES = (
    (stat.S_ISLNK, "symbolic link"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


class Found(NamedTuple):
    """One name under a root. `group_name` is the name whose stem says the group (a JSON's is its media file's).

    `is_unread` says that the file system could not tell what is there: a file, or a folder with all that is in it.
    """

    path: bytes
    kind: Kind
    signature: Signature | None = None
    reason: str = ""
    group_name: bytes = b""
    is_unread: bool = False


def signature_at(root: Root, path: bytes) -> Signature | None:
    """The signature of the regular file at a path now; None when there is none.

    Raises OSError when the file system cannot tell (anything but "there is no such file").
    """
    folder, _, name = path.rpartition(b"/")
    try:
        descriptor = open_folder(root, folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return _signature_in(descriptor, name)
    finally:
        os.close(descriptor)


class Looks:
    """`signature_at` for many paths of one root, of which those in one folder come together: it is opened once.

    Used as a context manager, more than once if need be. A folder that is not there is believed to stay away as long.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        self._folder: bytes | None = None
        self._descriptor: int | None = None

    def __enter__(self) -> Looks:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._folder = self._descriptor = None

    def signature_at(self, path: bytes) -> Signature | None:
        """As the function of this name. Raises OSError when the file system cannot tell."""
        folder, _, name = path.rpartition(b"/")
        if folder != self._folder:
            self._enter(folder)
        return None if self._descriptor is None else _signature_in(self._descriptor, name)

    def _enter(self, folder: bytes) -> None:
        self.__exit__()
        try:
            self._descriptor = open_folder(self._root, folder)
        except (FileNotFoundError, NotADirectoryError):
            self._descriptor = None
        self._folder = folder


def _signature_in(folder: int, name: bytes) -> Signature | None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return signature_of(status) if stat.S_ISREG(status.st_mode) else None


def open_folder(root: Root, folder: bytes) -> int:
    """A descriptor of a folder under a root, reached without following any symbolic link; the caller closes it."""
    descriptor = os.open(root.path, FOLDER_FLAGS & ~os.O_NOFOLLOW)
    for part in folder.split(b"/") if folder else ():
        try:
            deeper = os.open(part, FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def list_names(root: Root, folder: bytes) -> list[bytes]:
    """The names in a folder under a root, sorted; none when there is no such folder. Raises OSError."""
    try:
        descriptor = open_folder(root, folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return sorted(os.fsencode(name) for name in os.listdir(descriptor))
    finally:
        os.close(descriptor)


def walk(
    root: Root, ignore_patterns: Sequence[str] = (), known_names: KnownNames | None = None,
    *, below: Sequence[bytes] = (b"",), as_before: AsBefore | None = None, deeper: list[bytes] | None = None,
) -> Iterator[Found]:
    """Every file under a root, or under these folders of it, and every folder that is not entered; what is our own is
    passed over in silence.

    A folder that cannot be read is listed as left; only a root that cannot be read raises RootUnavailable.
    `known_names` tells of media that has left its folder: what comes late is a sidecar of it. Where it is given, a
    sidecar that has no media, neither there nor gone on, is left until that comes. Photos and videos that `as_before`
    names are passed over in silence too. Where `deeper` is given, subfolders are not entered but added to it.
    """
    patterns = tuple(os.fsencode(p) for p in ignore_patterns)
    waiting = list(below)
    below_it = waiting if deeper is None else deeper
    while waiting:
        folder = waiting.pop()
        try:
            yield from _folder(root, folder, patterns, below_it, known_names, as_before)
        except OSError as error:
            if not folder:
                raise RootUnavailable(root.kind, root.path, error.strerror or str(error)) from error
            yield Found(folder, "left", reason=f"folder cannot be read: {error.strerror}", is_unread=True)


def _folder(
    root: Root, folder: bytes, patterns: tuple[bytes, ...], waiting: list[bytes], known_names: KnownNames | None,
    as_before: AsBefore | None,
) -> Iterator[Found]:
    prefix = folder + b"/" if folder else b""
    beside: list[Found] = []
    media_names: set[bytes] = set()
    for block, blind in _blocks(root, folder, prefix):
        yield from blind
        unchanged = as_before(prefix, block) if as_before is not None else NONE
        media_names |= unchanged
        others = [one for one in block if one[0] not in unchanged] if unchanged else block
        for name, status in others:
            if not patterns and plain_ending(name) and stat.S_ISREG(status.st_mode):
                media_names.add(name)
                yield Found(prefix + name, "media", signature_of(status), "", name)
                continue
            found = None if is_own(name) else _look_at(name, status, prefix + name, patterns, waiting)
            if found is None:
                continue
            if found.kind == "media":
                media_names.add(name)
                yield found
            elif found.kind == "sidecar" or _is_json(found):
                beside.append(found)
            else:
                yield found
    if beside:
        yield from _with_partners(root, folder, beside, media_names, known_names)


def _is_json(found: Found) -> bool:
    return found.signature is not None and found.kind == "left" and suffix(found.group_name) == TAKEOUT_SUFFIX


def _blocks(
    root: Root, folder: bytes, prefix: bytes
) -> Iterator[tuple[list[tuple[bytes, os.stat_result]], list[Found]]]:
    """What is in a folder, so many names at a time, and what cannot be looked at; what vanished meanwhile is left
    out."""
    descriptor = open_folder(root, folder)
    block: list[tuple[bytes, os.stat_result]] = []
    blind: list[Found] = []
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name.encode(*ENCODING)
                try:
                    block.append((name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    reason = f"cannot be read: {error.strerror}"
                    blind += [] if is_own(name) else [Found(prefix + name, "left", reason=reason, is_unread=True)]
                if len(block) == BLOCK:
                    yield block, blind
                    block, blind = [], []
        yield block, blind
    finally:
        os.close(descriptor)


def _look_at(
    name: bytes, status: os.stat_result, path: bytes, patterns: tuple[bytes, ...], waiting: list[bytes]
) -> Found | None:
    """None for a folder to enter: then it is waiting."""
    reason = ignored_by(name, path, patterns) if patterns else None
    if stat.S_ISDIR(status.st_mode):
        reason = reason or folder_reason(name)
        if reason is None:
            waiting.append(path)
            return None
    elif not stat.S_ISREG(status.st_mode):
        reason = reason or next((words for is_special, words in SPECIAL_FILES if is_special(status.st_mode)), None)
    if reason is not None:
        return Found(path, "left", reason=reason)
    kind, reason = file_kind(name)
    return Found(path, kind, signature_of(status), reason, name)


def _with_partners(
    root: Root, folder: bytes, beside: list[Found], media_names: set[bytes], known_names: KnownNames | None
) -> Iterator[Found]:
    """Sidecars and JSON files: a JSON is a sidecar only of media; in ingest, a sidecar without any waits for it."""
    prefix = folder + b"/" if folder else b""
    partners = Partners(
        media_names,
        (lambda: known_names(folder)) if known_names is not None else tuple,
        lambda name: _head(root, prefix + name),
    )
    described = partners.of_json(found.group_name for found in beside if found.kind == "left")
    for found in beside:
        if found.kind == "left" and found.group_name in described:
            yield Found(found.path, "sidecar", found.signature, "", described[found.group_name])
        elif found.kind == "sidecar" and known_names is not None:
            group_name = partners.group_name_of(found.group_name)
            kind: Kind = "left" if group_name is None else "sidecar"
            reason = "" if group_name else ALONE
            yield Found(found.path, kind, found.signature, reason, group_name or found.group_name)
        elif known_names is not None and found.reason.startswith(NO_MEDIA):
            missing = partners.missing_of_json(found.group_name)
            yield found if missing is None else Found(found.path, "left", found.signature, ALONE, missing)
        else:
            yield found


def _head(root: Root, path: bytes) -> bytes:
    """The first bytes of a file; nothing when it cannot be read."""
    folder, _, name = path.rpartition(b"/")
    try:
        descriptor = open_folder(root, folder)
        try:
            opened = os.open(name, HEAD_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        with os.fdopen(opened, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def is_media(path: bytes) -> bool:
    """Whether a path names a photo or video (else it is a sidecar)."""
    return suffix(path.rpartition(b"/")[2]) in MEDIA_SUFFIXES
