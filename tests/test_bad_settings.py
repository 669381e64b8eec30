"""Ten faults in the settings are told in one answer, at every door and at every start, and change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app.services import ServiceContainer
from app.web import create_app
from tests.worker.installation import PROGRAM, Installation

TEN_FAULTS: dict[str, Any] = {
    "paths": {"source_dir": "relative/folder"},
    "batch": {"max_size_gb": "banana", "max_files": -1, "selection_mode": "colour"},
    "dedup": {"threads": 0, "hash_algorithm": "crc"},
    "scan": {"settle_seconds": -3},
    "system": {"port_api": 99_999, "log_level": "loud"},
    "nonsense": {"word": 1},
}
TEN_PLACES = {
    "paths.source_dir", "batch.max_size_gb", "batch.max_files", "batch.selection_mode", "dedup.threads",
    "dedup.hash_algorithm", "scan.settle_seconds", "system.port_api", "system.log_level", "nonsense",
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path) as made:
        yield made


def client_of(site: Installation) -> FlaskClient:
    return create_app(container=ServiceContainer(str(site.config_path))).test_client()


def test_ten_faults_in_settings_sent_to_the_api(site: Installation) -> None:
    before = site.config_path.read_bytes()
    answer = client_of(site).put("/api/config", json=TEN_FAULTS)
    assert answer.status_code == 422
    assert {fault["path"] for fault in answer.get_json()["errors"]} == TEN_PLACES
    assert all(path in answer.get_json()["detail"] for path in TEN_PLACES)
    assert site.config_path.read_bytes() == before


def test_ten_faults_in_the_file_at_every_start(site: Installation) -> None:
    write_faults(site)
    environment = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(site.config_path), "PYTHONPATH": str(PROGRAM)}
    starts = {
        "command line": ["-m", "app.cli", "overview"],
        "set-up": ["-m", "app.cli", "setup"],
        "worker": ["-m", "worker"],
        "web": ["-m", "gunicorn", "-c", "docker/gunicorn.conf.py", "app.web:create_app()"],
        "scripts": ["scripts/read_settings.py"],
    }
    for name, command in starts.items():
        done = subprocess.run(
            [sys.executable, *command], cwd=PROGRAM, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode != 0, name
        assert {place for place in TEN_PLACES if place not in done.stderr} == set(), name
        assert "Traceback" not in done.stderr, name


def test_ten_faults_in_the_file_while_the_service_runs(site: Installation) -> None:
    client = client_of(site)
    assert client.get("/api/workflow/overview").status_code == 200
    write_faults(site)
    seen = client.get("/api/workflow/overview").get_json()
    page = client.get("/dashboard", headers={"Accept": "text/html"}).get_data(as_text=True)
    journal = [e["message"] for e in client.get("/api/journal?limit=500").get_json()["events"]]
    for place in TEN_PLACES:
        assert place in seen["config"]["fault"]
        assert place in page
        assert place in journal[0]


def write_faults(site: Installation) -> None:
    values = yaml.safe_load(site.config_path.read_text())
    for section, faults in TEN_FAULTS.items():
        values[section] = {**values.get(section, {}), **faults}
    site.config_path.write_text(yaml.safe_dump(values))


def test_a_start_after_a_good_one_goes_on_with_the_kept_settings_and_says_so(site: Installation) -> None:
    client_of(site).get("/api/workflow/overview")
    write_faults(site)
    broken = site.config_path.read_bytes()
    environment = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(site.config_path), "PYTHONPATH": str(PROGRAM)}
    for command in (["-m", "app.cli", "overview"], ["-m", "app.cli", "setup"], ["scripts/read_settings.py"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=PROGRAM, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    worker = site.start_worker()
    seen = client_of(site).get("/api/workflow/overview").get_json()
    assert worker.poll() is None
    assert {place for place in TEN_PLACES if place not in seen["config"]["fault"]} == set()
    assert any("by file is in force instead" in warning["remedy"] for warning in seen["warnings"])
    assert site.config_path.read_bytes() == broken
