"""Services: what they hold, when they are rebuilt, and what a save may not change under running work."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config.render import render
from app.config.store import ConfigStore, Snapshot
from app.db import config_revisions, journal, moves
from app.db.connection import Database
from app.errors import ConfigError, Conflict, RootUnavailable, StateError
from app.files.roots import add_missing_roots
from app.model import MoveState, RootKind
from app.services import ServiceContainer, Services, open_services, refuse_path_change, set_up
from tests.conftest import make_config


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "conf" / "config.yaml"
    path.parent.mkdir()
    path.write_text(render(make_config(tmp_path).model_dump()))
    set_up(ConfigStore(str(path), {}).load()).close()
    return path


@pytest.fixture
def container(config_path: Path) -> ServiceContainer:
    return ServiceContainer(str(config_path))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_fresh_services_have_every_root_that_work_needs(services: Services, tmp_path: Path) -> None:
    kinds = {RootKind.INGEST, RootKind.BATCH, RootKind.STAGING, RootKind.ARCHIVE, RootKind.DUPLICATES}
    assert set(services.roots) == kinds
    assert services.root(RootKind.STAGING).path.endswith(b"/.mp-staging")
    assert services.state_dir == tmp_path / "state"
    with pytest.raises(RootUnavailable, match=r"sync\.folder_dir"):
        services.root(RootKind.DELIVERY)


def test_opening_needs_a_database_that_was_set_up(tmp_path: Path, config_path: Path) -> None:
    edit(config_path, "db.sqlite", "other.sqlite")
    with pytest.raises(StateError, match="missing or empty"):
        open_services(ConfigStore(str(config_path), {}).load())
    assert not (tmp_path / "state" / "other.sqlite").exists()


def test_a_database_that_cannot_be_made_says_which_setting_names_another_place(tmp_path: Path) -> None:
    (tmp_path / "no-folder").symlink_to(tmp_path / "gone" / "disk")
    path = tmp_path / "config.yaml"
    path.write_text(render(make_config(tmp_path).model_dump()))
    edit(path, str(tmp_path / "state"), str(tmp_path / "no-folder" / "state"))
    with pytest.raises(StateError, match=r"cannot be made at .*no-folder.* Set system\.db_path .*/db\.sqlite"):
        set_up(ConfigStore(str(path), {}).load())


def test_the_same_revision_gives_the_same_services(container: ServiceContainer) -> None:
    assert container.services is container.services


def test_a_new_revision_is_picked_up_while_running_work_keeps_its_own(
    container: ServiceContainer, config_path: Path
) -> None:
    running = container.services
    edit(config_path, "max_files: 0", "max_files: 7")
    assert container.services.config.batch.max_files == 7
    assert running.config.batch.max_files == 0
    with running.db.transaction() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM runs").scalar() == 0


def open_files(folder: Path) -> int:
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith(str(folder))
        except FileNotFoundError:
            continue
    return found


def test_old_services_are_closed_when_the_last_user_lets_go(
    container: ServiceContainer, config_path: Path, tmp_path: Path
) -> None:
    with container.services.db.reading() as conn:
        conn.exec_driver_sql("SELECT 1")
    one = open_files(tmp_path / "state")
    for number in range(5):
        edit(config_path, f"max_files: {number}", f"max_files: {number + 1}")
        with container.services.db.reading() as conn:
            conn.exec_driver_sql("SELECT 1")
    gc.collect()
    # SQLite itself may keep one descriptor back for its locks.
    assert 0 < open_files(tmp_path / "state") <= one + 1


def test_a_bad_file_keeps_the_services_and_a_missing_one_from_the_start_is_told(
    container: ServiceContainer, config_path: Path, tmp_path: Path
) -> None:
    good = container.services
    config_path.write_text("paths: [")
    assert container.services is good
    assert container.store.fault is not None
    with pytest.raises(ConfigError):
        _ = ServiceContainer(str(tmp_path / "none.yaml")).services


def test_a_valid_file_with_an_unusable_database_keeps_the_services_and_says_so(
    container: ServiceContainer, config_path: Path
) -> None:
    good = container.services
    edit(config_path, "db.sqlite", "other.sqlite")
    assert container.services is good
    assert "missing or empty" in str(container.fault)
    edit(config_path, "other.sqlite", "db.sqlite")
    assert container.services is good
    edit(config_path, "max_files: 0", "max_files: 1")
    assert container.services is not good
    assert container.fault is None


def test_many_threads_get_the_same_services(container: ServiceContainer) -> None:
    found: list[Services] = []
    threads = [threading.Thread(target=lambda: found.append(container.services)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(services) for services in found}) == 1


@pytest.fixture
def moving(services: Services) -> Iterator[Database]:
    """A database in which one move was begun and not ended."""
    ingest, batch = services.root(RootKind.INGEST), services.root(RootKind.BATCH)
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO moves (purpose, state, src_root_id, src_path, dst_root_id, dst_path, created_at, updated_at) "
            "VALUES ('batch', ?, ?, ?, ?, ?, '', '')",
            (MoveState.PLACED.value, ingest.id, b"a.jpg", batch.id, b"b/a.jpg"),
        )
        assert moves.has_open(conn)
    yield services.db


@pytest.mark.parametrize(
    "section",
    [
        {"paths": {"source_dir": "/elsewhere/in"}},
        {"paths": {"sorted_dir": "/elsewhere/archive"}},
        {"system": {"db_path": "/elsewhere/db.sqlite"}},
        {"sync": {"folder_dir": "/elsewhere/usb"}},
    ],
)
def test_a_path_cannot_change_while_a_move_is_open(
    moving: Database, tmp_path: Path, section: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(Conflict, match="cannot be changed while files are being moved"):
        refuse_path_change(moving, make_config(tmp_path), make_config(tmp_path, **section))


def test_other_settings_may_change_while_a_move_is_open(moving: Database, tmp_path: Path) -> None:
    refuse_path_change(moving, make_config(tmp_path), make_config(tmp_path, batch={"max_files": 5}))


def test_a_path_may_change_when_nothing_moves(services: Services, tmp_path: Path) -> None:
    changed = make_config(tmp_path, paths={"sorted_dir": "/elsewhere/archive"})
    refuse_path_change(services.db, make_config(tmp_path), changed)


def test_a_save_through_the_container_is_refused_while_a_move_is_open(
    container: ServiceContainer, config_path: Path, tmp_path: Path
) -> None:
    services = container.services
    ingest, batch = services.root(RootKind.INGEST), services.root(RootKind.BATCH)
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO moves (purpose, state, src_root_id, src_path, dst_root_id, dst_path, created_at, updated_at) "
            "VALUES ('batch', 'PLANNED', ?, ?, ?, ?, '', '')",
            (ingest.id, b"a.jpg", batch.id, b"b/a.jpg"),
        )
    before = config_path.read_bytes()
    with pytest.raises(Conflict):
        container.store.save_partial({"paths": {"sorted_dir": str(tmp_path / "second")}}, "api")
    assert config_path.read_bytes() == before
    assert container.store.save_partial({"batch": {"max_files": 3}}, "api").config.batch.max_files == 3


def test_each_change_of_the_configuration_is_written_down_once_with_who_and_what(
    container: ServiceContainer, config_path: Path
) -> None:
    db = container.services.db
    container.store.save_partial({"batch": {"max_files": 3}, "auth": {"api_key": "CANARY"}}, "control")
    assert ServiceContainer(str(config_path)).services.config.batch.max_files == 3
    edit(config_path, "max_files: 3", "max_files: 4")
    assert container.services.config.batch.max_files == 4
    with db.reading() as conn:
        noted = [(r.actor, r.changed_keys) for r in config_revisions.list_recent(conn)]
        events = journal.list_events(conn, kind_prefix="config.saved")
    assert noted == [
        ("file", ("batch.max_files",)),
        ("control", ("batch.max_files", "auth.api_key")),
        ("file", ()),
    ]
    assert len(events) == 3
    assert "CANARY" not in str(events)


def test_folders_that_were_set_up_meanwhile_are_found_without_a_change_of_the_file(
    container: ServiceContainer, config_path: Path, tmp_path: Path
) -> None:
    edit(config_path, str(tmp_path / "archive"), str(tmp_path / "second"))
    before = container.services
    assert RootKind.ARCHIVE not in before.roots
    assert container.services is before
    add_missing_roots(before.db, before.config)
    assert container.services.root(RootKind.ARCHIVE).path == os.fsencode(tmp_path / "second")
    assert container.services is container.services


def test_a_file_with_faults_is_told_in_the_journal_once_for_all_processes(
    container: ServiceContainer, config_path: Path
) -> None:
    other = ServiceContainer(str(config_path))
    services, _ = container.services, other.services
    good = config_path.read_text()
    config_path.write_text("batch: {max_files: many}")
    _ = container.services, other.services, container.services
    config_path.write_text(good)
    _ = container.services, other.services
    with services.db.reading() as conn:
        told = journal.list_events(conn, kind_prefix="config.rejected")
    assert [e.level for e in told] == ["warning"]
    assert "batch.max_files" in told[0].message


def test_no_new_database_is_made_while_a_folders_marker_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / ".media-pipeline-root").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RootUnavailable, match="cannot be read"):
        set_up(Snapshot(make_config(tmp_path), revision="test"))
    assert not (tmp_path / "state").exists()


def test_a_change_by_hand_while_nothing_ran_is_told_with_its_keys(config_path: Path) -> None:
    ServiceContainer(str(config_path)).services.close()
    edit(config_path, "max_files: 0", "max_files: 7")
    services = ServiceContainer(str(config_path)).services
    with services.db.reading() as conn:
        newest = config_revisions.list_recent(conn)[0]
    assert (newest.actor, newest.changed_keys) == ("file", ("batch.max_files",))
    services.close()


def test_a_start_with_a_bad_file_is_told_in_the_journal_with_what_is_in_force(config_path: Path) -> None:
    ServiceContainer(str(config_path)).services.close()
    edit(config_path, "max_files: 0", "max_files: banana")
    container = ServiceContainer(str(config_path))
    assert container.services.config.batch.max_files == 0
    assert "config.yaml:" in (container.fault_words or "")
    with container.services.db.reading() as conn:
        told = journal.list_events(conn, kind_prefix="config.rejected", limit=1)[0]
    assert "by file is in force instead" in told.message
    edit(config_path, "max_files: banana", "max_files: 3")
    assert container.services.config.batch.max_files == 3
    assert container.fault_words is None
    container.services.close()
