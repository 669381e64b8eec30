"""A rebuild that fails or is asked for again: nothing is confirmed that nobody has seen."""

from __future__ import annotations

import os

import pytest

from app import jobs
from app.errors import Conflict
from app.model import RootKind, Run, RunStatus, Stage, Trigger
from app.pipeline.rebuild import run as rebuild_stage
from tests.pipeline.library import a_step
from tests.pipeline.running import fill, go
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import Site, make_site, site

__all__ = ["make_site", "site"]


def failed_rebuild(site: Site) -> Run:
    """A second rebuild that fails, as the archive is away, before the first was confirmed."""
    away = site.base / "unmounted"
    os.rename(site.root(RootKind.ARCHIVE), away)
    (site.base / "archive").mkdir()
    run = go(site.services, jobs.start_rebuild(site.services, Trigger.CLI))
    (site.base / "archive").rmdir()
    os.rename(away, site.base / "archive")
    assert run.status is RunStatus.FAILED
    return run


def test_a_failed_rebuild_cannot_be_confirmed_with_the_report_of_an_earlier_one(site: Site) -> None:
    fill(site.services, 3)
    run_workflow(site.services)
    site.lost_and_rebuilt()
    run = failed_rebuild(site)
    assert site.overview()["report"] is None
    with pytest.raises(Conflict, match="has not ended"):
        jobs.confirm_rebuild(site.services)
    assert go(site.services, jobs.retry_run(site.services, run.id)).status is RunStatus.DONE
    assert site.go_on().status is RunStatus.DONE


def test_no_rebuild_rewrites_rows_once_files_may_move(site: Site) -> None:
    fill(site.services, 3)
    run_workflow(site.services)
    site.lost_and_rebuilt()
    run = failed_rebuild(site)
    assert go(site.services, jobs.start_rebuild(site.services, Trigger.CLI)).status is RunStatus.DONE
    jobs.confirm_rebuild(site.services)
    with pytest.raises(Conflict, match="is confirmed, and files may move"):
        jobs.retry_run(site.services, run.id)
    with pytest.raises(Conflict, match="is confirmed, and files may move"):
        rebuild_stage.run(site.services, a_step(site.services, Stage.REBUILD))
    assert set(site.states().values()) == {"archived"}
