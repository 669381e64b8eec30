"""A backup whose settings name another place for the database than the settings in force."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from app.backup.making import make_backup
from app.backup.restoring import Wish, restore
from app.cli import run
from app.config.store import ConfigStore
from app.errors import Conflict
from app.services import set_up
from tests.conftest import make_config

HOME = Path(__file__).resolve().parents[2]
WORKER = """\
import sys, time
from app.files.lock import mover_lock
with mover_lock(sys.argv[1]):
    print(flush=True)
    time.sleep(60)
"""
PAGES = """\
import sys, time
from app.db.migrate import open_database
db = open_database(sys.argv[1] + "/db.sqlite")
with db.reading() as conn:
    conn.exec_driver_sql("SELECT 1 FROM facts")
print(flush=True)
time.sleep(60)
"""


@contextmanager
def running(program: str, state: Path) -> Iterator[None]:
    """One process of a service that lives on this state folder."""
    with subprocess.Popen([sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, cwd=HOME) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield
        finally:
            process.kill()


def save(base: Path, state: Path) -> Path:
    path = base / "config" / "config.yaml"
    path.parent.mkdir(exist_ok=True)
    values = make_config(base, system={"db_path": str(state / "db.sqlite")}).model_dump(mode="json")
    path.write_text(yaml.safe_dump(values), "utf-8")
    return path


@pytest.mark.parametrize("program", [WORKER, PAGES], ids=["worker", "pages"])
def test_a_service_that_runs_on_a_database_elsewhere_keeps_a_restore_from_beginning(
    tmp_path: Path, program: str
) -> None:
    old, new = tmp_path / "state", tmp_path / "state2"
    config_path = save(tmp_path, old)
    services = set_up(ConfigStore(str(config_path), {}).load())
    backup = make_backup(services, str(config_path), str(tmp_path / "backup.tar.gz")).path
    services.close()
    new.mkdir()
    os.rename(old / "db.sqlite", new / "db.sqlite")
    save(tmp_path, new)
    text = config_path.read_text()
    with running(program, new), pytest.raises(Conflict, match="service is running"):
        restore(str(config_path), backup, Wish(), {})
    assert config_path.read_text() == text
    assert not (old / "db.sqlite").exists()
    assert restore(str(config_path), backup, Wish(), {}).db_path == str(old / "db.sqlite")
    assert (old / "db.sqlite").is_file()


@pytest.mark.parametrize("program", [WORKER, PAGES], ids=["worker", "pages"])
def test_a_backup_is_looked_at_while_the_service_runs_and_put_back_only_when_it_is_stopped(
    tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    config_path = save(tmp_path, state)
    services = set_up(ConfigStore(str(config_path), {}).load())
    backup = make_backup(services, str(config_path), str(tmp_path / "backup.tar.gz")).path
    services.close()
    command = ["--config", str(config_path), "restore", backup]
    before = sorted(os.listdir(state))
    with running(program, state):
        assert run([*command, "--dry-run"]) == 0
        assert "A whole backup" in capsys.readouterr().out
        assert run([*command, "--yes"]) == 2
        assert "service is running" in capsys.readouterr().err
    assert [name for name in sorted(os.listdir(state)) if ".kept-" in name] == []
    assert set(before) <= set(os.listdir(state))


def test_settings_in_force_whose_state_folder_is_no_more_do_not_stand_in_the_way_of_a_restore(tmp_path: Path) -> None:
    config_path = save(tmp_path, tmp_path / "state")
    services = set_up(ConfigStore(str(config_path), {}).load())
    backup = make_backup(services, str(config_path), str(tmp_path / "backup.tar.gz")).path
    services.close()
    save(tmp_path, tmp_path / "gone")
    restore(str(config_path), backup, Wish(), {})
    assert not (tmp_path / "gone").exists()
