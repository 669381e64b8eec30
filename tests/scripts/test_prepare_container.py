"""What a container's start does before its processes: the shell that calls it evaluates what is printed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("ingest", "batches", "archive", "duplicates"):
        (tmp_path / "media" / name).mkdir(parents=True)
    return tmp_path


def prepare(place: Path) -> subprocess.CompletedProcess[str]:
    config, media, state = place / "state" / "config.yaml", place / "media", place / "state"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
    return subprocess.run(
        [sys.executable, "scripts/prepare_container.py", str(config), "--media", str(media), "--state", str(state)],
        cwd=ROOT, env=environment | {"MEDIA_PIPELINE_CONFIG": str(config)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_first_start_makes_settings_database_and_markers_and_prints_settings_alone(place: Path) -> None:
    done = prepare(place)
    assert done.returncode == 0, done.stderr
    printed = dict(line.removeprefix("setting_").split("=", 1) for line in shlex.split(done.stdout))
    assert printed["db_path"] == str(place / "state" / "db.sqlite")
    assert (printed["port_api"], printed["dbui_enabled"]) == ("8080", "true")
    assert (place / "state" / "db.sqlite").is_file()
    assert "archive folder: " in done.stderr


def test_another_start_changes_no_settings(place: Path) -> None:
    prepare(place)
    config = place / "state" / "config.yaml"
    config.write_text(config.read_text().replace("port_api: 8080", "port_api: 9090"))
    edited = config.read_text()
    done = prepare(place)
    assert done.returncode == 0, done.stderr
    assert "setting_port_api=9090\n" in done.stdout
    assert config.read_text() == edited


def test_settings_with_faults_end_the_start_with_the_place_of_the_fault(place: Path) -> None:
    prepare(place)
    (place / "state" / "config.yaml").write_text("system:\n  port_api: many\n")
    done = prepare(place)
    assert (done.returncode, done.stdout) == (2, "")
    assert "config.yaml:2:" in done.stderr
