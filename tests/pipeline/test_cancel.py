"""Cancelling a batch that nobody has received yet: its files wait for the next batch, as if it had never been made."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from app import jobs
from app.db import assets, batches, deliveries, runs
from app.errors import Conflict, IllegalTransition, RunInProgress
from app.model import AssetStatus, Batch, BatchStatus, RootKind, Run, RunKind, RunStatus, Stage, Trigger
from app.pipeline import sort
from app.pipeline import undo as undo_stage
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.library import a_step, assert_rows_agree, get_batch, statuses
from tests.pipeline.running import deliver, go, workflow
from tests.pipeline.undoing import FILES, assert_undone, batch_up_to, end_runs, events_of, make, media_tree, undo

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


# --- delivered between the asking and the cancelling


def prove_delivery(services: Services, batch_id: int) -> None:
    """The worker's look sees the proof that the peer has every file."""
    with services.db.transaction() as conn:
        deliveries.confirm(conn, batch_id, "PEER", [(a.id, "v1") for a in assets.list_in_batch(conn, batch_id)])
    deliver(services, batch_id)


def assert_still_delivered(services: Services, run: Run, one: Batch) -> None:
    assert run.status is RunStatus.FAILED and "cannot be cancelled any more: 5 of its files were" in (run.error or "")
    after = get_batch(services, one.id)
    assert (after.status, after.returns_as, after.undone_at) == (BatchStatus.SYNCED, None, None)
    assert events_of(services, "batch.undo_started") == []
    with services.db.reading() as conn:
        assert {a.status for a in assets.list_in_batch(conn, one.id)} == {AssetStatus.DELIVERED}
        assert deliveries.count(conn, one.id) == len(FILES)


def test_a_batch_that_is_delivered_before_its_cancelling_begins_stays_delivered_and_can_be_undone(
    services: Services,
) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    _, run = jobs.cancel_batch(services, one.id, Trigger.CLI)
    prove_delivery(services, one.id)
    assert run is not None
    assert_still_delivered(services, go(services, run), one)
    assert undo(services, one.id).status is RunStatus.DONE
    assert_undone(services, before, one.id)


def test_a_batch_that_is_delivered_while_its_cancelling_looks_at_its_files_stays_delivered(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    _, run = jobs.cancel_batch(services, one.id, Trigger.CLI)
    monkeypatch.setattr(undo_stage, "require_room_to_return", lambda *_: prove_delivery(services, one.id))
    assert run is not None
    assert_still_delivered(services, go(services, run), one)


@pytest.mark.parametrize("reached", [BatchStatus.SYNCED, BatchStatus.SORTED])
def test_a_cancelling_that_failed_and_is_tried_again_after_the_delivery_changes_nothing(
    services: Services, reached: BatchStatus
) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    in_the_way = services.root(RootKind.INGEST).path + b"/empty.jpg"
    write_tree(services.root(RootKind.INGEST).path, {"empty.jpg": b"another file"})
    failed = cancel(services, one.id)
    assert failed.status is RunStatus.FAILED
    os.unlink(in_the_way)
    prove_delivery(services, one.id)
    if reached is BatchStatus.SORTED:
        assert sort.run(services, a_step(services, Stage.SORT, one.id)).outcome == "done"
        end_runs(services)
    before = media_tree(services)
    assert go(services, jobs.retry_run(services, failed.id)).status is RunStatus.FAILED
    assert (get_batch(services, one.id).status, media_tree(services)) == (reached, before)
    with services.db.reading() as conn:
        assert deliveries.count(conn, one.id) == len(FILES)


@pytest.mark.parametrize("way_on", ["undo", "retry"])
def test_a_delivered_batch_whose_cancelling_was_begun_all_the_same_is_taken_back(
    services: Services, way_on: str
) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SYNCED)
    with services.db.transaction() as conn:
        begun = batches.change(conn, one, BatchStatus.UNDOING, returns_as="unique")
        batches.change(conn, begun, BatchStatus.ERROR, error="delivered meanwhile", error_from="UNDOING")
    with pytest.raises(Conflict, match="cannot be cancelled any more"):
        jobs.cancel_batch(services, one.id, Trigger.CLI)
    run = undo(services, one.id) if way_on == "undo" else go(services, jobs.retry_batch(services, one.id))
    assert (run.status, run.error) == (RunStatus.DONE, None)
    assert_undone(services, before, one.id)
    assert get_batch(services, one.id).returns_as is AssetStatus.SET_ASIDE
