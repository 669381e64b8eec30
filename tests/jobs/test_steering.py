"""Pausing, resuming and cancelling runs; trying runs, batches and files again."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from app import jobs
from app.db import assets, batches, journal, runs, totals
from app.errors import Conflict, IllegalTransition, RunInProgress
from app.model import (
    AssetStatus,
    BatchStatus,
    RootKind,
    RunStatus,
    Signature,
    Stage,
    Trigger,
)
from app.services import Services
from tests.jobs.situations import add_failed_asset, events, force, make_batch


def test_a_queued_run_is_paused_resumed_and_cancelled_at_once(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    assert jobs.pause(services, run.id).status is RunStatus.PAUSED
    assert jobs.resume(services, run.id).status is RunStatus.QUEUED
    assert jobs.cancel(services, run.id).status is RunStatus.CANCELLED
    assert jobs.start_workflow(services, Trigger.API).id > run.id


def test_a_paused_run_keeps_others_out(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    jobs.pause(services, run.id)
    with pytest.raises(RunInProgress, match="is paused"):
        jobs.start_dedup(services, Trigger.API)


def test_a_running_run_is_only_asked_to_pause_or_to_end(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.RUNNING)
    assert jobs.pause(services, run.id).wish == "pause"
    assert jobs.resume(services, run.id).wish is None
    assert jobs.cancel(services, run.id).wish == "cancel"
    with pytest.raises(IllegalTransition, match="cancel"):
        jobs.pause(services, run.id)


def test_a_run_that_has_ended_can_be_neither_paused_nor_resumed_nor_cancelled(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.DONE)
    for act in (jobs.pause, jobs.resume, jobs.cancel, jobs.retry_run):
        with pytest.raises(IllegalTransition, match=f"Run {run.id} is done"):
            act(services, run.id)


def test_cancelling_a_run_drops_the_batch_that_was_only_reserved_for_it(services: Services) -> None:
    _batch, run = jobs.create_batch(services, Trigger.API)
    jobs.cancel(services, run.id)
    with services.db.reading() as conn:
        assert batches.list_recent(conn) == []


def test_a_failed_run_is_tried_again_and_takes_the_slot(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.FAILED, error="The disk was full.")
    again = jobs.retry_run(services, run.id)
    assert (again.status, again.error, again.ended_at) == (RunStatus.QUEUED, None, None)
    with pytest.raises(RunInProgress):
        jobs.start_workflow(services, Trigger.API)


@pytest.mark.parametrize(
    ("before", "published", "stages"),
    [
        ((), None, (Stage.BATCH, Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((), "2026-01-01T00:00:00+00:00", (Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCING,), "2026-01-01T00:00:00+00:00", (Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCED,), "2026-01-01T00:00:00+00:00", (Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCED, BatchStatus.SORTING), "2026-01-01T00:00:00+00:00", (Stage.SORT, Stage.CLEANUP)),
    ],
)
def test_a_failed_batch_goes_on_from_the_status_it_had(
    services: Services, before: tuple[BatchStatus, ...], published: str | None, stages: tuple[Stage, ...]
) -> None:
    batch_id = make_batch(services, *before, published_at=published)
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        batches.change(conn, batch, BatchStatus.ERROR, error="The disk was full.", error_from=batch.status.value)
    run = jobs.retry_batch(services, batch_id)
    assert (run.stages, run.batch_id) == (stages, batch_id)
    with services.db.reading() as conn:
        batch = batches.get(conn, batch_id)
    assert (batch.status, batch.error) == (before[-1] if before else BatchStatus.PENDING, None)
    assert events(services, "batch.retried") == [f"Batch batch_001 is tried again from {batch.status}."]


@pytest.mark.parametrize(("policy", "is_kept"), [("mirror", True), ("keep", False)])
def test_a_retry_ends_every_wait_but_the_grace_of_the_peers_copies(
    services: Services, policy: str, is_kept: bool
) -> None:
    due = "2099-01-01T00:00:00+00:00"
    batch_id = make_batch(services, BatchStatus.SYNCED, published_at="2026-01-01T00:00:00+00:00")
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.ERROR, error="Full.", error_from="SYNCED")
        batches.set_columns(conn, batch_id, peer_policy=policy, next_look_at=due)

    jobs.retry_batch(services, batch_id)

    with services.db.reading() as conn:
        assert batches.get(conn, batch_id).next_look_at == (due if is_kept else None)


def test_a_batch_that_has_not_failed_cannot_be_retried(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.SYNCING)
    with pytest.raises(IllegalTransition, match="SYNCING; only a batch in ERROR can be retried"):
        jobs.retry_batch(services, batch_id)


def test_a_failed_file_in_ingest_starts_afresh(services: Services) -> None:
    asset_id = add_failed_asset(services, RootKind.INGEST)
    asset = jobs.retry_asset(services, asset_id)
    assert (asset.status, asset.attempts, asset.reason) == (AssetStatus.DISCOVERED, 0, None)
    with pytest.raises(IllegalTransition, match="is discovered"):
        jobs.retry_asset(services, asset_id)


def test_a_failed_file_in_a_batch_goes_on_where_its_batch_is(services: Services) -> None:
    delivering = add_failed_asset(services, RootKind.BATCH, make_batch(services, BatchStatus.SYNCING))
    delivered = add_failed_asset(services, RootKind.BATCH, make_batch(services, BatchStatus.SYNCED))
    assert jobs.retry_asset(services, delivering).status is AssetStatus.BATCHED
    assert jobs.retry_asset(services, delivered).status is AssetStatus.DELIVERED


def test_all_failed_files_are_tried_again_at_once(services: Services) -> None:
    kinds = (RootKind.INGEST, RootKind.DUPLICATES)
    ids = [add_failed_asset(services, kind) for kind in kinds]
    assert jobs.retry_failed_assets(services) == 2
    with services.db.reading() as conn:
        assert {assets.get(conn, asset_id).status for asset_id in ids} == {AssetStatus.DISCOVERED}
        assert totals.read(conn)[AssetStatus.FAILED] == (0, 0)
    assert jobs.retry_failed_assets(services) == 0


def set_aside(services: Services, kind: RootKind, path: bytes, batch_id: int | None = None) -> int:
    root = services.root(kind)
    with services.db.transaction() as conn:
        assets.insert_discovered(conn, root.id, [(path, Signature(1, 2, 3, 4, 5), None)])
        asset = assets.find_at(conn, root.id, path)
        assert asset is not None
        assets.mark(conn, [asset], AssetStatus.SET_ASIDE, reason="The peer cannot carry its name.", batch_id=batch_id)
    return asset.id


def test_a_file_that_was_set_aside_in_ingest_starts_afresh(services: Services) -> None:
    asset_id = set_aside(services, RootKind.INGEST, b"~syncthing~x.jpg", make_batch(services))
    asset = jobs.retry_asset(services, asset_id)
    assert (asset.status, asset.reason, asset.batch_id) == (AssetStatus.DISCOVERED, None, None)
    assert events(services, "asset.retried") == [f"File {asset_id} is tried again."]
    with services.db.reading() as conn:
        assert totals.read(conn)[AssetStatus.SET_ASIDE] == (0, 0)


@pytest.mark.parametrize(
    ("kind", "words"), [(RootKind.ARCHIVE, "waits for a review in the archive"), (RootKind.BATCH, "was set aside in")]
)
def test_a_file_that_was_set_aside_elsewhere_is_not_retried_and_the_answer_says_where_it_is(
    services: Services, kind: RootKind, words: str
) -> None:
    asset_id = set_aside(services, kind, b"review/x.jpg")
    with pytest.raises(Conflict, match=f"{words}.*review/x.jpg.*move it to the ingest folder"):
        jobs.retry_asset(services, asset_id)


@pytest.mark.parametrize("path", [b".mp-trash/17", b"trip/.mp-trash-17", b"trip/.mp-%s.part" % (b"0" * 32)])
def test_a_file_at_one_of_our_private_names_is_not_retried_and_the_answer_says_how_to_get_it_out(
    services: Services, path: bytes
) -> None:
    asset_id = set_aside(services, RootKind.INGEST, path)
    with pytest.raises(Conflict, match=f"{path.decode()}.*Move it to the ingest folder under a name with its ending"):
        jobs.retry_asset(services, asset_id)
    retried = jobs.retry_all_assets(services, AssetStatus.SET_ASIDE)
    assert (retried.count, list(retried.left)) == (0, ["it lies in our trash, or is a copy that was cut off"])


def test_a_file_that_is_tried_again_counts_in_its_batch_again(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.SYNCING, files=0)
    jobs.retry_asset(services, add_failed_asset(services, RootKind.BATCH, batch_id))
    with services.db.reading() as conn:
        assert batches.get(conn, batch_id).file_count == 1


def test_only_a_run_that_failed_can_be_retried(services: Services) -> None:
    run = jobs.start_cleanup(services, Trigger.API)
    with services.db.transaction() as conn:
        runs.change(conn, run, RunStatus.RUNNING)
    with pytest.raises(IllegalTransition, match="is running; only a run that failed can be retried"):
        jobs.retry_run(services, run.id)


def test_all_files_set_aside_in_ingest_are_retried_and_the_others_are_counted_by_reason(services: Services) -> None:
    with services.db.transaction() as conn:
        for kind in (RootKind.INGEST, RootKind.INGEST, RootKind.ARCHIVE, RootKind.DUPLICATES):
            root = services.root(kind)
            number = assets.last_id(conn) + 1
            assets.insert_discovered(conn, root.id, [(b"%d.jpg" % number, Signature(1, number, 3, 4, 5), None)])
            assets.mark(conn, [assets.get(conn, number)], AssetStatus.SET_ASIDE)
    assert jobs.retry_all_assets(services, AssetStatus.SET_ASIDE).as_json() == {
        "remaining": 0,
        "next_after_id": None,
        "count": 2,
        "left": 2,
        "left_by_reason": [
            {"reason": "it waits for a review in the archive", "files": 1},
            {"reason": "it lies in the duplicates folder, not in an ingest folder", "files": 1},
        ],
    }


def fail_many(services: Services, number: int) -> None:
    root = services.root(RootKind.INGEST)
    with services.db.transaction() as conn:
        new = [(b"%d.jpg" % n, Signature(1, n, 3, 4, 5), None) for n in range(number)]
        assets.insert_discovered(conn, root.id, new)
        assets.mark(conn, assets.list_by_status(conn, AssetStatus.DISCOVERED, limit=number), AssetStatus.FAILED)


def test_of_very_many_files_some_are_tried_again_and_what_remains_is_counted_until_none_is_left(
    services: Services,
) -> None:
    fail_many(services, 3_500)
    with services.db.transaction() as conn:  # no run takes up the first one: it must not be met again and again
        conn.exec_driver_sql("UPDATE assets SET root_id = ? WHERE id = 1", (services.root(RootKind.ARCHIVE).id,))
    after_id: int | None = 0
    told = []
    while after_id is not None:
        one = jobs.retry_all_assets(services, AssetStatus.FAILED, after_id, 1_500)
        told.append((one.count, one.left.total(), one.remaining))
        after_id = one.next_after_id
    assert told == [(1_999, 1, 1_500), (1_500, 0, 0)]
    with services.db.reading() as conn:
        found = {status: files for status, (files, _) in totals.read(conn).items() if files}
        assert found == {AssetStatus.DISCOVERED: 3_499, AssetStatus.FAILED: 1}
        assert totals.count(conn) == totals.read(conn)
        of_each = journal.list_events(conn, kind_prefix="asset.retried", limit=10_000)
    assert sorted(event.asset_id or 0 for event in of_each) == list(range(2, 3_501))


def test_every_slice_of_files_is_a_transaction_of_its_own_and_what_was_done_stays(services: Services) -> None:
    fail_many(services, 2_500)
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "CREATE TRIGGER no_more BEFORE UPDATE ON assets WHEN OLD.id = 2200 "
            "BEGIN SELECT RAISE(ABORT, 'cut off'); END"
        )
    with pytest.raises(IntegrityError):
        jobs.retry_all_assets(services, AssetStatus.FAILED)
    with services.db.reading() as conn:
        assert totals.read(conn)[AssetStatus.FAILED][0] == assets.count(conn, AssetStatus.FAILED) == 500
