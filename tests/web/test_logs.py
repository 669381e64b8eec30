"""Each process writes and rotates a log file of its own, and an error can be found in it by the id in the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web import failing
from tests.web.serving import BROWSER, WebServer, on_loopback
from tests.worker.installation import PROGRAM, Installation

FAILING_PAGES = "tests.web.failing:create_app()"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, system={**on_loopback(), "log_max_mb": 1}) as made:
        yield made


def writers(path: Path) -> set[int]:
    """The processes that hold this file open."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            opened = {os.readlink(file) for file in (entry / "fd").iterdir()} if entry.name.isdigit() else set()
        except OSError:
            continue
        if str(path) in opened:
            found.add(int(entry.name))
    return found


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_web_worker_and_database_browser_have_one_log_each_and_are_its_only_writer(site: Installation) -> None:
    logs = site.folder("state") / "logs"
    worker = site.start_worker()
    with WebServer(site) as web, WebServer(site, BROWSER) as browser:
        web.ask("POST", "/api/cleanup/run")
        assert {path.name for path in logs.iterdir()} == {"api.log", "worker.log", "dbui.log"}
        assert writers(logs / "api.log") == set(web.workers)
        assert writers(logs / "dbui.log") == set(browser.workers)
        assert writers(logs / "worker.log") == {worker.pid}
    for process in ("api", "worker", "dbui"):
        written = records(logs / f"{process}.log")
        assert written
        assert {record["process"] for record in written} == {process}


def test_an_unforeseen_error_is_found_in_the_log_by_the_id_in_its_answer(site: Installation) -> None:
    log = site.folder("state") / "logs" / "api.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("x" * 999_990 + "\n")
    with WebServer(site, FAILING_PAGES) as web:
        status, problem = web.ask("GET", "/fails")
    assert status == 500
    assert failing.MESSAGE not in str(problem)
    (found,) = [record for record in records(log) if problem["id"] in str(record["event"])]
    assert (found["level"], "GET /fails" in str(found["event"])) == ("error", True)
    assert failing.MESSAGE in str(found["exception"])
    assert (log.parent / "api.log.1").stat().st_size == 999_991


def test_a_command_writes_no_log_file_and_nothing_but_its_answer_on_stdout(site: Installation) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM)}
    command = [sys.executable, "-m", "app.cli", "--config", str(site.config_path), "--json", "overview"]
    done = subprocess.run(command, cwd=PROGRAM, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["balance"]["adds_up"]
    assert not (site.folder("state") / "logs").exists()
