"""Batches that were taken back, after a rebuild: their files wait for the same word of a person as before."""

from __future__ import annotations

from typing import Any

from app import jobs
from app.model import Asset, AssetStatus, RunStatus, Trigger
from app.overview.batch_story import TAKEN_BACK, batch_story
from app.services import Services
from tests.backup.test_backup import Site as Installation
from tests.backup.test_backup import site as installation
from tests.conftest import read_tree
from tests.pipeline.running import count, fill, go, the_batches
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import Site, built_batch, compare, make_site, site

__all__ = ["installation", "make_site", "site"]


def take_back(services: Services) -> None:
    fill(services, 3)
    run_workflow(services)
    assert go(services, jobs.start_undo(services, 1, Trigger.API)).status is RunStatus.DONE


def aside(rows: list[Asset]) -> list[tuple[Any, ...]]:
    return [(a.id, a.path, a.status, a.reason, a.batch_id, a.original_id, a.attempts) for a in rows]


def of_batch(services: Services) -> list[tuple[Any, ...]]:
    return [(b.id, b.status, b.file_count, b.error, b.returns_as) for b in the_batches(services)]


def next_step(services: Services) -> str:
    with services.db.reading() as conn:
        return str(batch_story(conn, 1)["next"])


def test_files_of_a_batch_that_was_taken_back_are_set_aside_as_before_and_can_be_taken_in_again(site: Site) -> None:
    take_back(site.services)
    rows, batch = aside(site.rows()), of_batch(site.services)
    site.lost_and_rebuilt()
    assert aside(site.rows()) == rows
    assert of_batch(site.services) == batch
    assert next_step(site.services) == TAKEN_BACK.format(id=1)
    jobs.confirm_rebuild(site.services)
    assert jobs.take_in_again(site.services, 1) == 3
    assert run_workflow(site.services).status is RunStatus.DONE
    assert len(read_tree(site.config.paths.sorted_dir)) == 3


def test_a_comparison_leaves_what_was_taken_back_bound_to_its_batch(site: Site) -> None:
    take_back(site.services)
    rows, batches = aside(site.rows()), the_batches(site.services)
    compare(site)
    assert aside(site.rows()) == rows
    assert the_batches(site.services) == batches


def test_what_was_taken_in_again_is_not_set_aside_by_a_comparison(site: Site) -> None:
    take_back(site.services)
    assert jobs.take_in_again(site.services, 1) == 3
    rows = aside(site.rows())
    compare(site)
    assert aside(site.rows()) == rows


def test_a_batch_that_was_taken_back_after_the_backup_can_be_taken_in_again_after_the_restore(
    installation: Installation,
) -> None:
    fill(installation.services, 3)
    run_workflow(installation.services)
    path = installation.backup()
    assert go(installation.services, jobs.start_undo(installation.services, 1, Trigger.API)).status is RunStatus.DONE
    batch = of_batch(installation.services)
    installation.restore(path)
    installation.compare()
    assert count(installation.services, AssetStatus.SET_ASIDE) == 3
    assert of_batch(installation.services) == batch
    jobs.confirm_rebuild(installation.services)
    assert jobs.take_in_again(installation.services, 1) == 3


def test_files_of_a_batch_that_was_cancelled_in_time_wait_for_the_next_one(site: Site) -> None:
    built_batch(site)
    _, run = jobs.cancel_batch(site.services, 1, Trigger.API)
    assert run is not None and go(site.services, run).status is RunStatus.DONE
    site.lost_and_rebuilt()
    assert set(site.states().values()) == {"discovered"}
    assert next_step(site.services) != TAKEN_BACK.format(id=1)
    assert site.go_on().status is RunStatus.DONE
    assert len(read_tree(site.config.paths.sorted_dir)) == 5
