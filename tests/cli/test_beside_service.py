"""The command line beside a running service: pages, worker and commands on one installation, at one time."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import runs
from app.model import RunKind, Stage, Trigger
from tests.cli.conftest import start
from tests.prepared import call
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, system=on_loopback()) as found:
        yield found


def test_commands_and_pages_tell_the_same_while_a_worker_works(installation: Installation) -> None:
    installation.fill_ingest(40, duplicates=5)
    worker = installation.start_worker()
    with WebServer(installation) as server:
        code, out, err = call(installation.config_path, "run", "--json")
        run = json.loads(out)
        assert (code, err, run["status"], run["trigger"]) == (0, "", "done", "cli")
        assert worker.poll() is None and len(installation.workers) == 1

        served = server.ask("GET", f"/api/runs/{run['id']}")[1]
        assert [step["name"] for step in served["steps"]] == [step["name"] for step in run["steps"]]
        for command, path in (
            (["batch", "list"], "/api/batches"),
            (["duplicates"], "/api/duplicates"),
            (["runs"], "/api/runs"),
            (["assets", "find", "--status", "archived", "--limit", "100"], "/api/assets?status=archived&limit=100"),
            (["journal", "--kind", "batch."], "/api/journal?kind=batch."),
        ):
            assert json.loads(call(installation.config_path, *command, "--json")[1]) == server.ask("GET", path)[1]

        code, out, _ = call(installation.config_path, "doctor")
        checks = {line.split(": ")[0].split(None, 1)[1]: line.split()[0] for line in out.splitlines() if ": " in line}
        assert (code, checks["worker"], checks["web"]) == (0, "ok", "ok")
        lines = json.loads(call(installation.config_path, "logs", "--json", "-n", "1000")[1])["lines"]
        assert {"worker", "api"} <= {line["process"] for line in lines}


def test_a_run_that_nobody_follows_any_more_goes_on_in_the_worker(installation: Installation) -> None:
    installation.fill_ingest(300)
    installation.start_worker()
    following = start(installation.config_path, "run")
    installation.until(lambda: installation.steps(1), "the run begins")
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=60)
    assert (following.returncode, err) == (130, b"")
    assert b"No longer following run 1. It goes on in the worker." in out
    assert installation.ended(1).error is None


def test_a_run_is_paused_resumed_and_cancelled(installation: Installation) -> None:
    """Without a worker a request stays in line, so that each wish is seen."""
    with installation.services.db.transaction() as conn:
        runs.insert_queued(conn, RunKind.STAGE, Trigger.API, (Stage.CLEANUP,))
    code, out, _ = call(installation.config_path, "runs", "pause", "1", "--json")
    assert (code, json.loads(out)["status"]) == (0, "paused")
    code, out, _ = call(installation.config_path, "runs", "resume", "1")
    assert (code, "Run 1 is done." in out) == (0, True)
    assert call(installation.config_path, "runs", "cancel", "1")[0] == 2
    assert call(installation.config_path, "runs", "retry", "1")[0] == 2
