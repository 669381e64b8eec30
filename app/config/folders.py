"""Rules about folders: written in full, apart from each other by every name, and not the system's own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

from app.config.schema import Config
from app.errors import Problem

#: A setting and a folder that it names.
Named = tuple[str, str]

PATH_MAX_BYTES = 4095
NAME_MAX_BYTES = 255

#: Folders that hold the system; nothing of ours may be them or lie in them.
SYSTEM_TREES = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr")

#: Places inside those trees that are meant for a person's files: memory disks and plugged-in drives.
ALLOWED_TREES = ("/dev/shm", "/run/media", "/run/user", "/usr/local/share", "/usr/share/media-pipeline")

#: Folders that hold other folders: ours may lie in them, but not be them.
SHARED_FOLDERS = ("/", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/tmp", "/var", "/var/lib", "/var/log")


def folder_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with the configured folders."""
    own = [("system.db_path", config.system.db_path), ("system.log_dir", config.system.log_dir)]
    if config.backup.dir:
        own.append(("backup.dir", config.backup.dir))
    sound_media: list[Named] = []
    sound_own: list[Named] = []
    for named, sound in ((_media_folders(config), sound_media), (own, sound_own)):
        for name, path in named:
            problem = _form_problem(path) or _system_problem(path, is_file=name == "system.db_path")
            if problem:
                yield Problem(name, problem)
            else:
                sound.append((name, path))
    yield from _pair_problems(sound_media)
    yield from _own_problems(sound_own, sound_media)


def _media_folders(config: Config) -> list[Named]:
    named = [
        ("paths.source_dir", config.paths.source_dir),
        ("paths.batch_dir", config.paths.batch_dir),
        ("paths.sorted_dir", config.paths.sorted_dir),
        ("paths.duplicates_dir", config.paths.duplicates_dir),
        ("sync.folder_dir", config.sync.folder_dir),
    ]
    references = [("dedup.reference_dirs", path) for path in config.dedup.reference_dirs]
    return [(name, path) for name, path in named if path] + references


def _form_problem(path: str) -> str | None:
    if not path.isprintable():
        return "holds characters that cannot be seen (a line break, a tab or NUL)"
    if path.startswith(("~", "$")):
        return f"is used as it is written: {path[:40]} is not expanded; write the whole path, beginning with /"
    if not path.startswith("/"):
        return "must be absolute: the whole path, beginning with /"
    if ".." in path.split("/"):
        return "must not use '..'; write the folder that is meant"
    if len(os.fsencode(path)) > PATH_MAX_BYTES:
        return f"is longer than {PATH_MAX_BYTES} bytes"
    if any(len(os.fsencode(name)) > NAME_MAX_BYTES for name in path.split("/")):
        return f"has a part that is longer than {NAME_MAX_BYTES} bytes"
    return None


def _system_problem(path: str, *, is_file: bool) -> str | None:
    folder = os.path.dirname(path) if is_file else path
    for spelling in (os.path.normpath(folder), os.path.realpath(folder)):
        if spelling in SHARED_FOLDERS and not is_file and spelling not in ("/var/log",):
            return f"{spelling} holds other things as well; choose a folder of its own in it"
        if _lies_in(spelling, SYSTEM_TREES) and not _lies_in(spelling, ALLOWED_TREES):
            return f"{spelling} belongs to the system; choose another folder"
    return None


def _lies_in(path: str, trees: tuple[str, ...]) -> bool:
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)


def _pair_problems(folders: list[Named]) -> Iterator[Problem]:
    for (first, first_path), (second, second_path) in itertools.combinations(folders, 2):
        if same_place(first_path, second_path):
            message = f"is the same folder as {first}{_other_name(first_path, second_path)}"
            yield Problem(second, message, related=first)
        elif lies_inside(second_path, first_path):
            message = f"lies inside {first} ({first_path}); choose a folder outside it"
            yield Problem(second, message, related=first)
        elif lies_inside(first_path, second_path):
            yield Problem(second, f"holds {first} ({first_path}); choose a folder apart from it", related=first)


def _other_name(first: str, second: str) -> str:
    return "" if os.path.normpath(first) == os.path.normpath(second) else f" under another name ({first})"


def _own_problems(own: list[Named], media: list[Named]) -> Iterator[Problem]:
    for name, path in own:
        for other, folder in media:
            if lies_inside(path, folder):
                message = f"lies inside {other} ({folder}); the program's own files must be apart from media"
                yield Problem(name, message, related=other)


def same_place(first: str, second: str) -> bool:
    """Whether two paths are one place: by spelling, through symlinks, or as one inode (a bind mount)."""
    if os.path.realpath(first) == os.path.realpath(second):
        return True
    identity = _identity(first)
    return identity is not None and identity == _identity(second)


def lies_inside(inner: str, outer: str) -> bool:
    """Whether a path is, or lies in, a folder, by whatever name; neither needs to be there yet."""
    resolved, container = os.path.realpath(inner), os.path.realpath(outer)
    if resolved == container or resolved.startswith(container.rstrip("/") + "/"):
        return True
    identity = _identity(outer)
    return identity is not None and any(_identity(folder) == identity for folder in _upwards(resolved))


def _upwards(path: str) -> Iterator[str]:
    yield path
    while path != "/":
        path = os.path.dirname(path)
        yield path


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
