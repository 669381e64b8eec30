"""`dates sidecars` and `dates read` on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows


@pytest.fixture
def archived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    machine = Machine(tmp_path, capsys, sync={"target": "none"}, scan={"settle_seconds": 0})
    write_tree(machine.services.config.paths.source_dir, {"a/scan.jpg": make_jpeg("2024:05:06 07:08:09")})
    workflow(machine.services)
    return machine


def sidecar(machine: Machine) -> Path:
    path = next(iter(rows(machine.services)))
    return Path(machine.services.config.paths.sorted_dir) / (os.fsdecode(path) + ".xmp")


def test_sidecars_are_written_when_they_are_asked_for(archived: Machine) -> None:
    assert archived.ask("dates", "sidecars", "--dry-run")[1] == {"files": 0, "dry_run": True}
    assert archived.call("dates", "set", "1985-06-01", "--folder", "a", "--yes")[0] == 0
    place = sidecar(archived)
    assert archived.ask("dates", "sidecars", "--dry-run")[1] == {"files": 1, "dry_run": True}
    assert not place.exists()
    code, out, _ = archived.call("dates", "sidecars", "--folder", "a")
    assert (code, "1 sidecar was written." in out) == (0, True)
    assert 'exif:DateTimeOriginal="1985-06-01T12:00:00+00:00"' in place.read_text()
    assert "Every sidecar is as it should be." in archived.call("dates", "sidecars")[1]


def test_a_decision_can_ask_for_its_sidecar_which_the_worker_writes(archived: Machine) -> None:
    code, out, _ = archived.call("dates", "set", "1985-06-01", "--folder", "a", "--sidecar", "--yes")
    assert (code, "The service writes an XMP file beside it, as soon as that is in the archive." in out) == (0, True)
    assert "No service is running that writes the XMP files." in out
    assert "No service is running" in archived.call("refile", "--yes")[1]
    assert not sidecar(archived).exists()
    code, out, _ = archived.call("dates", "sidecars", "--due")
    assert (code, "1 sidecar was written." in out, sidecar(archived).exists()) == (0, True, True)
    assert archived.call("dates", "sidecars", "--due", "--folder", "a")[0] == 2


def test_what_was_never_recorded_is_read(archived: Machine) -> None:
    with archived.services.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM capture_records")
    code, out, _ = archived.call("dates", "read")
    assert (code, "What 1 file tells of its date is recorded. No date was changed." in out) == (0, True)
    assert "Of every file it is recorded" in archived.call("dates", "read")[1]


def test_what_was_decided_without_a_service_outlives_the_database(archived: Machine) -> None:
    config = archived.services.config
    archive = Path(config.paths.sorted_dir)
    away = archive.rename(archive.with_name("away"))
    out = archived.call("dates", "set", "1985-06-01", "--folder", "a", "--yes")[1]
    assert "What was decided is not written beside the archive yet:" in out
    away.rename(archive)
    out = archived.call("dates", "set", "1985-06-02", "--folder", "a", "--yes")[1]
    assert "beside the archive yet" not in out
    archived.services.close()
    lose_database(config)
    again, _ = rebuild(config)
    assert [asset.taken_local for asset in rows(again).values()] == ["1985-06-02T12:00:00"]
    again.close()
