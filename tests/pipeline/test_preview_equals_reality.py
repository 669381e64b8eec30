"""The promise of a preview: the run that follows does exactly what it said, and until then nothing is touched."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from app import jobs
from app.db import outcomes, rehearsals, runs
from app.db.connection import Database
from app.model import BatchStatus, Run, RunStatus, Stage, Trigger
from app.pipeline.execution import wake
from app.pipeline.manifest import parse
from app.services import Services
from tests.conftest import make_services
from tests.pipeline.generated import OF_THE_RUN, Story, rows_of, stories, tree_of, write, write_foreign
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.running import deliver, go, the_batches, workflow

#: What is said of each asset and each batch; places and verdicts, not instants and signatures.
OF_ASSETS = (
    "id, root_id, path, status, size_bytes, digest, sha256, original_id, group_id, batch_id, taken_at, taken_local, "
    "taken_from, content_identifier, origin_root_id, origin_path, attempts, reason"
)
#: Without holds: those that an earlier run left are dropped on the way, of which a preview says nothing.
KEPT_FOR_GOOD = "kept_copies WHERE instr(path, CAST('.mp-holds/' AS BLOB)) <> 1"
OF_BATCHES = "id, name, status, file_count, size_bytes, target, transfer_mode, peer_policy"


def check(story: Story) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory(dir="/dev/shm") as other:
        places = (Path(one), Path(other) if story.is_archive_elsewhere else Path(one))
        with library(story, *places) as services:
            check_library(services, places)


def check_library(services: Services, places: tuple[Path, Path]) -> None:
    """Preview, then do it."""
    before, rows_before = media_of(places), rows_of(services.db.path, *OF_THE_RUN)
    preview = go(services, jobs.start_preview(services, Trigger.API))
    assert preview.status is RunStatus.DONE, preview.error
    assert media_of(places) == before, "the preview touched something"
    assert rows_of(services.db.path, *OF_THE_RUN) == rows_before, "the preview changed a row"
    run = carry_to_the_end(services)
    with rehearsals.opened(services.db, preview.id) as copy:
        assert_same_rows(services.db, copy)
        assert_listed_as_it_became(services, copy, run)
        assert_same_paths_in_batches(services, copy)
    assert_summed_up(services, preview, run)
    assert_rows_agree(services)


def media_of(places: tuple[Path, Path]) -> dict[bytes, tuple[int, ...]]:
    return {path: seen for place in places for path, seen in tree_of(place, "state").items()}


@contextmanager
def library(story: Story, base: Path, archive_base: Path) -> Iterator[Services]:
    """What the story tells, on disk and in rows, up to the moment before the preview."""
    changes: dict[str, Any] = {**story.changes, "sync": {**story.changes["sync"], "folder_dir": str(base / "disk")}}
    services = make_services(base, **changes, paths={"sorted_dir": str(archive_base / "archive")})
    try:
        ingest = os.fsencode(services.config.paths.source_dir)
        archived = write(ingest, story.archived)
        if archived:
            carry_to_the_end(services)
        all_sorted = all(batch.status is BatchStatus.SORTED for batch in the_batches(services))
        if write(ingest, story.in_open_batch) and all_sorted:
            go(services, jobs.start_dedup(services, Trigger.API))
            go(services, jobs.create_batch(services, Trigger.API)[1])
        for path in [p for p in archived if os.path.lexists(p)][: story.removed]:
            os.unlink(path)
        written = write(ingest, story.new)
        if story.second_name and written:
            os.link(written[0], os.path.join(ingest, b"second name.jpg"))
        write_foreign(os.fsencode(services.config.paths.sorted_dir), story.foreign)
        yield services
    finally:
        services.close()


def carry_to_the_end(services: Services) -> Run:
    """The real workflow; a delivery to the peer is proven at once when it is waited for."""
    run = workflow(services)
    while run.status is RunStatus.WAITING:
        for batch in the_batches(services):
            if batch.status in (BatchStatus.PENDING, BatchStatus.SYNCING) and batch.published_at:
                deliver(services, batch.id)
        assert wake(services, run, "delivered")
        run = go(services, run)
    return run


def assert_same_rows(real: Database, copy: Database) -> None:
    for what, table in ((OF_ASSETS, "assets"), (OF_BATCHES, "batches"), ("root_id, path, reason", "left_in_place"),
                        ("asset_id, root_id, path", KEPT_FOR_GOOD), ("status, file_count, size_bytes", "totals")):
        said, became = (select(db, f"SELECT {what} FROM {table}") for db in (copy, real))
        different = [pair for pair in zip(said, became, strict=False) if pair[0] != pair[1]]
        assert (different[:3], len(said)) == ([], len(became)), table


def assert_listed_as_it_became(services: Services, copy: Database, run: Run) -> None:
    """The lists that people read: where each file is, what it becomes, and of what it is a duplicate."""
    became = {row[0]: row[1:] for row in select(
        services.db, "SELECT id, root_id, path, status, original_id, batch_id, taken_local, taken_from FROM assets")}
    with copy.reading() as conn:
        listed = outcomes.list_page(conn, limit=10_000)
    for row in listed:
        assert (row.target_root_id, row.target_path, row.status, row.original_id, row.batch_id, row.taken_local,
                row.taken_from) == became[row.asset_id]
        assert row.outcome
    moved = select(services.db, f"SELECT asset_id FROM moves WHERE asset_id IS NOT NULL AND run_id = {run.id}")
    assert {row[0] for row in moved} <= {row.asset_id for row in listed}


def assert_same_paths_in_batches(services: Services, copy: Database) -> None:
    with copy.reading() as conn:
        names = {batch.id: batch.name for batch in outcomes.list_batches(conn, 0, 1_000)}
        said = {(names[row.batch_id], row.asset_id): row.path_in_batch
                for row in outcomes.list_page(conn, limit=10_000) if row.batch_id in names}
    folder = os.path.join(services.config.paths.sorted_dir, ".media-pipeline", "manifests")
    written = {}
    for name in names.values():
        manifest = parse(Path(folder, f"{name}.json").read_bytes())
        written.update({(name, file.asset_id): file.path for file in manifest.files})
    assert said == written


def assert_summed_up(services: Services, preview: Run, run: Run) -> None:
    with services.db.reading() as conn:
        summary = runs.list_steps(conn, preview.id)[-1].report["summary"]
        dedup = next(s.report for s in runs.list_steps(conn, run.id) if s.stage is Stage.DEDUP)
    assert run.status is RunStatus.DONE, run.error
    assert json.loads(json.dumps(summary)) == summary
    # Whatever the preview has read is not read again.
    assert (dedup["read"], dedup["known"]) == (0, summary["seen"]["read"])
    since = summary["began_at"]
    carried = [b for b in the_batches(services) if b.status is not BatchStatus.SORTED or (b.sorted_at or "") >= since]
    assert (summary["batches"]["count"], summary["batches"]["files"]) == (
        len(carried), sum(batch.file_count for batch in carried)
    )  # fmt: skip


def select(db: Database, query: str) -> list[tuple[Any, ...]]:
    with db.reading() as conn:
        return sorted((tuple(row) for row in conn.exec_driver_sql(query)), key=repr)


COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "print_blob": True,
}


@settings(max_examples=20, phases=(Phase.generate,), **COMMON)
@seed(datetime.now(UTC).date().toordinal())
@given(story=stories())
def test_the_run_after_a_preview_does_exactly_that(story: Story) -> None:
    """Other libraries each day; the seed is the date."""
    check(story)


@pytest.mark.torture
@pytest.mark.timeout(7_200)
@settings(max_examples=200, derandomize=True, **COMMON)
@given(story=stories())
def test_the_run_after_a_preview_does_exactly_that_for_200_libraries(story: Story) -> None:
    check(story)
