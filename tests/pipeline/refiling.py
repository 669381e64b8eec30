"""Archives that are filed anew: made by the real stages, and looked at before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.db import runs
from app.jobs import refile as jobs_refile
from app.jobs.refile import RefileWish
from app.model import Run, RunStatus, Trigger
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import go, workflow

MTIME = 1_700_000_000
#: Everything that was ever asked for.
ALL = RefileWish()


def put(services: Services, library: Mapping[str, bytes]) -> None:
    """Write files into ingest, all of one time."""
    for name, content in library.items():
        path = Path(services.config.paths.source_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MTIME, MTIME))


def archive(services: Services, library: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Put a library into ingest and run the workflow to its end; returns the archive."""
    put(services, library or {})
    run = workflow(services)
    assert run.status is RunStatus.DONE, run.error
    return tree(services)


def tree(services: Services) -> dict[str, bytes]:
    """The archive, empty folders included."""
    return read_tree(services.config.paths.sorted_dir)


def refile(services: Services, wish: RefileWish = ALL) -> Run:
    run = go(services, jobs_refile.start_refile(services, wish, Trigger.CLI))
    assert run.status is RunStatus.DONE, run.error
    return run


def plan(services: Services, wish: RefileWish = ALL) -> Run:
    run = go(services, jobs_refile.plan_refile(services, wish, Trigger.CLI))
    assert run.status is RunStatus.DONE, run.error
    return run


def take_back(services: Services, run: Run) -> Run:
    undo = go(services, jobs_refile.undo_refile(services, run.id, Trigger.CLI))
    assert undo.status is RunStatus.DONE, undo.error
    return undo


def report_of(services: Services, run: Run) -> dict[str, Any]:
    """What the last step of a run told."""
    with services.db.reading() as conn:
        return runs.list_steps(conn, run.id)[-1].report
