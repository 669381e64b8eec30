"""What the tables promise: totals that add up, one run in flight, one open batch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from app.db import assets, batches, moves, roots, runs, totals
from app.db.connection import Database
from app.db.migrate import migrate, open_database
from app.errors import IllegalTransition, OpenBatchExists, RunInProgress, StateError
from app.model import (
    ASSET_CHANGES,
    OPEN_BATCH,
    AssetStatus,
    BatchStatus,
    RootKind,
    RunKind,
    RunStatus,
    Signature,
    Stage,
    Trigger,
)

PLAIN_BATCH = {
    "naming_pattern": "batch_{index:03d}",
    "target": "none",
    "transfer_mode": "move",
    "peer_policy": "keep",
    "device_id": None,
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = str(tmp_path_factory.mktemp("state") / "db.sqlite")
    migrate(path)
    opened = open_database(path)
    yield opened
    opened.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Database]:
    migrate(str(tmp_path / "db.sqlite"))
    opened = open_database(str(tmp_path / "db.sqlite"))
    yield opened
    opened.close()


class Undo(Exception):
    """Takes a transaction back."""


SIZES = st.lists(st.integers(0, 10**12), min_size=1, max_size=12)
STEPS = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(AssetStatus)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(SIZES, STEPS)
def test_totals_equal_a_recount_after_any_marks(
    db: Database, sizes: list[int], steps: list[tuple[int, AssetStatus]]
) -> None:
    with pytest.raises(Undo), db.transaction() as conn:
        root = roots.add(conn, RootKind.INGEST, b"/in", "id")
        found = [(b"%d" % n, Signature(1, n, size, 0, 0), None) for n, size in enumerate(sizes)]
        assets.insert_discovered(conn, root.id, found)
        for number, status in steps:
            asset = assets.find_at(conn, root.id, b"%d" % (number % len(sizes)))
            if asset is not None and status in ASSET_CHANGES[asset.status]:
                assets.mark(conn, [asset], status)
        kept = totals.read(conn)
        totals.recount(conn)
        assert {s: v for s, v in kept.items() if any(v)} == {s: v for s, v in totals.read(conn).items() if any(v)}
        assert sum(files for files, _ in kept.values()) == len(sizes)
        raise Undo


def test_what_is_not_known_of_a_new_file_is_null_and_names_are_bytes(fresh: Database) -> None:
    with fresh.transaction() as conn:
        root = roots.add(conn, RootKind.INGEST, b"/in", "id")
        assets.insert_discovered(conn, root.id, [(b"d/A\xff.jpg", Signature(1, 1, 5, 0, 0), None)])
        row = conn.exec_driver_sql(
            "SELECT group_id, head_digest, digest, digest_algorithm, original_id, path, origin_path, "
            "typeof(path), typeof(origin_path), typeof(name) FROM assets"
        ).one()
    assert row[:5] == (None,) * 5
    assert row[5:] == (b"d/A\xff.jpg", b"d/A\xff.jpg", "blob", "blob", "blob")


def test_a_mark_that_the_state_table_forbids_changes_nothing(fresh: Database) -> None:
    with fresh.transaction() as conn:
        root = roots.add(conn, RootKind.INGEST, b"/in", "id")
        assets.insert_discovered(conn, root.id, [(b"a", Signature(1, 1, 5, 0, 0), None)])
        asset = assets.get(conn, 1)
    with pytest.raises(IllegalTransition), fresh.transaction() as conn:
        assets.mark(conn, [asset], AssetStatus.ARCHIVED)
    with fresh.transaction() as conn:
        assets.mark(conn, [asset], AssetStatus.UNIQUE)
    with pytest.raises(IllegalTransition, match="changed meanwhile"), fresh.transaction() as conn:
        assets.mark(conn, [asset], AssetStatus.UNIQUE)
    with fresh.reading() as conn:
        assert totals.read(conn)[AssetStatus.UNIQUE] == (1, 5)


def start(db: Database) -> int:
    with db.transaction() as conn:
        return runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [Stage.SCAN]).id


def test_of_many_starters_at_the_same_time_one_gets_the_run(fresh: Database) -> None:
    started: list[int] = []
    refused: list[RunInProgress] = []

    def try_start() -> None:
        try:
            started.append(start(fresh))
        except RunInProgress as error:
            refused.append(error)

    threads = [threading.Thread(target=try_start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(started), len(refused)) == (1, 7)
    assert {error.run_id for error in refused} == set(started)


def test_a_waiting_run_frees_the_slot_and_takes_it_back_only_when_it_is_free(fresh: Database) -> None:
    first = start(fresh)
    with fresh.transaction() as conn:
        running = runs.change(conn, runs.get(conn, first), RunStatus.RUNNING)
        waiting = runs.change(conn, running, RunStatus.WAITING)
    second = start(fresh)
    with pytest.raises(RunInProgress) as caught, fresh.transaction() as conn:
        runs.change(conn, waiting, RunStatus.QUEUED)
    assert caught.value.run_id == second
    with fresh.transaction() as conn:
        runs.change(conn, runs.get(conn, second), RunStatus.CANCELLED)
        assert runs.change(conn, waiting, RunStatus.QUEUED).status is RunStatus.QUEUED


def test_who_has_read_an_older_status_claims_nothing(fresh: Database) -> None:
    with fresh.transaction() as conn:
        run = runs.get(conn, runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [Stage.SCAN]).id)
        batch = batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH)
        root = roots.add(conn, RootKind.INGEST, b"/ingest", "id")
        assets.insert_discovered(conn, root.id, [(b"a.jpg", Signature(1, 2, 3, 4, 5), None)])
        asset = assets.get(conn, assets.last_id(conn))
        runs.change(conn, run, RunStatus.CANCELLED)
        batches.change(conn, batch, BatchStatus.CANCELLED)
        assets.mark(conn, [asset], AssetStatus.FAILED)
    with pytest.raises(IllegalTransition), fresh.transaction() as conn:
        runs.change(conn, run, RunStatus.RUNNING)
    with pytest.raises(IllegalTransition), fresh.transaction() as conn:
        batches.change(conn, batch, BatchStatus.SYNCED)
    with pytest.raises(IllegalTransition), fresh.transaction() as conn:
        assets.mark(conn, [asset], AssetStatus.UNIQUE)
    with fresh.reading() as conn:
        left = runs.get(conn, run.id).status, batches.get(conn, batch.id).status, assets.get(conn, asset.id).status
    assert left == (RunStatus.CANCELLED, BatchStatus.CANCELLED, AssetStatus.FAILED)


def test_the_database_itself_refuses_a_second_run_in_flight(fresh: Database) -> None:
    start(fresh)
    with pytest.raises(IntegrityError), fresh.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO runs (kind, trigger, status, stages, requested_at, slot) "
            "VALUES ('stage', 'api', 'queued', '[]', '', 1)"
        )


def test_a_batch_that_has_not_ended_refuses_the_next_one_and_is_named(fresh: Database) -> None:
    with fresh.transaction() as conn:
        first = batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH)
    for status in (*OPEN_BATCH[:2], BatchStatus.ERROR, BatchStatus.SYNCED, BatchStatus.SORTING):
        with fresh.transaction() as conn:
            if first.status is not status:
                first = batches.change(conn, first, status)
        with pytest.raises(OpenBatchExists) as caught, fresh.transaction() as conn:
            batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH)
        assert (caught.value.name, caught.value.status) == ("batch_001", status)
    with fresh.transaction() as conn:
        batches.change(conn, first, BatchStatus.SORTED)
        assert batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH).name == "batch_002"


def test_parallel_batches_get_names_of_their_own(fresh: Database) -> None:
    with fresh.transaction() as conn:
        names = [batches.reserve(conn, allow_parallel=True, **PLAIN_BATCH).name for _ in range(3)]
        batches.drop_reserved(conn, 3)
        names.append(batches.reserve(conn, allow_parallel=True, **PLAIN_BATCH).name)
    assert names == ["batch_001", "batch_002", "batch_003", "batch_003"]


def test_a_write_that_fails_half_way_leaves_nothing(fresh: Database) -> None:
    with pytest.raises(Undo), fresh.transaction() as conn:
        batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH)
        raise Undo
    with fresh.reading() as conn:
        assert batches.list_recent(conn) == []
        assert not moves.has_open(conn)


def test_a_second_writer_waits_for_the_first(fresh: Database) -> None:
    other = open_database(fresh.path)
    with fresh.transaction() as conn:
        waiter = threading.Thread(target=start, args=(other,))
        waiter.start()
        batches.reserve(conn, allow_parallel=False, **PLAIN_BATCH)
    waiter.join()
    other.close()
    with fresh.reading() as conn:
        assert runs.find_in_flight(conn) is not None
        assert batches.find_open(conn) is not None


def test_a_full_disk_is_told_in_words_and_reading_goes_on(fresh: Database) -> None:
    with fresh.transaction() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        root = roots.add(conn, RootKind.INGEST, b"/in", "id")
    names = [(b"%d" % n * 50, Signature(1, n, 1, 0, 0), None) for n in range(5000)]
    with pytest.raises(StateError, match="full"), fresh.transaction() as conn:
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        assets.insert_discovered(conn, root.id, names)
    with fresh.reading() as conn:
        assert totals.read(conn)[AssetStatus.DISCOVERED] == (0, 0)
