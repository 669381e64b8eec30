"""The doctor finds each thing that can be wrong, says what to do, never raises, and mends only its own state."""

from __future__ import annotations

import http.server
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from app.config.store import Snapshot
from app.db import assets, batches, confirmation, facts, journal, left_in_place, runs
from app.db.clock import later, now
from app.diagnostics import doctor, folders, run_checks
from app.diagnostics.checkup import LOOKS
from app.errors import RootUnavailable
from app.files import preflight
from app.files.lock import find_holder, mover_lock
from app.files.mounts import Mount, find_mount
from app.jobs import repair
from app.model import AssetStatus, BatchStatus, RootKind, RunStatus, Signature, Stage, Trigger
from app.services import ServiceContainer, Services, open_services, set_up
from app.syncthing.checks import Check
from tests.browser import rows
from tests.cli.conftest import write_config
from tests.conftest import make_config, make_jpeg, make_services, read_tree, write_tree


def named(services: Services) -> dict[str, Check]:
    return {check.name: check for check in run_checks(services)}


def test_a_sound_installation_has_no_fault_and_no_file_is_touched(services: Services, tmp_path: Path) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": make_jpeg(seed=1)})
    before = read_tree(tmp_path, own_names=True)
    found = run_checks(services)
    after = read_tree(tmp_path, own_names=True)
    assert [check for check in found if check.state == "fault"] == []
    assert all(check.fix for check in found if check.state != "ok")
    media = {name for name in before if not name.startswith("state/")}
    assert {name: after.get(name) for name in media} == {name: before[name] for name in media}
    assert {name for name in after if not name.startswith("state/")} == media


def test_damaged_bytes_in_the_database_are_found(tmp_path: Path) -> None:
    config_path = write_config(tmp_path)
    container = ServiceContainer(str(config_path))
    set_up(container.store.load()).close()
    path = tmp_path / "state" / "db.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_assets_digest'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found = doctor(container)
    fault = [check for check in found["checks"] if check["state"] == "fault"]
    assert not found["ok"]
    assert any("malformed" in check["cause"] or "damaged" in check["cause"] for check in fault), fault


def test_rows_that_refer_to_nothing_are_found(services: Services) -> None:
    with closing(sqlite3.connect(services.db.path)) as db:
        db.execute("INSERT INTO steps (run_id, stage, status, started_at) VALUES (77, 'scan', 'done', '')")
        db.commit()
    assert "refer to rows that are not there" in named(services)["database"].cause


def test_a_rebuild_that_awaits_a_person_and_old_backups_are_told(services: Services, tmp_path: Path) -> None:
    found = named(services)
    assert "rebuild" not in found and "There is no backup" in found["backup"].cause
    with services.db.transaction() as conn:
        confirmation.require(conn, now(), confirmation.REBUILT)
    path = tmp_path / "state" / "backups" / "media-pipeline-backup-20260506T070809Z.tar.gz"
    path.parent.mkdir()
    path.write_bytes(b"")
    found = named(services)
    assert found["rebuild"].state == "warning" and found["backup"].state == "ok"
    os.utime(path, (time.time() - 40 * 86_400,) * 2)
    assert "40 days old" in named(services)["backup"].cause


def test_totals_that_differ_are_found_and_counted_anew(services: Services) -> None:
    rows.fill(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE totals SET file_count = file_count + 5 WHERE status = 'archived'")
    assert named(services)["totals"].state == "fault"
    assert "archived: 5,205 kept, 5,200 counted" in named(services)["totals"].cause

    made = {one.name: one.done for one in repair(services, Trigger.CLI)}

    assert "archived from 5,205 to 5,200" in made["totals"] and "was asked for" in made["cleanup"]
    assert named(services)["totals"].state == "ok"
    with services.db.reading() as conn:
        event = journal.list_events(conn, kind_prefix="totals.")[0]
        assert event.detail == {"archived": {"kept": 5205, "counted": 5200}}
        assert [run.stages for run in runs.list_recent(conn)] == [(Stage.CLEANUP,)]
    again = [one.name for one in repair(services, Trigger.CLI)]
    assert again == ["cleanup"]


def test_repair_waits_while_a_run_is_in_flight(services: Services) -> None:
    rows.start_run(services)
    assert [one.done for one in repair(services, Trigger.CLI)] == [
        "Not asked for: Run 1 is running; wait for it to end or cancel it."
    ]


def test_an_unmounted_and_an_unwritable_folder_are_told_apart(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rename(tmp_path / "archive", tmp_path / "away")

    def refuse(root: Any) -> list[Any]:
        raise RootUnavailable(root.kind, root.path, "nothing can be written to it: Read-only file system")

    monkeypatch.setattr(folders, "preflight", refuse)
    found = named(services)
    assert "is the disk or share mounted" in found["archive folder"].cause
    assert found["archive folder"].state == "fault" and "archive folder abilities" not in found
    assert found["ingest folder abilities"].state == "fault"
    assert "Read-only file system" in found["ingest folder abilities"].cause
    assert "PUID" in found["ingest folder abilities"].fix
    copying = replace(services, config=services.config.model_copy(
        update={"batch": services.config.batch.model_copy(update={"transfer_mode": "copy"})}))  # fmt: skip
    assert named(copying)["ingest folder abilities"].state == "warning"


def test_what_a_file_system_cannot_do_is_a_warning_with_what_it_costs(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(_folder: bytes) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(preflight, "_link", no_link)
    found = named(services)["batch folder abilities"]
    assert found.state == "warning" and "hard links cannot be made" in found.cause


def test_little_room_is_a_warning_and_none_a_fault(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((500_000_000, "warning"), (5_000_000, "fault"), (50_000_000_000, "ok")):
        monkeypatch.setattr(folders, "free_bytes", lambda _root, free=free: free)
        assert named(services)["archive folder"].state == state


def test_a_move_between_two_mounts_is_called_a_copy(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert named(services)["batch to archive"].state == "ok"
    mounts = {b"archive": Mount(2, b"/archive", "nfs", False)}
    monkeypatch.setattr(
        folders, "find_mount", lambda path: mounts.get(os.path.basename(path), Mount(1, b"/", "ext4", False))
    )
    found = named(services)["batch to archive"]
    assert found.state == "warning" and "is a verified copy" in found.cause and "One mount" in found.fix


def test_the_mount_of_a_path_is_the_deepest_that_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "30 21 0:40 / /mnt/my\\040photos rw - cifs //nas/photos rw\n"
        "31 21 0:41 / /mnt/old ro - nfs nas:/old rw\n"
        "32 21 0:42 / /mnt/old rw - nfs4 nas:/newer rw\n"
    )
    monkeypatch.setattr("app.files.mounts.MOUNT_INFO", str(table))
    assert find_mount(b"/mnt/my photos/2024") == Mount(30, b"/mnt/my photos", "cifs", False)
    assert find_mount(b"/mnt/my photosynthesis") == Mount(21, b"/", "ext4", False)
    assert find_mount(b"/mnt/old") == Mount(32, b"/mnt/old", "nfs4", False)
    monkeypatch.setattr("app.files.mounts.MOUNT_INFO", str(tmp_path / "none"))
    assert find_mount(b"/") is None


def test_a_folder_that_is_new_in_the_settings_is_found(open_test_services: Any, tmp_path: Path) -> None:
    open_test_services()

    with closing(open_services(Snapshot(make_config(tmp_path, paths={"sorted_dir": str(tmp_path / "b")}), "x"))) as new:
        faults = [check for check in run_checks(new) if check.state == "fault"]
    assert ["setup --roots" in check.fix for check in faults] == [True]


def test_a_reference_folder_that_is_away_is_a_fault(open_test_services: Any, tmp_path: Path) -> None:
    write_tree(tmp_path / "before", {"a.jpg": b"summer"})
    services = open_test_services(dedup={"reference_dirs": [str(tmp_path / "before")]})
    assert named(services)["reference folder"].state == "ok"
    os.rename(tmp_path / "before", tmp_path / "away")
    found = named(services)["reference folder"]
    assert (found.state, str(tmp_path / "before") in found.cause) == ("fault", True)
    assert "mounted" in found.cause


def test_a_policy_that_the_file_system_cannot_serve_is_a_warning() -> None:
    with TemporaryDirectory(dir="/dev/shm", prefix="media-pipeline-test-") as in_memory:
        services = make_services(Path(in_memory), dedup={"duplicate_policy": "reflink"})
        with closing(services):
            found = named(services)["duplicates share room"]
    assert (found.state, f"{in_memory}/ingest" in found.cause) == ("warning", True)


def test_the_worker_is_seen_by_heartbeat_and_lock(services: Services) -> None:
    assert named(services)["worker"].state == "warning"
    assert find_holder(services.state_dir) is None
    with mover_lock(services.state_dir):
        assert find_holder(services.state_dir) == os.getpid()
        assert "Another process" in named(services)["worker"].cause
        with services.db.transaction() as conn:
            facts.put(conn, "worker_heartbeat_at", now())
        assert named(services)["worker"] == Check("worker", "ok", f"The worker is running, process {os.getpid()}.")
    rows.start_run(services)
    assert "Run 1 is running and no worker is running" in named(services)["worker"].cause


@pytest.fixture
def foreign_server() -> Iterator[int]:
    """Another program that answers over HTTP."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_another_program_at_our_port_is_a_fault(
    open_test_services: Any, foreign_server: int, capsys: pytest.CaptureFixture[str]
) -> None:
    services = open_test_services(system={"port_api": foreign_server, "bind_host": "127.0.0.1"})
    found = named(services)["web"]
    assert (found.state, "Another program answers" in found.cause) == ("fault", True)
    capsys.readouterr()


def test_a_clock_that_was_set_back_is_found(services: Services) -> None:
    with services.db.transaction() as conn:
        journal.record(conn, "run.started", "from tomorrow")
        conn.exec_driver_sql("UPDATE events SET at = ?", (later(90_000),))
    assert "it was set back" in named(services)["clock"].cause


def test_logs_that_cannot_be_written_or_swell_are_found(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(services.config.system.log_dir)
    folder.mkdir(exist_ok=True)
    with (folder / "worker.log").open("wb") as file:
        file.truncate(600_000_000)
    assert "600 MB of logs" in named(services)["logs"].cause
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in named(services)["logs"].cause


def test_a_tool_that_is_missing_says_what_is_lost(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.diagnostics.tools.shutil.which", lambda _name: None)
    monkeypatch.setattr("app.diagnostics.tools.find_spec", lambda _name: None)
    found = named(services)
    assert {name: found[name].state for name in ("exiftool", "mediainfo", "heif")} == dict.fromkeys(
        ("exiftool", "mediainfo", "heif"), "warning"
    )
    assert "raw files are not read" in found["exiftool"].cause and "films are not read" in found["mediainfo"].cause


def test_work_that_waits_for_a_person_is_named(services: Services) -> None:
    with services.db.transaction() as conn:
        stale, stopped = rows.reserve(conn), rows.reserve(conn)
        conn.exec_driver_sql("UPDATE batches SET created_at = ? WHERE id = ?", (later(-10 * 86_400), stale.id))
        batches.change(conn, batches.get(conn, stopped.id), BatchStatus.ERROR, error="No room.", error_from="PENDING")
        root = services.root(RootKind.INGEST)
        found = [(b"%d.jpg" % n, Signature(1, n, 10, 1, 1), None) for n in range(3)]
        assets.insert_discovered(conn, root.id, found)
        listed = assets.list_by_status(conn, AssetStatus.DISCOVERED)
        assets.mark(conn, listed[:1], AssetStatus.FAILED, reason="unreadable")
        assets.mark(conn, listed[1:], AssetStatus.SET_ASIDE, reason="another name")
        left_in_place.note(conn, services.root(RootKind.BATCH).id, [(b"x/y.jpg", "no row knows this file")], now())
    found_checks = run_checks(services)
    told = {f"{check.state} {check.name}": check for check in found_checks}
    assert f"media-pipeline batch retry {stopped.id}" in told["fault batch"].fix
    assert f"media-pipeline batch show {stale.id}" in told["warning batch"].fix
    assert told["warning failed files"].cause.startswith("1 file has failed")
    assert told["warning files set aside"].cause.startswith("2 files have been set aside")
    assert "x/y.jpg" in told["warning leftovers"].cause


def test_a_look_that_hangs_or_fails_hides_no_other(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()

    def hang(_services: Services) -> Iterator[Check]:
        stuck.wait(60)
        yield Check("never", "ok", "")

    def fail(_services: Services) -> Iterator[Check]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("app.diagnostics.checkup.LOOKS", (("share", hang, 0.2), ("disk", fail, 5.0), *LOOKS[:1]))
    found = named(services)
    stuck.set()
    assert found["share"].state == "fault" and "No answer came" in found["share"].cause
    assert found["disk"].state == "fault" and "Input/output error" in found["disk"].cause
    assert found["database"].state == "ok"


def test_without_a_usable_configuration_every_fault_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    missing = doctor(ServiceContainer(str(path)))
    assert not missing["ok"] and str(path) in missing["checks"][0]["cause"]
    path.write_text("batch: {max_size_gb: banana}\nsystem: {port_api: 0}\n")
    causes = " ".join(check["cause"] for check in doctor(ServiceContainer(str(path)))["checks"])
    assert "batch.max_size_gb" in causes and "system.port_api" in causes
    write_config(tmp_path)
    found = doctor(ServiceContainer(str(path)))
    assert [check["name"] for check in found["checks"] if check["state"] == "fault"] == ["database"]


def test_a_key_of_syncthing_that_leads_to_no_delivery_is_a_warning(tmp_path: Path) -> None:
    path = write_config(tmp_path, sync={"target": "auto"}, syncthing={"api_key": "CANARY", "folder_id": ""})
    found = [check for check in doctor(ServiceContainer(str(path)))["checks"] if check["state"] == "warning"]
    told = [check["cause"] for check in found if "delivered to nobody" in check["cause"]]
    assert len(told) == 1 and "syncthing.device_id" in told[0] and "CANARY" not in told[0]


def test_a_run_that_is_over_does_not_ask_for_a_worker(services: Services) -> None:
    run, _ = rows.start_run(services)
    with services.db.transaction() as conn:
        runs.change(conn, run, RunStatus.FAILED, error="x")
    assert named(services)["worker"].state == "warning"
