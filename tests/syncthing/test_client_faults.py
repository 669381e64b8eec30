"""What the client makes of servers that are broken, hostile or not Syncthing at all: one clear error, soon."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from app.errors import SyncthingError, SyncthingRefused, SyncthingUnreachable
from app.syncthing import client as client_module
from app.syncthing.client import SyncthingClient
from app.syncthing.transport import base_url, forbidden_address
from tests.syncthing.local_server import LocalServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(LocalServer):
    """A local HTTP server whose every answer a test decides; `seen` is what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self.answer: Answer = lambda _: None
        self.stopping = threading.Event()
        super().__init__()

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        self.seen.append((handler.path, handler.headers.get("X-API-Key")))
        self.answer(handler)

    def stop(self) -> None:
        self.stopping.set()
        super().stop()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


def plain(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def error_of(server: Server, answer: Answer) -> SyncthingError:
    server.answer = answer
    with SyncthingClient(server.url, "a-key") as client, pytest.raises(SyncthingError) as caught:
        client.ping()
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (plain(500, b"boom secret-of-another-service"), SyncthingRefused, "failed (HTTP 500"),
        (plain(500, b"disk broke", X_Syncthing_Version="v1.29.5"), SyncthingRefused, "disk broke"),
        (plain(429), SyncthingUnreachable, "overloaded"),
        (plain(503), SyncthingUnreachable, "not ready"),
        (plain(302, Location="http://169.254.169.254/"), SyncthingRefused, "redirect"),
        (plain(200, b"<html>not json"), SyncthingUnreachable, "does not speak as Syncthing"),
        (plain(200, b"[" * 200_000), SyncthingUnreachable, "does not speak as Syncthing"),
        (plain(200, b'"text"'), SyncthingUnreachable, "does not speak as Syncthing"),
        (plain(404, b"not found"), SyncthingUnreachable, "not Syncthing"),
        (plain(403, b"CSRF Error\n"), SyncthingRefused, "does not accept the API key"),
        (plain(403, b"Forbidden\n"), SyncthingRefused, "does not accept the API key"),
        (plain(401, b"Not Authorized\n"), SyncthingRefused, "does not accept the API key"),
        (plain(403, b"Host check error\n"), SyncthingRefused, "Host check error"),
        (plain(500, b"folder marker missing (...)"), SyncthingRefused, ".stfolder"),
        (plain(500, b"no such folder"), SyncthingRefused, "syncthing.folder_id"),
        (plain(500, b"folder is paused"), SyncthingRefused, "paused"),
    ],
)
def test_a_bad_answer_becomes_one_clear_sentence(
    server: Server, answer: Answer, kind: type[SyncthingError], words: str
) -> None:
    error = error_of(server, answer)

    assert type(error) is kind and words in str(error)
    assert "secret-of-another-service" not in str(error) and "a-key" not in str(error)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("ask", "odd"),
    [
        (lambda c: c.file("f", "a.jpg"), {"availability": ["x"]}),
        (lambda c: c.file("f", "a.jpg"), {"local": {"size": "many"}}),
        (lambda c: c.file("f", "a.jpg"), {"local": {"version": 5}}),
        (lambda c: c.folders(), [{"id": "f", "devices": ["x"]}]),
        (lambda c: c.folders(), [{"id": "f", "minDiskFree": {"value": "some"}}]),
        (lambda c: c.completion("f", "d"), {"needItems": "few"}),
        (lambda c: c.completion("f", "d"), {"needItems": float("inf")}),
        (lambda c: c.connected(), {"connections": {"d": "yes"}}),
        (lambda c: c.connected(), {"connections": ["d"]}),
        (lambda c: c.last_seen(), {"d": "today"}),
        (lambda c: c.folder_errors("f"), {"errors": ["x"]}),
        (lambda c: c.folder_status("f"), {"sequence": "next"}),
        (lambda c: c.ignores("f"), {"ignore": 5}),
    ],
)
def test_an_answer_with_other_things_in_it_than_syncthings_is_not_syncthing(
    server: Server, ask: Callable[[SyncthingClient], object], odd: object
) -> None:
    server.answer = plain(200, json.dumps(odd).encode())

    with SyncthingClient(server.url, "a-key") as client, pytest.raises(SyncthingUnreachable) as caught:
        ask(client)

    assert "does not speak as Syncthing" in str(caught.value)


def test_a_gzip_bomb_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    assert "does not speak" in str(error_of(server, plain(200, bomb, Content_Encoding="gzip")))


def test_an_endless_body_is_cut_at_the_cap(server: Server) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.stopping.is_set():
            handler.wfile.write(b"x" * 65536)

    assert "longer than 8 MiB" in str(error_of(server, endless))


@pytest.mark.parametrize("in_headers", [True, False])
def test_an_answer_that_trickles_in_is_cut_at_the_deadline(
    server: Server, monkeypatch: pytest.MonkeyPatch, in_headers: bool
) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: " if in_headers else b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.stopping.wait(0.1):
            handler.wfile.write(b"x")

    monkeypatch.setattr(client_module, "DEADLINE_SECONDS", 1.0)
    server.answer = trickle
    began = time.monotonic()
    with SyncthingClient(server.url, "a-key") as client, pytest.raises(SyncthingUnreachable, match="within 1 seconds"):
        client._answer("GET", "system/ping", read_seconds=0.9)

    assert time.monotonic() - began < 5


def test_a_scan_that_takes_longer_than_we_wait_is_not_an_error(server: Server) -> None:
    server.answer = lambda _: server.stopping.wait(5) and None  # type: ignore[func-returns-value]
    with SyncthingClient(server.url, "a-key", scan_seconds=0.3) as client:
        assert client.scan("photos", "batch_001") is False


def test_a_scan_names_the_folder_and_the_relative_sub_folder(server: Server) -> None:
    server.answer = plain(200)
    with SyncthingClient(server.url + "/rest/", "a-key") as client:
        assert client.scan("my photos", "batch 1&2") is True

    assert server.seen == [("/rest/db/scan?folder=my+photos&sub=batch+1%262", "a-key")]


def test_proxies_of_the_environment_are_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.answer = plain(200, json.dumps({"ping": "pong"}).encode())
    with SyncthingClient(server.url, "a-key") as client:
        client.ping()

    assert len(server.seen) == 1


def test_an_answer_that_breaks_off_is_unreachable(server: Server) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
        handler.close_connection = True

    assert isinstance(error_of(server, broken), SyncthingUnreachable)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "http:// or https://"),
        ("gopher://127.0.0.1", "http:// or https://"),
        ("127.0.0.1:8384", "http:// or https://"),
        ("", "http:// or https://"),
        ("http://", "name a host"),
        ("http://user:secret@127.0.0.1:8384", "user name or password"),
        ("http://127.0.0.1:8384?x=1", "must not hold"),
        ("http://127.0.0.1:99999", "cannot be read"),
        ("http://169.254.169.254", "link-local"),
        ("http://[fe80::1]", "link-local"),
        ("http://[::ffff:169.254.169.254]", "link-local"),
    ],
)
def test_an_unusable_address_is_refused_without_a_request(url: str, words: str) -> None:
    with pytest.raises(SyncthingRefused, match=words) as caught:
        SyncthingClient(url, "a-key")

    assert "secret" not in str(caught.value)


def test_a_name_that_leads_to_a_link_local_address_is_refused_before_the_key_is_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.syncthing.transport.forbidden_address", lambda address: address == "127.0.0.1")
    by_name = server.url.replace("127.0.0.1", "localhost")
    with SyncthingClient(by_name, "a-key") as client, pytest.raises(SyncthingRefused, match="link-local"):
        client.ping()

    assert server.seen == []


@pytest.mark.parametrize(
    "url", ["http://nas:8384", "http://nas:8384/", "http://nas:8384/rest", " http://nas:8384/rest/ "]
)
def test_the_address_may_be_written_with_or_without_rest(url: str) -> None:
    assert base_url(url) == "http://nas:8384"


def test_only_link_local_addresses_are_forbidden() -> None:
    allowed = ["127.0.0.1", "192.168.1.2", "10.0.0.1", "fd00::1", "::1", "example.org"]
    assert [a for a in [*allowed, "169.254.0.1", "fe80::1%eth0"] if not forbidden_address(a)] == allowed


@pytest.mark.parametrize("key", ["", "with\nnewline", "schlüssel"])
def test_an_impossible_key_is_not_sent(server: Server, key: str) -> None:
    with SyncthingClient(server.url, key) as client, pytest.raises(SyncthingRefused) as caught:
        client.ping()

    assert caught.value.cause == "key" and server.seen == []


def test_asking_for_completion_without_a_device_is_impossible(server: Server) -> None:
    with SyncthingClient(server.url, "a-key") as client, pytest.raises(ValueError, match="answers for itself"):
        client.completion("photos", "")
