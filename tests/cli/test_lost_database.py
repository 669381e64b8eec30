"""What commands say when the database is gone and the folders still tell that there was one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import run
from tests.cli.conftest import Machine, write_config


@pytest.mark.parametrize("command", ["overview", "run", "doctor"])
def test_a_lost_database_is_told_with_both_ways_out(machine: Machine, command: str) -> None:
    machine.services.close()
    for name in (path := Path(machine.services.db.path)).parent.glob(f"{path.name}*"):
        name.unlink()
    code, out, err = machine.call(command)
    told = " ".join((out + err).split())
    assert code != 0
    assert "belongs to the database" in told and "is missing or empty" in told
    assert "media-pipeline rebuild" in told and "media-pipeline restore FILE" in told
    assert "it is made when the program starts" not in told


def test_a_database_that_was_never_made_is_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path)
    assert run(["--config", str(config), "overview"]) != 0
    said = capsys.readouterr()
    assert "it is made when the program starts" in " ".join((said.out + said.err).split())
