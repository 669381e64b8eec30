"""The ledger of `make torture`: what has passed on this code is not run again, and its figures add up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.torture.ledger import Ledger, table

REPOSITORY = Path(__file__).parents[2]

TESTS = """
from pathlib import Path
import pytest

RAN = Path(__file__).with_name("ran")

@pytest.mark.torture
@pytest.mark.parametrize("seed", [1, 2])
def test_some_kills(seed, record_property):
    RAN.open("a").write(f"{seed} ")
    record_property("kills", 50 + seed)
    assert seed == 1 or Path(__file__).with_name("mended").exists()
"""


def a_sitting(folder: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.torture.ledger"]
    options = ["--ledger", str(folder / "ledger"), "-m", "torture", "--rootdir", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    config = ["-c", str(REPOSITORY / "pyproject.toml"), str(folder / "test_it.py")]
    called = [*command, *options, *config]
    return subprocess.run(
        called, cwd=REPOSITORY, env=environment, capture_output=True, timeout=60, check=False
    ).returncode


def make(folder: Path) -> Path:
    (folder / "test_it.py").write_text(TESTS)
    return folder


def test_a_second_sitting_runs_only_what_has_not_passed_and_the_figures_add_up(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert a_sitting(folder) == 1
    ledger = Ledger(folder / "ledger", folder)
    assert ledger.figures() == {"tests": 1, "kills": 51}
    assert [line.split("::")[1] for line in table(ledger) if "FAILED" in line] == ["test_some_kills[2]"]
    (folder / "mended").touch()
    assert a_sitting(folder) == 0
    assert (folder / "ran").read_text() == "1 2 2 "
    assert ledger.figures() == {"tests": 2, "kills": 103}
    assert not ledger.failed()


def test_what_passed_on_other_code_is_run_again(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder / "mended").touch()
    assert a_sitting(folder) == 0
    path = folder / "test_it.py"
    path.write_text(path.read_text() + "# changed\n")
    assert Ledger(folder / "ledger", folder).figures() == {"tests": 0}
    assert a_sitting(folder) == 0
    assert (folder / "ran").read_text() == "1 2 1 2 "


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder / "mended").touch()
    assert a_sitting(folder) == 0
    path = folder / "ledger"
    path.write_text(path.read_text() + '{"test": "x", "code"')
    assert Ledger(path, folder).figures() == {"tests": 2, "kills": 103}
