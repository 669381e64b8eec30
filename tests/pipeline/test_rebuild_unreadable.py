"""A rebuild where a folder cannot be read: what nobody could look at is never taken for missing."""

from __future__ import annotations

import errno
import os

import pytest

from app import jobs
from app.backup.lost_database import prepare_rebuild
from app.config.store import Snapshot
from app.errors import Conflict
from app.model import AssetStatus, BatchStatus, RootKind, RunStatus, Trigger
from app.services import set_up
from tests.pipeline.rebuilding import census
from tests.pipeline.running import fill, go, the_batches
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import PHOTO, Site, built_batch, in_trash, make_site, site

__all__ = ["make_site", "site"]


def lock(patch: pytest.MonkeyPatch, folder: bytes) -> None:
    """Every folder of this name answers as one does that the service has no right to read."""
    real = os.open

    def refuse(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and path == folder:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    patch.setattr(os, "open", refuse)


def archived_folder(site: Site) -> bytes:
    """The name of a folder of the archive that photos lie in."""
    fill(site.services, 3)
    run_workflow(site.services)
    return next(a.path.split(b"/")[-2] for a in site.rows() if a.status is AssetStatus.ARCHIVED)


def test_a_comparison_stops_at_a_folder_that_cannot_be_read_and_gives_nothing_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = archived_folder(site)
    before = site.states()
    with monkeypatch.context() as patch:
        lock(patch, locked)
        run = go(site.services, jobs.start_comparison(site.services, Trigger.CLI))
    assert run.status is RunStatus.FAILED
    assert f"/{os.fsdecode(locked)} cannot be used: folder cannot be read: Permission denied" in (run.error or "")
    assert "go on with `media-pipeline rebuild`" in (run.error or "")
    assert site.states() == before
    with pytest.raises(Conflict, match="has not ended"):
        jobs.confirm_rebuild(site.services)
    assert go(site.services, jobs.start_rebuild(site.services, Trigger.CLI)).status is RunStatus.DONE
    assert site.states() == before


def test_a_rebuild_stops_at_a_folder_that_cannot_be_read_and_goes_on_when_it_can(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = archived_folder(site)
    before = site.states()
    site.lose()
    prepare_rebuild(site.config)
    site.services = set_up(Snapshot(site.config, revision="test"))
    with monkeypatch.context() as patch:
        lock(patch, locked)
        run = go(site.services, jobs.start_rebuild(site.services, Trigger.CLI))
    assert run.status is RunStatus.FAILED
    assert site.rows() == []
    assert go(site.services, jobs.start_rebuild(site.services, Trigger.CLI)).status is RunStatus.DONE
    assert site.states() == before


def test_the_files_of_a_batch_whose_folder_cannot_be_read_stay_in_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_batch(site)
    with monkeypatch.context() as patch:
        lock(patch, b"batch_001")
        run = go(site.services, jobs.start_comparison(site.services, Trigger.CLI))
    assert run.status is RunStatus.FAILED
    assert "batch_001" in (run.error or "")
    assert set(site.states().values()) == {"batched"}
    assert [batch.status for batch in the_batches(site.services)] == [BatchStatus.PENDING]


def test_what_lies_only_in_a_trash_that_cannot_be_read_is_not_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    trashed = in_trash(site, RootKind.INGEST, "7", PHOTO)
    site.lost_and_rebuilt()
    with monkeypatch.context() as patch:
        lock(patch, b".mp-trash")
        run = go(site.services, jobs.start_rebuild(site.services, Trigger.CLI))
    assert run.status is RunStatus.FAILED
    assert site.states() == {b".mp-trash/7": "set_aside"}
    assert os.fsencode(trashed) in census(site.config).names
