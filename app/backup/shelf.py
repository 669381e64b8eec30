"""The backups that are there: the folder for them, their names, and which of them are too many."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.backup.publishing import UNFINISHED, stamp
from app.errors import NotFound
from app.services import Services

NAME = re.compile(r"media-pipeline-backup-[0-9]{8}T[0-9]{6}Z(-[0-9]{1,4})?\.tar\.gz")


@dataclass(frozen=True)
class Backup:
    """A backup file. `sha256` is known only of one that was just made."""

    name: str
    path: str
    size_bytes: int
    made_at: str
    sha256: str | None = None


def backup_folder(services: Services) -> str:
    """Where backups lie when no file was named."""
    return str(services.backup_dir)


def free_name(folder: str) -> str:
    """A path in this folder for a backup that is made now."""
    base, number = f"media-pipeline-backup-{stamp()}", 1
    while os.path.lexists(path := os.path.join(folder, base + (f"-{number}" if number > 1 else "") + ".tar.gz")):
        number += 1
    return path


def drop_unfinished(folder: str) -> None:
    """Remove what backups that were killed left behind. The caller sees to it that none is being made now."""
    for name in os.listdir(folder):
        finished, mark, _ = name.partition(UNFINISHED)
        if mark and NAME.fullmatch(finished):
            os.unlink(os.path.join(folder, name))


def list_backups(services: Services) -> list[Backup]:
    """The backups in the folder for them, newest first."""
    return _listed(backup_folder(services))


def _listed(folder: str) -> list[Backup]:
    try:
        names = [name for name in os.listdir(folder) if NAME.fullmatch(name)]
    except FileNotFoundError:
        return []
    found = []
    for name in sorted(names, key=_sort_key, reverse=True):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and not os.path.islink(path):
            moment = datetime.strptime(name.split("-")[3][:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found.append(Backup(name, path, os.path.getsize(path), moment.isoformat(timespec="microseconds")))
    return found


def _sort_key(name: str) -> tuple[str, int]:
    stem = name.removesuffix(".tar.gz").split("-")
    return stem[3], int(stem[4]) if len(stem) > 4 else 1


def find_backup(services: Services, name: str) -> Backup:
    """One of the listed backups, by its name alone. Raises NotFound for anything else."""
    for backup in list_backups(services):
        if backup.name == name:
            return backup
    raise NotFound("backup", name[:100])


@dataclass(frozen=True)
class Keeping:
    """Which backups of our naming stay: so many of the newest, none older than so many days; 0 is no limit."""

    count: int = 0
    days: int = 0


def drop_old(folder: str, keeping: Keeping) -> None:
    """Remove the backups of our naming that are too many or too old; the newest always stays."""
    oldest_kept = (datetime.now(UTC) - timedelta(days=keeping.days)).isoformat(timespec="microseconds")
    for newer, one in enumerate(_listed(folder)):
        is_too_many = keeping.count and newer >= keeping.count
        is_too_old = keeping.days and one.made_at < oldest_kept
        if newer and (is_too_many or is_too_old):
            os.unlink(one.path)
