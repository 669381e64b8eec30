"""SIGTERM and SIGKILL of the web process: what it accepted is done once, what it did not accept leaves nothing."""

from __future__ import annotations

import configparser
import http.client
import json
import os
import random
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import runs
from app.model import AssetStatus, RunStatus
from tests.web.serving import WebServer, on_loopback, read_answer
from tests.worker.installation import ENDED, PROGRAM, Installation

FILES = 60
#: The time that gunicorn gives requests in flight; longer than a test waits for a stop, so that only one that does not
#: use it up can pass.
NO_END_IN_SIGHT = "--graceful-timeout 90"

Cut = Callable[[WebServer], object]


def kill_both(web: WebServer) -> None:
    web.kill(*web.pids())


def kill_the_master(web: WebServer) -> None:
    assert web.master is not None
    web.kill(web.master.pid)


def kill_the_serving_process(web: WebServer) -> None:
    web.kill(*web.workers)


def ask_to_stop(web: WebServer) -> None:
    web.terminate()


CUTS: list[Cut] = [kill_both, kill_the_master, kill_the_serving_process, ask_to_stop]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    settings = {"system": on_loopback(), "batch": {"max_files": 20, "selection_mode": "files"}}
    with Installation(tmp_path, **settings) as made:
        yield made


@pytest.fixture
def web(site: Installation) -> Iterator[WebServer]:
    with WebServer(site) as started:
        yield started


def start_again(web: WebServer, cut: Cut) -> None:
    """What the supervisor does; when only the serving process died, its master has replaced it."""
    if cut is kill_the_serving_process:
        web.until_it_answers()
    else:
        web.start()


def assert_done_once(site: Installation, run_id: int) -> None:
    """The run ended well, and everything about it happened one time."""
    assert site.ended(run_id).status is RunStatus.DONE, site.run(run_id).error
    kinds = Counter(event.kind for event in site.events("run.", run_id=run_id))
    assert kinds == {"run.requested": 1, "run.started": 1, "run.finished": 1}


@pytest.mark.parametrize("cut", CUTS)
def test_a_run_asked_for_over_http_is_done_once_although_the_web_process_ends(
    cut: Cut, site: Installation, web: WebServer
) -> None:
    site.fill_ingest(FILES, duplicates=3)
    before = site.census()
    status, started = web.ask("POST", "/api/workflow/run")
    cut(web)
    assert (status, started["started"]) == (202, True)
    site.start_worker()
    start_again(web, cut)
    assert_done_once(site, started["run_id"])
    assert site.counts() == {AssetStatus.ARCHIVED: FILES, AssetStatus.DUPLICATE: 3}
    assert [b.file_count for b in site.batches()] == [20, 20, 20]
    assert (site.census(), site.leftovers(), site.open_moves()) == (before, [], 0)


def test_the_state_is_answered_as_before_after_a_kill(site: Installation, web: WebServer) -> None:
    site.fill_ingest(5)
    site.start_worker()
    run_id = web.ask("POST", "/api/workflow/run")[1]["run_id"]
    site.ended(run_id)
    places = (f"/api/runs/{run_id}", "/api/batches", "/api/journal?limit=500", "/api/assets", "/api/config")
    before = {place: web.ask("GET", place) for place in places}
    kill_both(web)
    web.start()
    assert {place: web.ask("GET", place) for place in places} == before
    assert {status for status, _ in before.values()} == {200}


@pytest.mark.parametrize("cut", [kill_both, kill_the_serving_process, ask_to_stop])
def test_each_request_that_was_cut_off_happened_whole_or_not_at_all(
    cut: Cut, site: Installation, web: WebServer
) -> None:
    chance = random.Random(7)
    site.start_worker()
    for _ in range(3):
        asking = Asking(web)
        site.until(lambda asking=asking: asking.answers, "a request was answered")  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.2))
        cut(web)
        answers = asking.end()
        start_again(web, cut)
        assert {status for status, _ in answers} <= {200, 202}
        for run_id in {answer["run_id"] for status, answer in answers if status == 202}:
            assert_done_once(site, run_id)
    for run_id in every_run(site):
        assert_done_once(site, run_id)
    assert len(site.events("run.requested")) == len(every_run(site))
    assert web.ask("GET", "/api/workflow/overview")[1]["balance"]["adds_up"]


class Asking:
    """Clients that ask for cleanup again and again until they are cut off, or told to end."""

    def __init__(self, web: WebServer, clients: int = 3) -> None:
        self.web = web
        self.answers: list[tuple[int, Any]] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        try:
            while not self.is_over.is_set():
                self.answers.append(self.web.ask("POST", "/api/cleanup/run"))
        # Refused, or cut off before the answer: nothing is known of that one request.
        except (ConnectionError, http.client.BadStatusLine, http.client.IncompleteRead):
            return

    def end(self) -> list[tuple[int, Any]]:
        """Every whole answer."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.answers


def every_run(site: Installation) -> list[int]:
    with site.services.db.reading() as conn:
        return [run.id for run in runs.list_recent(conn, 10_000)]


def half_a_request(web: WebServer) -> tuple[socket.socket, bytes]:
    """A PUT whose body has begun to arrive, and the rest of it."""
    body = json.dumps({"batch": {"max_size_gb": 7}}).encode()
    head = f"PUT /api/config HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
    return connection, body[5:]


def test_a_request_in_flight_is_answered_by_a_server_that_was_asked_to_stop(site: Installation, web: WebServer) -> None:
    assert web.master is not None
    connection, rest = half_a_request(web)
    with connection:
        web.ask("GET", "/health")
        web.master.send_signal(signal.SIGTERM)
        site.until(lambda: "Handling signal: term" in web.said(), "the stop begins")
        connection.sendall(rest)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        status, saved = read_answer(answer)
    assert (status, saved["batch"]["max_size_gb"]) == (200, 7.0)
    assert web.master.wait(15) == 0
    assert "max_size_gb: 7" in site.config_path.read_text()


def test_a_request_that_was_killed_half_way_changed_nothing(site: Installation, web: WebServer) -> None:
    before = site.config_path.read_bytes()
    connection, _rest = half_a_request(web)
    with connection:
        web.ask("GET", "/health")
        kill_both(web)
        with pytest.raises((ConnectionError, http.client.BadStatusLine)):
            answer = http.client.HTTPResponse(connection)
            answer.begin()
    assert site.config_path.read_bytes() == before
    web.start()
    assert web.ask("GET", "/api/config")[1]["batch"]["max_size_gb"] == 15.0


def test_a_stop_does_not_wait_for_idle_connections(site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", NO_END_IN_SIGHT)
    with WebServer(site) as web:
        kept = web.connect()
        kept.request("GET", "/health", headers={"Connection": "keep-alive"})
        assert read_answer(kept.getresponse())[0] == 200
        with kept.sock, socket.create_connection(("127.0.0.1", web.port)):  # type: ignore[union-attr]
            web.terminate()
        assert not [pid for pid in web.workers if Path(f"/proc/{pid}").exists()]


def test_a_stop_does_not_wait_longer_than_the_supervisor_for_a_client_that_sends_nothing_more(web: WebServer) -> None:
    connection, _rest = half_a_request(web)
    with connection:
        web.ask("GET", "/health")
        web.terminate()
    supervisor = configparser.RawConfigParser()
    supervisor.read(PROGRAM / "docker" / "supervisord.conf")
    settings = (PROGRAM / "docker" / "gunicorn.conf.py").read_text()
    given = re.search(r"^graceful_timeout = (\d+)$", settings, re.MULTILINE)
    assert given is not None and int(given[1]) < supervisor.getint("program:web", "stopwaitsecs")


def test_a_run_goes_on_while_the_web_process_is_down(site: Installation, web: WebServer) -> None:
    site.fill_ingest(FILES)
    site.start_worker()
    run_id = web.ask("POST", "/api/workflow/run")[1]["run_id"]
    site.until(lambda: site.steps(run_id), "the run has begun")
    web.terminate()
    assert site.ended(run_id).status in ENDED
    web.start()
    assert web.ask("GET", f"/api/runs/{run_id}")[1]["status"] == "done"
    assert not [pid for pid in web.workers if not os.path.exists(f"/proc/{pid}")]
