"""Following the logs over HTTP: what comes, where it goes on after a break, how many may follow, and when it ends."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.diagnostics.logs import Wanted, ends
from app.log import MASK, Process, configure_logging, get_logger
from app.web import log_streams
from app.web.log_streams import MAX_STREAMS, Reader, Stream
from tests.web.conftest import KEY, Site
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

CANARY = "CANARY-0123456789-abcdef"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, system=on_loopback()) as made:
        yield made


@contextmanager
def logging_to(log_dir: Path, process: Process = "api") -> Iterator[Any]:
    """The real writer, whose handlers go with the block."""
    before = logging.getLogger().handlers[:]
    configure_logging(process, log_dir)
    try:
        yield get_logger()
    finally:
        for handler in [each for each in logging.getLogger().handlers if each not in before]:
            logging.getLogger().removeHandler(handler)
            handler.close()


def write(site: Installation, process: str, *events: str, **more: object) -> Path:
    path = site.folder("state") / "logs" / f"{process}.log"
    with path.open("a") as file:
        file.writelines(
            json.dumps({"event": e, "level": "info", "at": f"2999-05-06T{e}", **more}) + "\n" for e in events
        )
    return path


class Following:
    """One open stream."""

    def __init__(self, web: WebServer, query: str = "", last_id: str | None = None) -> None:
        self.connection = web.connect()
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        self.connection.request("GET", f"/api/logs/stream?{query}", headers=headers)
        self.answer = self.connection.getresponse()
        self.last_id = last_id or ""

    def read(self, count: int) -> list[str]:
        """The next so many events; keeps the id behind the last one."""
        found: list[str] = []
        while len(found) < count:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                self.last_id = line[4:]
            elif line.startswith("data: "):
                found.append(str(json.loads(line[6:])["event"]))
        return found

    def is_open(self) -> bool:
        return self.answer.status == 200

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_lines_are_followed_by_filter_across_a_rotation_and_a_restart(installation: Installation) -> None:
    with WebServer(installation) as web:
        with closing(Following(web, "process=worker&level=info&run_id=3")) as reader:
            assert reader.answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
            write(installation, "worker", "08", run_id=4)
            write(installation, "worker", "09", level="debug", run_id=3)
            path = write(installation, "worker", "10", "11\nid: 0\n\ndata: forged", run_id=3)
            assert reader.read(2) == ["10", "11\nid: 0\n\ndata: forged"]
            os.rename(path, f"{path}.1")
            write(installation, "worker", "12", run_id=3)
            assert reader.read(1) == ["12"]
            last_id = reader.last_id
            assert web.master is not None
            web.master.terminate()
            # The server ends its streams by itself, and whole: no answer is cut off.
            rest = reader.answer.read()
            assert b"data:" not in rest
        assert web.master.wait(30) == 0
        write(installation, "worker", "13", run_id=3)
        os.rename(path, f"{path}.1")
        write(installation, "worker", "14", run_id=3)
        web.start()
        with closing(Following(web, "process=worker&run_id=3&after=worker.-.0", last_id)) as reader:
            assert reader.read(2) == ["13", "14"]
        status, told = web.ask("GET", f"/api/logs?process=worker&run_id=3&after={last_id}")
        assert (status, [line["event"] for line in told["lines"]], told["skipped"]) == (200, ["13", "14"], False)
        status, told = web.ask("GET", f"/api/logs?process=worker&run_id=3&after={told['cursor']}")
        assert (status, told["lines"]) == (200, [])


def test_eight_may_follow_and_leave_the_pages_to_others(installation: Installation) -> None:
    with WebServer(installation) as web, ExitStack() as opened:
        readers = [opened.enter_context(closing(Following(web))) for _ in range(MAX_STREAMS)]
        assert all(reader.is_open() for reader in readers)
        with closing(Following(web)) as refused:
            assert (refused.answer.status, refused.answer.getheader("Retry-After")) == (503, "30")
            assert json.loads(refused.answer.read())["retryable"] is True
        for path in ("/dashboard", "/logs", "/api/logs"):
            assert web.ask("GET", path)[0] == 200
        readers[0].close()
        again: Following | None = None
        while again is None or not again.is_open():
            again = opened.enter_context(closing(Following(web)))
        write(installation, "api", "23:59")
        assert [reader.read(1) for reader in (*readers[1:], again)] == [["23:59"]] * MAX_STREAMS


def test_whoever_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_streams, "STALLED_SECONDS", 0.05)
    log = tmp_path / "api.log"
    log.write_text("".join(json.dumps({"event": f"{n} " + "x" * 1_000}) + "\n" for n in range(1_900)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        told = Stream(str(tmp_path), Wanted(["api"]), {"api": ends(str(tmp_path / "none"), ["api"])["api"]},
                      Reader({"gunicorn.socket": ours}), 60, lambda: True)  # fmt: skip
        ours.setblocking(False)
        sent = 0
        for chunk in told.chunks():
            sent += ours.send(chunk)
        assert 0 < sent < log.stat().st_size
        received = 0
        while part := theirs.recv(1_000_000):
            received += len(part)
        assert received == sent


@pytest.mark.parametrize("ending", ["reader", "key", "server"])
def test_a_stream_ends_with_its_reader_its_key_or_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(log_streams, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(log_streams, "LOOK_SECONDS", 0.0)
    ours, theirs = socket.socketpair()
    heard = 0
    told = Stream(str(tmp_path), Wanted(), {}, Reader({"gunicorn.socket": ours}), 60,
                  lambda: ending != "key" or heard < 4)  # fmt: skip
    with ours:
        for chunk in told.chunks():
            heard += chunk.startswith((b":", b"retry"))
            if heard == 4 and ending == "reader":
                theirs.close()
            if heard == 4 and ending == "server":
                monkeypatch.setattr(log_streams, "is_serving", lambda: False)
    theirs.close()
    assert heard == 4


def test_a_stream_that_nobody_began_to_read_gives_its_place_back(site: Site) -> None:
    client = site.client()
    for _ in range(MAX_STREAMS + 1):
        answer = client.get("/api/logs/stream?seconds=1")
        assert answer.status_code == 200
        answer.close()
        answer = client.head("/api/logs/stream")
        assert (answer.status_code, answer.get_data()) == (200, b"")
        answer.close()


def test_a_cursor_that_is_none_is_refused_before_a_stream_begins(site: Site) -> None:
    client = site.client()
    for given in ("worker", "worker.1.2", "api.-.1~", "x.00000000.1"):
        assert client.get(f"/api/logs?after={given}").status_code == 400
        assert client.get("/api/logs/stream", headers={"Last-Event-ID": given}).status_code == 400
    assert client.get("/api/logs/stream?after=<b>").status_code == 422


def test_streams_and_pages_show_no_secret(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"api_key": KEY}, syncthing={"api_key": CANARY})
    client, log_dir = site.client(), Path(site.services.config.system.log_dir)
    for path in ("/logs", "/api/logs", "/api/logs/stream", "/logs/download", "/journal", "/partials/journal"):
        assert client.get(path).status_code == 401, path
    client.post("/login", data={"key": KEY})
    log_dir.mkdir(parents=True, exist_ok=True)
    with logging_to(log_dir) as log:
        log.warning("Syncthing refused", api_key=CANARY, headers={"X-API-Key": CANARY}, reason="wrong key")
    shown = [client.get(path).get_data(as_text=True) for path in ("/logs", "/api/logs", "/logs/download", "/journal")]
    shown.append(client.get("/api/logs/stream?seconds=1&after=api.-.0").get_data(as_text=True))
    assert all(MASK in text for text in (*shown[:3], shown[4]))
    assert all(CANARY not in text and KEY not in text for text in shown)
