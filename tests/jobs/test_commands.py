"""What can be asked for by a word: each command starts or steers the run, or acts on the batch, that is there."""

from __future__ import annotations

import os

import pytest

from app import jobs
from app.db import batches, runs
from app.errors import Conflict, IllegalTransition, NotFound, RunInProgress
from app.jobs.commands import COMMANDS
from app.model import BatchStatus, RunKind, Stage
from app.services import Services
from tests.browser import rows


def said(services: Services, name: str) -> str:
    return jobs.carry_out(services, str(services.state_dir / "config.yaml"), name)


@pytest.mark.parametrize(
    ("name", "kind", "stages"),
    [
        ("dedup", RunKind.STAGE, (Stage.SCAN, Stage.DEDUP)),
        ("batch", RunKind.STAGE, (Stage.INSPECT, Stage.BATCH)),
        ("cleanup", RunKind.STAGE, (Stage.CLEANUP,)),
        ("verify", RunKind.VERIFY, (Stage.VERIFY,)),
    ],
)
def test_a_command_asks_for_the_run_of_its_stage(
    services: Services, name: str, kind: RunKind, stages: tuple[Stage, ...]
) -> None:
    assert "(run 1)" in said(services, name)
    with services.db.reading() as conn:
        found = runs.get(conn, 1)
    assert (found.kind, found.stages) == (kind, stages)


@pytest.mark.parametrize(("name", "status"), [("sync", BatchStatus.SYNCING), ("sort", BatchStatus.SYNCED)])
def test_a_batch_is_chosen_that_the_command_fits_the_oldest_first(
    services: Services, name: str, status: BatchStatus
) -> None:
    made = [rows.add_syncing_batch(services) for _ in range(3)]
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, made[0]), BatchStatus.ERROR, error="x", error_from="SYNCING")
        if status is not BatchStatus.SYNCING:
            for batch_id in made[1:]:
                batches.change(conn, batches.get(conn, batch_id), status)
    assert f"of batch {made[1]} was started (run 1)" in said(services, name)
    with services.db.reading() as conn:
        assert runs.get(conn, 1).batch_id == made[1]


@pytest.mark.parametrize("name", ["sync", "sort", "pause", "resume", "cancel"])
def test_a_command_with_nothing_to_act_on_is_refused(services: Services, name: str) -> None:
    with pytest.raises(Conflict, match="There is no"):
        said(services, name)


def test_a_run_is_steered_and_stands_in_the_way_of_others(services: Services) -> None:
    said(services, "run")
    with pytest.raises(RunInProgress):
        said(services, "dedup")
    said(services, "pause")
    assert said(services, "resume") == "Run 1 goes on."
    with pytest.raises(IllegalTransition):
        said(services, "resume")
    assert said(services, "cancel") == "Run 1 is being cancelled."


def test_a_word_that_is_no_command_is_refused(services: Services) -> None:
    assert "delete" not in COMMANDS
    with pytest.raises(NotFound, match="There is no command delete"):
        said(services, "delete")


def test_deliveries_are_looked_at_and_a_backup_is_made(services: Services) -> None:
    (services.state_dir / "config.yaml").write_text("{}")
    assert said(services, "refresh_sync") == "No delivery is under way, so there is nothing to look at."
    name = said(services, "backup").split()[2]
    assert os.listdir(services.backup_dir) == [name]
