"""A hold survives what kills the program, protects until the end, and is never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app import jobs
from app.db import kept_copies, runs
from app.files.holds import FOLDER
from app.model import HELD, BatchStatus, RootKind, RunStatus, Trigger
from app.services import Services
from tests.conftest import make_services, read_tree
from tests.pipeline.hold_child import MOMENTS, SETTINGS, carry
from tests.pipeline.running import fill, go, messages, the_batches


def let_go_of_what_was_cut_off(services: Services) -> None:
    """What the worker does with a run whose process is gone."""
    with services.db.transaction() as conn:
        for run in runs.list_by_status(conn, [RunStatus.RUNNING]):
            runs.change(conn, run, RunStatus.FAILED, error="its process is gone")


def holds(services: Services) -> list[Path]:
    folder = Path(os.fsdecode(services.root(RootKind.STAGING).path)) / FOLDER.decode()
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_no_file_lost_and_no_hold_behind(tmp_path: Path, moment: str) -> None:
    services = make_services(tmp_path, **SETTINGS)
    fill(services, 4)
    before = sorted(read_tree(services.config.paths.source_dir).values())

    command = [sys.executable, "-m", "tests.pipeline.hold_child", str(tmp_path), moment]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parents[2], capture_output=True, timeout=120)

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert bool(holds(services)) == (moment != "between the drop and its rows")
    let_go_of_what_was_cut_off(services)
    carry(services)
    go(services, jobs.start_cleanup(services, Trigger.API))
    (batch,) = the_batches(services)
    assert batch.status is BatchStatus.SORTED and batch.hold == HELD
    archived = read_tree(services.config.paths.sorted_dir)
    assert sorted(content for name, content in archived.items() if name.endswith(".jpg")) == before
    assert not holds(services) and FOLDER not in os.listdir(services.root(RootKind.STAGING).path)
    with services.db.reading() as conn:
        assert not list(kept_copies.list_places(conn, services.root(RootKind.STAGING).id))
    assert not messages(services, "orphan.found") and not messages(services, "asset.failed")
    services.close()
