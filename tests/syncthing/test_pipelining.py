"""Several questions about files under way at once: the answers are those of asking one by one, whatever is odd."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.errors import SyncthingRefused, SyncthingUnreachable
from app.syncthing import pipelining
from app.syncthing.answers import FileView
from app.syncthing.client import SyncthingClient
from tests.conftest import write_tree
from tests.syncthing.pair import FOLDER, Pair
from tests.syncthing.test_client_faults import Server, plain

PATHS = [f"batch/IMG_{n:03d}.jpg" for n in range(60)]
SIZES = list(range(60))
Reply = Callable[[BaseHTTPRequestHandler, str], None]


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


def answer_about(path: str, name: str | None = None) -> bytes:
    """What Syncthing tells of a file whose size is the number in its name."""
    part: dict[str, Any] = {
        "name": name or path, "size": int(re.sub(r"\D", "", path)), "version": ["AAAAAAA:1"], "deleted": False,
        "invalid": False, "ignored": False, "mustRescan": False, "modifiedBy": "AAAAAAA",
    }  # fmt: skip
    return json.dumps({"local": part, "global": part, "availability": None}).encode()


def right(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(path))(handler)


def asked_path(handler: BaseHTTPRequestHandler) -> str:
    return parse_qs(urlsplit(handler.path).query)["file"][0]


def is_by_itself(handler: BaseHTTPRequestHandler) -> bool:
    """Whether this question came over the connection that holds one at a time."""
    return handler.headers.get("User-Agent") is not None


def odd_once(odd: Reply, at: str = PATHS[40]) -> Callable[[BaseHTTPRequestHandler], None]:
    """A server that is odd about one file when it is asked for several at once."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        path = asked_path(handler)
        reply = odd if path == at and not is_by_itself(handler) else right
        reply(handler, path)

    return answer


def sizes_of(client: SyncthingClient, paths: list[str] = PATHS) -> list[int | None]:
    return [view.size_bytes if view else None for view in client.files("photos", paths)]


def without_holders(view: FileView | None) -> FileView | None:
    """What does not change while the peer downloads."""
    return view and replace(view, holders=frozenset(), partial_holders=frozenset())


def test_many_files_are_told_of_as_by_asking_for_each(module_pair: Pair) -> None:
    deep = "/".join(["a long name of a folder, in which others lie " * 4] * 12)
    names = ["plain.jpg", "ä ö & = + % # ?.jpg", "日本.jpg", f"{deep}/x.jpg", "empty.jpg"]
    write_tree(module_pair.ours.folder / "many", {name: name.encode() for name in names})
    paths = [f"many/{name}" for name in [*names[:2], "not there.jpg", *names[2:], "nor there.jpg"]]
    with module_pair.ours.client() as client:
        assert client.scan(FOLDER, "many") is True
        together = [without_holders(view) for view in client.files(FOLDER, paths)]
        again = [without_holders(view) for view in client.files(FOLDER, paths)]
        one_by_one = [without_holders(client.file(FOLDER, path)) for path in paths]

    assert client._pipeline._is_fit
    assert together == again == one_by_one
    assert [path for path, view in zip(paths, together, strict=True) if view is None] == [
        "many/not there.jpg", "many/nor there.jpg",
    ]  # fmt: skip


def test_questions_are_under_way_together_and_never_more_than_buffers_hold() -> None:
    counts: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_answer_in_bundles, args=(listening, counts))
        thread.start()
        with SyncthingClient(f"http://127.0.0.1:{listening.getsockname()[1]}", "a-key") as client:
            assert sizes_of(client) == SIZES
        thread.join()

    assert sum(counts) == len(PATHS)
    assert counts[0] == pipelining.AT_ONCE
    assert max(counts) <= pipelining.AT_ONCE


def _answer_in_bundles(listening: socket.socket, counts: list[int]) -> None:
    """Answer only once at least half as many questions lie there as may be under way, or the last ones."""
    connection, _ = listening.accept()
    received, answered = b"", 0
    with connection:
        while answered < len(PATHS):
            wanted = min(pipelining.AT_ONCE if not counts else pipelining.AT_ONCE // 2, len(PATHS) - answered)
            while received.count(b"\r\n\r\n") < wanted:
                received += connection.recv(65536)
            *questions, received = received.split(b"\r\n\r\n")
            counts.append(len(questions))
            answered += len(questions)
            connection.sendall(b"".join(_raw_answer(question) for question in questions))


def _raw_answer(question: bytes) -> bytes:
    target = question.split(b" ", 2)[1].decode()
    body = answer_about(parse_qs(urlsplit(target).query)["file"][0])
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def chunked(handler: BaseHTTPRequestHandler, path: str) -> None:
    body = answer_about(path)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (body[:10], body[10:], b""):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


def closing(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(path), Connection="close")(handler)


def cut_off(handler: BaseHTTPRequestHandler, path: str) -> None:
    body = answer_about(path)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body) + 1, body))
    handler.close_connection = True


def without_length(handler: BaseHTTPRequestHandler, path: str) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + answer_about(path))
    handler.close_connection = True


def packed(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, gzip.compress(answer_about(path)), Content_Encoding="gzip")(handler)


def gone(handler: BaseHTTPRequestHandler, _: str) -> None:
    handler.close_connection = True


def long(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(path) + b" " * pipelining.BODY_CAP_BYTES)(handler)


def about_the_next(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(PATHS[PATHS.index(path) + 1]))(handler)


def about_two(handler: BaseHTTPRequestHandler, path: str) -> None:
    found = json.loads(answer_about(path))
    found["local"] = json.loads(answer_about(PATHS[7]))["local"]
    plain(200, json.dumps(found).encode())(handler)


def nameless(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(path).replace(b'"name"', b'"other"'))(handler)


def garbage(handler: BaseHTTPRequestHandler, _: str) -> None:
    plain(200, b"<html>")(handler)


def another_shape(handler: BaseHTTPRequestHandler, path: str) -> None:
    plain(200, answer_about(path).replace(b'"deleted": false', b'"deleted": "no"'))(handler)


def no_page(handler: BaseHTTPRequestHandler, _: str) -> None:
    plain(404, b"a router's page")(handler)


def overloaded(handler: BaseHTTPRequestHandler, _: str) -> None:
    plain(503)(handler)


def elsewhere(handler: BaseHTTPRequestHandler, _: str) -> None:
    plain(302, Location="http://127.0.0.1:1/")(handler)


@pytest.mark.parametrize(
    "odd",
    [closing, cut_off, without_length, packed, gone, long, about_the_next, about_two, nameless, garbage, another_shape,
     no_page, overloaded, elsewhere],
)  # fmt: skip
@pytest.mark.parametrize("at", [PATHS[0], PATHS[40], PATHS[-1]])
def test_whatever_is_odd_together_is_asked_again_one_by_one(server: Server, odd: Reply, at: str) -> None:
    if odd is about_the_next and at == PATHS[-1]:
        at = PATHS[-2]
    server.answer = odd_once(odd, at)
    with SyncthingClient(server.url, "a-key") as client:
        assert sizes_of(client) == SIZES
        assert not client._pipeline._is_fit
        asked = len(server.seen)
        assert sizes_of(client) == SIZES

    assert len(server.seen) == asked + len(PATHS)


def test_an_answer_in_parts_is_put_together(server: Server) -> None:
    server.answer = lambda handler: chunked(handler, asked_path(handler))
    with SyncthingClient(server.url, "a-key") as client:
        assert sizes_of(client) == SIZES
        assert client._pipeline._is_fit


def test_what_never_answers_several_at_once_is_asked_one_by_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: BaseHTTPRequestHandler, __: str) -> None:
        server.stopping.wait(30)

    monkeypatch.setattr(pipelining, "WAIT_SECONDS", 0.3)
    server.answer = odd_once(silent)
    with SyncthingClient(server.url, "a-key") as client:
        assert sizes_of(client) == SIZES


def test_an_answer_that_trickles_in_among_others_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def trickle(handler: BaseHTTPRequestHandler, _: str) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.stopping.wait(0.05):
            handler.wfile.write(b" ")

    monkeypatch.setattr(pipelining, "DEADLINE_SECONDS", 0.5)
    server.answer = odd_once(trickle)
    with SyncthingClient(server.url, "a-key") as client:
        assert sizes_of(client) == SIZES


def test_a_fault_that_lasts_is_the_one_of_a_question_by_itself(server: Server) -> None:
    server.answer = plain(429, Retry_After="60")
    with SyncthingClient(server.url, "a-key") as client, pytest.raises(SyncthingUnreachable, match="HTTP 429"):
        sizes_of(client)


def test_a_key_that_is_refused_is_told_as_for_one_question(server: Server) -> None:
    server.answer = plain(403, b"CSRF Error")
    with SyncthingClient(server.url, "a-key") as client, pytest.raises(SyncthingRefused) as caught:
        sizes_of(client)

    assert caught.value.cause == "key"


def test_files_are_taken_as_they_are_asked_for_and_no_more_than_are_under_way(server: Server) -> None:
    taken: list[str] = []

    def take() -> Iterator[str]:
        for path in PATHS:
            taken.append(path)
            yield path

    server.answer = lambda handler: right(handler, asked_path(handler))
    with SyncthingClient(server.url, "a-key") as client:
        found = client.files("photos", take())
        sizes = [view.size_bytes for view in [next(found)] if view]
        assert sizes == SIZES[:1]
        assert len(taken) == pipelining.AT_ONCE
        assert [view.size_bytes for view in found if view] == SIZES[1:]
        asked = len(server.seen)
        assert sizes_of(client, []) == []

    assert (taken, len(server.seen)) == (PATHS, asked)


def test_answers_that_nobody_waited_for_are_not_taken_for_others(server: Server) -> None:
    server.answer = lambda handler: right(handler, asked_path(handler))
    with SyncthingClient(server.url, "a-key") as client:
        some = client.files("photos", PATHS)
        assert next(some) is not None
        some.close()  # type: ignore[attr-defined]
        assert sizes_of(client, PATHS[30:]) == SIZES[30:]
