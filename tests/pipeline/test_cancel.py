"""Cancelling a batch that nobody has received yet: its files wait for the next batch, as if it had never been made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app import jobs
from app.db import assets, batches, deliveries, runs
from app.errors import Conflict, IllegalTransition, RunInProgress
from app.model import AssetStatus, Batch, BatchStatus, Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services
from tests.pipeline.library import assert_rows_agree, get_batch, statuses
from tests.pipeline.running import go, workflow
from tests.pipeline.undoing import FILES, batch_up_to, events_of, make, media_tree

Opener = Callable[..., Services]


def cancel(services: Services, batch_id: int) -> Run:
    _, run = jobs.cancel_batch(services, batch_id, Trigger.CLI)
    assert run is not None
    return go(services, run)


def set_status(services: Services, one: Batch, *way: BatchStatus) -> None:
    with services.db.transaction() as conn:
        for status in way:
            columns = {"error": "it failed", "error_from": one.status.value} if status is BatchStatus.ERROR else {}
            one = batches.change(conn, one, status, **columns)


@pytest.mark.parametrize("mode", ["move", "copy"])
@pytest.mark.parametrize(
    "way", [(), (BatchStatus.SYNCING,), (BatchStatus.ERROR,), (BatchStatus.SYNCING, BatchStatus.ERROR)]
)
def test_the_files_of_an_undelivered_batch_wait_again(
    open_test_services: Opener, way: tuple[BatchStatus, ...], mode: str
) -> None:
    services = open_test_services(batch={"transfer_mode": mode})
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    set_status(services, one, *way)

    run = cancel(services, one.id)

    assert (run.kind, run.status, run.error) == (RunKind.UNDO, RunStatus.DONE, None)
    assert media_tree(services) == before
    assert statuses(services, *(a.id for a in made)) == ["unique"] * len(made)
    assert_rows_agree(services)
    after = get_batch(services, one.id)
    assert (after.status, after.returns_as, after.error) == (BatchStatus.CANCELLED, AssetStatus.UNIQUE, None)
    (event,) = events_of(services, "batch.cancelled")
    assert event.message.startswith("Batch batch_001 was cancelled: 5 files, ")
    assert event.message.endswith("wait for the next batch. Nothing was delivered, so nothing changes anywhere else.")


def test_the_next_run_makes_the_next_batch_of_them(services: Services) -> None:
    made = make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    cancel(services, one.id)
    assert workflow(services).status is RunStatus.DONE
    assert statuses(services, *(a.id for a in made)) == ["archived"] * len(made)
    assert get_batch(services, 2).name == "batch_002"


def test_a_delivered_batch_is_not_cancelled_and_undo_is_named(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    before = media_tree(services)
    with pytest.raises(Conflict, match=r"it is SORTED\. Take it back instead: `media-pipeline undo 1`"):
        jobs.cancel_batch(services, one.id, Trigger.CLI)
    assert media_tree(services) == before


def test_one_proven_file_is_enough_to_need_an_undo(services: Services) -> None:
    made = make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    set_status(services, one, BatchStatus.SYNCING)
    with services.db.transaction() as conn:
        deliveries.confirm(conn, one.id, "PEER", [(made[0].id, "v1")])
    with pytest.raises(Conflict, match="1 of its files were delivered"):
        jobs.cancel_batch(services, one.id, Trigger.CLI)


def test_a_reserved_batch_without_files_ends_at_once(services: Services) -> None:
    reserved, run = jobs.create_batch(services, Trigger.CLI)
    with pytest.raises(RunInProgress):
        jobs.cancel_batch(services, reserved.id, Trigger.CLI)
    with services.db.transaction() as conn:
        runs.change(conn, run, RunStatus.CANCELLED)
    cancelled, none = jobs.cancel_batch(services, reserved.id, Trigger.CLI)
    assert (cancelled.status, none) == (BatchStatus.CANCELLED, None)
    assert events_of(services, "batch.cancelled")[0].detail["files"] == 0
    with pytest.raises(IllegalTransition):
        jobs.cancel_batch(services, reserved.id, Trigger.CLI)


def test_a_waiting_workflow_ends_instead_of_making_the_same_batch_again(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    with services.db.transaction() as conn:
        waiting = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.SCHEDULE, [Stage.SYNC], one.id)
        waiting = runs.change(conn, runs.change(conn, waiting, RunStatus.RUNNING), RunStatus.WAITING)
    cancel(services, one.id)
    with services.db.reading() as conn:
        assert runs.get(conn, waiting.id).status is RunStatus.CANCELLED
        assert assets.count(conn, AssetStatus.UNIQUE) == len(FILES)


def test_an_undo_of_a_batch_whose_cancelling_was_begun_ends_the_cancelling(services: Services) -> None:
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    with services.db.transaction() as conn:
        batches.change(conn, one, BatchStatus.UNDOING, returns_as="unique")
    assert go(services, jobs.start_undo(services, one.id, Trigger.CLI)).status is RunStatus.DONE
    assert (media_tree(services), set(statuses(services, *(a.id for a in made)))) == (before, {"unique"})
