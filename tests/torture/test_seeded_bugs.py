"""Can these tests fail at all? Each bug below is put into a copy of the program, and a named test has to catch it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.torture.bug import Bug
from tests.torture.bugs_of_moves import BUGS_OF_MOVES
from tests.torture.bugs_of_the_pipeline import BUGS_OF_THE_PIPELINE

REPOSITORY = Path(__file__).parents[2]

BUGS = [*BUGS_OF_MOVES, *BUGS_OF_THE_PIPELINE]

#: Without the `torture` marker so many of them are tried, other ones each day.
TRIED_A_DAY = 4


@pytest.fixture(scope="module")
def copy_of_the_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutant")
    for name in ("app", "tests", "worker"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(REPOSITORY / "pyproject.toml", folder / "pyproject.toml")
    return folder


def catches(folder: Path, bug: Bug) -> bool:
    """Whether the named test fails with the bug. It has to be there, and the line to be changed too."""
    path = folder / "app" / bug.file
    right = path.read_text()
    assert right.count(bug.right) >= 1, f"{bug.name}: the line to change is not in {bug.file}"
    path.write_text(right.replace(bug.right, bug.wrong, 1))
    try:
        return _run(folder, [bug.caught_by]) == 1
    finally:
        path.write_text(right)


def _run(folder: Path, tests: list[str]) -> int:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1_200, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode


def check(folder: Path, bugs: list[Bug], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, sorted({bug.caught_by for bug in bugs})) == 0, "the tests fail without a bug"
    missed = [bug.name for bug in bugs if not catches(folder, bug)]
    with capsys.disabled():
        print(
            f"\nseeded bugs: {len(bugs) - len(missed)} of {len(bugs)} tried are caught, {len(BUGS)} there are", end=" "
        )
    assert not missed, f"not caught: {missed}"


def test_the_bugs_of_the_day_are_caught(copy_of_the_program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = datetime.now(UTC).date().toordinal() * TRIED_A_DAY
    check(copy_of_the_program, [BUGS[(first + n) % len(BUGS)] for n in range(TRIED_A_DAY)], capsys)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_every_seeded_bug_is_caught(copy_of_the_program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(copy_of_the_program, BUGS, capsys)


def test_the_lines_to_change_are_all_there(copy_of_the_program: Path) -> None:
    for bug in BUGS:
        assert (copy_of_the_program / "app" / bug.file).read_text().count(bug.right) >= 1, bug.name
