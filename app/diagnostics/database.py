"""Checks of the database: sound, of this version, not swollen, and its totals equal to its rows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from app.db import confirmation, facts, totals
from app.db.migrate import read_revision
from app.errors import StateError
from app.model import AssetStatus
from app.model.counting import counted
from app.services import Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

#: A write-ahead log of this size is not folded into the database any more: some reader stays open.
LARGE_LOG_BYTES = 512_000_000
OLD_BACKUP_DAYS = 30
#: So many broken references are looked for; one is enough to know.
REFERENCES = 5


def check_database(services: Services) -> Iterator[Check]:
    """Integrity, references, schema and size. Raises StateError when it is damaged."""
    path = services.db.path
    with services.db.reading() as conn:
        answer = str(conn.exec_driver_sql("PRAGMA quick_check").scalar())
        broken = conn.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(REFERENCES)
    if answer != "ok":
        raise StateError(f"The database {path} is damaged: {answer}.")
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        fix = "Stop the service and put the newest backup back; `media-pipeline rebuild` makes it again from the disk."
        yield Check("database", FAULT, f"Rows of {tables} in {path} refer to rows that are not there.", fix)
    else:
        size = os.stat(path).st_size
        yield Check("database", OK, f"{path} is sound: schema {read_revision(path)}, {size / 1e6:,.1f} MB.")
    yield from _log_check(path)


def _log_check(path: str) -> Iterator[Check]:
    try:
        size = os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return
    if size > LARGE_LOG_BYTES:
        cause = f"The database's write-ahead log has grown to {size / 1e6:,.0f} MB."
        yield Check("database log", WARNING, cause, "Restart the service: that folds it into the database.")


def check_confirmation(services: Services) -> Iterator[Check]:
    """Whether a person has yet to look at what a rebuild found: until then nothing moves."""
    with services.db.reading() as conn:
        awaited = confirmation.sentence(conn)
    if awaited is not None:
        yield Check("rebuild", WARNING, awaited, "Look at `media-pipeline rebuild --report`, then confirm it.")


def check_backup(services: Services) -> Iterator[Check]:
    """When the newest backup in the folder for them was made."""
    folder, fix = services.backup_dir, "`media-pipeline backup` makes one beside a running service."
    with services.db.reading() as conn:
        failure = facts.find(conn, facts.BACKUP_FAILED)
    if failure:
        yield Check("backup", WARNING, failure, fix)
        return
    try:
        made = max((entry.stat().st_mtime for entry in os.scandir(folder) if entry.name.endswith(".tar.gz")), default=0)
    except FileNotFoundError:
        made = 0
    days = (time.time() - made) / 86_400
    age = counted(round(days), "day", "days")
    if not made:
        yield Check("backup", WARNING, f"There is no backup of settings and database in {folder}.", fix)
    elif days > OLD_BACKUP_DAYS:
        yield Check("backup", WARNING, f"The newest backup in {folder} is {age} old.", fix)
    else:
        yield Check("backup", OK, f"The newest backup in {folder} is {age} old.")


def check_totals(services: Services) -> Iterator[Check]:
    """The kept totals against a full count of the rows."""
    with services.db.reading() as conn:
        kept, rows = totals.read(conn), totals.count(conn)
    differing = [status for status in AssetStatus if kept[status] != rows[status]]
    if differing:
        words = ", ".join(f"{s}: {kept[s][0]:,} kept, {rows[s][0]:,} counted" for s in differing)
        fix = "`media-pipeline doctor --repair` counts them anew; no file is touched by it."
        yield Check("totals", FAULT, f"The balance sheet does not add up ({words}).", fix)
    else:
        seen = counted(sum(files for files, _ in rows.values()), "file", "files")
        yield Check("totals", OK, f"The balance sheet adds up: {seen} seen, each in one line.")
