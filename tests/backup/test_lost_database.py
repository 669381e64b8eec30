"""A database that is lost or damaged: what is refused, what is kept, and what a new one takes over."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.backup.lost_database import prepare_rebuild
from app.backup.state import DatabaseState, look_at_database, refuse_in_use
from app.config.schema import Config
from app.config.store import Snapshot
from app.db import confirmation, journal, roots
from app.db.migrate import open_database, read_database_id
from app.errors import Conflict, DatabaseDamaged, RootUnavailable, StateError
from app.files.lock import mover_lock
from app.files.markers import Marker, write_marker
from app.model import RootKind
from app.services import set_up
from tests.conftest import make_config, make_services


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """An installation that was set up and is stopped."""
    make_services(tmp_path).close()
    return make_config(tmp_path)


@pytest.fixture
def state(config: Config) -> Path:
    return Path(config.system.db_path).parent


def lose(config: Config) -> str | None:
    """Remove the database; its identity."""
    identity = read_database_id(config.system.db_path)
    for suffix in ("", "-wal", "-shm"):
        Path(config.system.db_path + suffix).unlink(missing_ok=True)
    return identity


def known_roots(config: Config) -> set[tuple[RootKind, bytes, str]]:
    db = open_database(config.system.db_path)
    with db.reading() as conn:
        found = {(r.kind, r.path, r.marker_id) for r in roots.list_all(conn)}
    db.close()
    return found


def test_a_new_database_takes_over_the_identity_of_the_old_one_and_of_its_folders(config: Config, state: Path) -> None:
    before = known_roots(config)
    identity = lose(config)
    prepared = prepare_rebuild(config)
    assert (prepared.state, prepared.kept_aside) == (DatabaseState.MISSING, None)
    assert read_database_id(config.system.db_path) == identity
    assert known_roots(config) == before
    services = set_up(Snapshot(config, revision="test"))
    with services.db.reading() as conn:
        assert confirmation.awaited_since(conn) is not None
        assert [e.kind for e in journal.list_events(conn)] == ["rebuild.started"]
    services.close()
    assert stat.S_IMODE(os.stat(config.system.db_path).st_mode) == 0o600
    assert [name for name in os.listdir(state) if ".new-" in name] == []


def test_a_start_without_the_database_names_both_ways_out(config: Config) -> None:
    lose(config)
    with pytest.raises(StateError, match="media-pipeline restore FILE") as told:
        set_up(Snapshot(config, revision="test"))
    assert "media-pipeline rebuild" in str(told.value)
    assert not os.path.lexists(config.system.db_path)


def damage(config: Config) -> bytes:
    path = Path(config.system.db_path)
    content = bytearray(path.read_bytes())
    content[100:8000] = b"\xff" * 7900
    path.write_bytes(content)
    return bytes(content)


def test_a_damaged_database_is_kept_to_the_byte(config: Config) -> None:
    content = damage(config)
    with pytest.raises(DatabaseDamaged, match="media-pipeline rebuild"):
        set_up(Snapshot(config, revision="test"))
    prepared = prepare_rebuild(config)
    assert prepared.state is DatabaseState.DAMAGED
    assert prepared.kept_aside is not None
    assert Path(prepared.kept_aside).read_bytes() == content
    assert look_at_database(config.system.db_path)[0] is DatabaseState.HEALTHY


def test_the_log_of_a_lost_database_never_meets_the_new_one(config: Config) -> None:
    with closing(sqlite3.connect(config.system.db_path)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("INSERT INTO facts VALUES ('foreign', 'yes')")
        conn.commit()
        log = Path(config.system.db_path + "-wal").read_bytes()
    assert log
    lose(config)
    Path(config.system.db_path + "-wal").write_bytes(log)
    prepared = prepare_rebuild(config)
    assert Path(str(prepared.kept_aside) + "-wal").read_bytes() == log
    with closing(sqlite3.connect(config.system.db_path)) as conn:
        assert conn.execute("SELECT COUNT(*) FROM facts WHERE name = 'foreign'").fetchone() == (0,)


def test_a_healthy_database_is_left_alone_unless_a_new_one_is_forced(config: Config) -> None:
    before = Path(config.system.db_path).read_bytes()
    with pytest.raises(Conflict, match=r"Nothing needs to be rebuilt.*--force-new"):
        prepare_rebuild(config)
    assert Path(config.system.db_path).read_bytes() == before
    prepared = prepare_rebuild(config, force_new=True)
    assert Path(str(prepared.kept_aside)).read_bytes() == before
    assert prepare_rebuild(config).is_resumed


def test_a_missing_folder_or_marker_is_named_and_nothing_is_made(config: Config, state: Path) -> None:
    lose(config)
    marker = Path(config.paths.sorted_dir) / ".media-pipeline-root"
    marker.rename(marker.with_name("elsewhere"))
    before = sorted(os.listdir(state))
    with pytest.raises(RootUnavailable, match=r"archive folder .* mount its disk"):
        prepare_rebuild(config)
    assert [name for name in sorted(os.listdir(state)) if name != "mover.lock"] == [
        name for name in before if name != "mover.lock"
    ]


def test_folders_of_two_installations_are_refused(config: Config) -> None:
    lose(config)
    write_marker(RootKind.ARCHIVE, os.fsencode(config.paths.sorted_dir), Marker("x", "another"))
    with pytest.raises(StateError, match=r"belongs to the database .* another"):
        prepare_rebuild(config)


def test_a_machine_that_was_never_set_up_is_sent_to_setup(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="media-pipeline setup"):
        prepare_rebuild(make_config(tmp_path))


def test_a_disk_for_deliveries_may_be_away(tmp_path: Path) -> None:
    changes = {"sync": {"target": "folder", "folder_dir": str(tmp_path / "usb")}}
    make_services(tmp_path, **changes).close()
    config = make_config(tmp_path, **changes)
    lose(config)
    (tmp_path / "usb").rename(tmp_path / "unplugged")
    prepare_rebuild(config)
    assert RootKind.DELIVERY not in {kind for kind, _, _ in known_roots(config)}


def test_a_staging_folder_that_was_removed_is_made_again(config: Config, tmp_path: Path) -> None:
    lose(config)
    for path in (tmp_path / ".mp-staging").iterdir():
        path.unlink()
    (tmp_path / ".mp-staging").rmdir()
    prepare_rebuild(config)
    assert (tmp_path / ".mp-staging" / ".media-pipeline-root").is_file()


def test_a_live_worker_keeps_the_rebuild_from_beginning(config: Config, state: Path) -> None:
    lose(config)
    program = (
        "import sys, time; from app.files.lock import mover_lock\n"
        "with mover_lock(sys.argv[1]): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, cwd=home()) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        with pytest.raises(Conflict, match="service is running"):
            prepare_rebuild(config)
        worker.kill()
    with mover_lock(state):
        assert prepare_rebuild(config).state is DatabaseState.MISSING


def home() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture
def web_process(config: Config) -> Iterator[None]:
    """Another process that has the database open, as the pages have."""
    program = (
        "import sys, time; from app.db.migrate import open_database\ndb = open_database(sys.argv[1])\n"
        "with db.reading() as conn: conn.exec_driver_sql('SELECT 1 FROM facts')\nprint(flush=True); time.sleep(60)"
    )
    arguments = [sys.executable, "-c", program, config.system.db_path]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=home()) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


@pytest.mark.usefixtures("web_process")
def test_a_database_that_another_process_has_open_is_not_taken_away_under_it(config: Config) -> None:
    with pytest.raises(Conflict, match="service is running"):
        refuse_in_use(config.system.db_path)
    with pytest.raises(Conflict, match="service is running"):
        prepare_rebuild(config, force_new=True)
    assert look_at_database(config.system.db_path)[0] is DatabaseState.HEALTHY


def test_a_database_that_nobody_has_open_may_be_taken(config: Config) -> None:
    refuse_in_use(config.system.db_path)
    refuse_in_use(config.system.db_path + ".none")


def test_a_database_of_another_program_is_not_taken_for_a_damaged_one(config: Config) -> None:
    lose(config)
    with closing(sqlite3.connect(config.system.db_path)) as conn:
        conn.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StateError, match="another program"):
        prepare_rebuild(config)
