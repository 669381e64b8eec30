"""Filing anew is killed at any moment: nothing is lost, and the next start finishes what was begun."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.db import moves, runs
from app.model import RunStatus
from app.pipeline.workflow import execute
from app.services import Services
from tests.pipeline.library import assert_rows_agree, census
from tests.pipeline.refile_child import AFTER, BEFORE, WHERES, library, open_at
from tests.pipeline.refiling import refile, report_of, take_back, tree
from worker.recover import recover_files, requeue_interrupted

MOMENTS = [("renamed", 1), ("renamed", 4), ("intended", 1), ("intended", 2), ("finished", 1), ("finished", 2),
           ("planned", 1), ("put aside", 1), ("pruned", 1)]  # fmt: skip
#: As often as each is done, and once more when nothing is killed.
ALL = [(where, times) for where in WHERES for times in range(1, 13)]


def start_again(services: Services) -> None:
    """What the worker does at a start: recover, queue again, execute."""
    recover_files(services)
    for run_id in requeue_interrupted(services):
        execute(services, run_id, threading.Event())


@dataclass
class Archive:
    """An archive that is put back to what it was as often as needed, and what becomes of it when nothing is killed."""

    base: Path
    kept: Path
    before: dict[str, bytes]
    expected: dict[str, bytes]

    def put_back(self) -> None:
        shutil.rmtree(self.base)
        shutil.copytree(self.kept, self.base, symlinks=True)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("refile")
    base, kept = folder / "base", folder / "kept"
    services = open_at(base, BEFORE)
    library(services)
    before = tree(services)
    services.close()
    shutil.copytree(base, kept, symlinks=True)
    services = open_at(base, AFTER)
    refile(services)
    expected = tree(services)
    services.close()
    assert sorted(expected.values()) == sorted(before.values()) and len(expected) == len(before) == 12
    return Archive(base, kept, before, expected)


def kill_and_start_again(archived: Archive, where: str, times: int) -> int:
    """Returns how the process ended that was to be killed."""
    archived.put_back()
    base = archived.base
    contents = census(base)
    command = [sys.executable, "-m", "tests.pipeline.refile_child", str(base), where, str(times)]
    ended = subprocess.run(command, check=False, cwd=Path(__file__).parents[2], capture_output=True, timeout=120)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    assert census(base) == contents

    services = open_at(base, AFTER)
    start_again(services)
    assert tree(services) == archived.expected
    assert_rows_agree(services)
    with services.db.reading() as conn:
        assert not moves.has_open(conn) and not moves.list_quarantined(conn)
        (run,) = [run for run in runs.list_recent(conn, 50) if run.kind == "refile"]
    assert run.status is RunStatus.DONE, run.error
    assert report_of(services, run)["could_not_move"] == 0
    take_back(services, run)
    assert tree(services) == archived.before
    assert_rows_agree(services)
    services.close()
    return ended.returncode


@pytest.mark.parametrize(("where", "times"), MOMENTS)
def test_a_kill_loses_nothing_and_the_next_start_finishes(archived: Archive, where: str, times: int) -> None:
    assert kill_and_start_again(archived, where, times) == -signal.SIGKILL


@pytest.mark.torture
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("where", "times"), ALL)
def test_a_kill_at_every_moment_loses_nothing(archived: Archive, where: str, times: int) -> None:
    kill_and_start_again(archived, where, times)
