"""What the warmed parent does with a whole installation: bring it up to an act, play it, and go on after a kill."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from app import jobs
from app.backup.lost_database import prepare_rebuild
from app.db import confirmation, runs
from app.model import BatchStatus, RunStatus, Stage, Trigger
from app.pipeline.workflow import execute
from app.services import Services
from tests.pipeline.rebuilding import lose_database
from tests.pipeline.running import the_batches
from tests.torture import whole
from tests.torture.case import Where
from worker.recover import recover_files, requeue_interrupted

#: The stages of each act that a run of stages plays; those before it come first.
ACTS: Mapping[str, tuple[Stage, ...]] = {
    "taking stock": (Stage.SCAN, Stage.DEDUP, Stage.INSPECT),
    "batch": (Stage.BATCH,),
    "delivery": (Stage.SYNC,),
    "sort": (Stage.SORT,),
    "cleanup": (Stage.CLEANUP,),
}
UNDO, REBUILD = "undo", "rebuild"


def open_whole(where: Where) -> Services:
    """The services of the installation of a case."""
    return whole.open_site(where.base / "state", where.base / "source", where.archive)


def bring_up_to(where: Where, act: str) -> None:
    """The library, and every stage before this act."""
    services = open_whole(where)
    whole.put_library(where.base / "source", where.archive)
    for name, stages in ACTS.items():
        if name == act:
            break
        _play_stages(services, stages)
    config = services.config
    services.close()
    if act == REBUILD:
        lose_database(config)


def play(where: Where, act: str) -> None:
    """The act itself: what the sweep kills."""
    if act == REBUILD:
        _rebuild(where)
        return
    services = open_whole(where)
    if act == UNDO:
        _undo(services)
    else:
        _play_stages(services, ACTS[act])
    services.close()


def go_on(where: Where, act: str) -> None:
    """What comes after a kill: the worker's start with what it left, and the act again if it was not begun."""
    if act == REBUILD:
        _rebuild(where)
    services = open_whole(where)
    requeue_interrupted(services)
    recover_files(services)
    _execute_queued(services)
    if act == UNDO:
        _undo(services)
    else:
        jobs.start_workflow(services, Trigger.API)
        _execute_queued(services)
    services.close()


def _play_stages(services: Services, stages: tuple[Stage, ...]) -> None:
    batches = the_batches(services)
    jobs.start_stage(services, stages, Trigger.API, batches[-1].id if batches else None)
    _execute_queued(services)


def _undo(services: Services) -> None:
    for batch in the_batches(services):
        if batch.status is not BatchStatus.CANCELLED:
            jobs.start_undo(services, batch.id, Trigger.CLI)
            _execute_queued(services)


def _rebuild(where: Where) -> None:
    """As the command does, from wherever it was cut off; then the person's word."""
    config = whole.config_of(where.base / "state", where.base / "source", where.archive)
    database = Path(config.system.db_path)
    if not database.is_file() or not database.stat().st_size:
        prepare_rebuild(config)
    services = open_whole(where)
    requeue_interrupted(services)
    with services.db.reading() as conn:
        awaited = confirmation.awaited_since(conn) is not None
    if awaited:
        jobs.start_rebuild(services, Trigger.CLI)
        _execute_queued(services)
        jobs.confirm_rebuild(services)
    services.close()


def _execute_queued(services: Services) -> None:
    while True:
        with services.db.reading() as conn:
            queued = runs.list_by_status(conn, [RunStatus.QUEUED])
        if not queued:
            return
        for run in queued:
            execute(services, run.id, threading.Event())


def keep(where: Where) -> None:
    """Put what is there aside, for `restore`."""
    for folder in _folders(where):
        _copy(folder, _kept(folder))


def restore(where: Where) -> None:
    """What was put aside is there again; its rows learn the new inodes, as after a move to another disk."""
    where.remove()
    for folder in _folders(where):
        _copy(_kept(folder), folder)
    database = where.base / "state" / "state" / "db.sqlite"
    if database.is_file():
        _learn_inodes(database)


def drop_kept(where: Where) -> None:
    """Take away what was put aside, and the case."""
    where.remove()
    for folder in _folders(where):
        shutil.rmtree(_kept(folder))


def _folders(where: Where) -> list[Path]:
    return [where.base] if where.archive.is_relative_to(where.base) else [where.base, where.archive]


def _kept(folder: Path) -> Path:
    return folder.with_name(folder.name + ".kept")


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def _learn_inodes(database: Path) -> None:
    query = "SELECT a.id, r.path, a.path FROM assets a JOIN roots r ON r.id = a.root_id WHERE a.status <> 'gone'"
    with closing(sqlite3.connect(database)) as conn, conn:
        for asset_id, root, path in conn.execute(query).fetchall():
            seen = os.lstat(os.path.join(root, path))
            conn.execute(
                "UPDATE assets SET device = ?, inode = ?, ctime_ns = ? WHERE id = ?",
                (seen.st_dev, seen.st_ino, seen.st_ctime_ns, asset_id),
            )
