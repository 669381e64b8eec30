"""Trying again: everything that failed in one go, or files by name, always said before and never by accident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import assets, batches, runs
from app.model import AssetStatus, BatchStatus, RunKind, RunStatus, Stage, Trigger
from tests.cli.conftest import start
from tests.conftest import read_tree
from tests.prepared import Prepared
from tests.worker.installation import Installation


@pytest.fixture
def prepared(tmp_path: Path) -> Iterator[Prepared]:
    with Prepared(tmp_path) as found:
        yield found


def state(installation: Installation) -> tuple[BatchStatus, RunStatus, int]:
    """Of the batch that stopped and of the run that failed; and how many files have failed."""
    with installation.services.db.reading() as conn:
        return batches.get(conn, 3).status, runs.get(conn, 5).status, assets.count(conn, AssetStatus.FAILED)


def test_all_that_failed_is_shown_asked_about_and_tried_again(prepared: Prepared) -> None:
    failed = (BatchStatus.ERROR, RunStatus.FAILED, 1)
    assert state(prepared) == failed
    with prepared.services.db.transaction() as conn:
        preview = runs.insert_queued(conn, RunKind.PREVIEW, Trigger.CLI, [Stage.PREVIEW])
        runs.change(conn, runs.change(conn, preview, RunStatus.RUNNING), RunStatus.DONE)

    code, out, _ = prepared.call("retry", "--dry-run")
    assert (code, "Batch batch_003 (id 3) stopped: The peer's disk is full." in out) == (0, True)
    assert "Run 5 failed: The archive folder was away." in out and "1 file has failed." in out
    for nobody in (["retry"], ["retry", "--json"]):
        asked = start(prepared.config_path, *nobody)
        out, err = asked.communicate(timeout=60)
        assert (asked.returncode, b"say --yes" in out + err) == (2, True)
    assert state(prepared) == failed

    code, out, _ = prepared.call("retry", "--yes")
    assert code == 0, out
    assert "1 file will be taken up again by the next run" in out
    assert state(prepared) == (BatchStatus.SORTED, RunStatus.DONE, 0)
    assert "2024/09/09/IMG_0900.JPG" in read_tree(prepared.archive)
    assert prepared.call("retry", "--yes")[1] == "Nothing has failed.\n"


def test_files_are_tried_again_by_id_or_all_of_a_status(prepared: Prepared) -> None:
    names = prepared.placeholders()
    failed, archived = str(names["failed_id"]), str(names["asset_id"])

    code, out, _ = prepared.call("assets", "retry", failed, archived)
    assert (code, f"File {failed} will be taken up again" in out) == (1, True)
    assert f"File {archived} is archived; only a file that failed or was set aside can be retried." in out
    assert state(prepared)[2] == 0

    code, out, _ = prepared.call("assets", "retry", "--set-aside")
    assert (code, "1 file that was set aside will be taken up by the next run." in out) == (0, True)
    for wrong in (["assets", "retry"], ["assets", "retry", failed, "--failed"], ["assets", "retry", "x"]):
        assert prepared.call(*wrong)[0] == 2
