"""A Syncthing that answers slowly, or never for one file: each look ends, and the next goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from app.db import releases
from app.model import Batch, BatchStatus
from app.pipeline import sync, turns
from app.services import Services
from tests.syncthing.carrying import delete_at_peer
from tests.syncthing.pair import Pair, make_pair, wait_for
from tests.syncthing.proxy import Proxy, pass_on, plain
from tests.syncthing.staging import publish, reread, status_of

pytestmark = pytest.mark.syncthing

FILES = {"a.jpg": b"one", "b.jpg": b"two", "c.jpg": b"three"}


@pytest.fixture(scope="module")
def module_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = make_pair(tmp_path_factory.mktemp("slow"), "sendonly", "sendreceive")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def proxy(module_pair: Pair) -> Iterator[Proxy]:
    running = Proxy(module_pair.ours.gui_port)
    yield running
    running.stop()


def at_the_peer(pair: Pair, services: Services, name: str) -> Batch:
    """A batch that the peer has whole, of which nothing is proven yet."""
    batch = publish(services, name, FILES)
    pair.ours.scan()
    wait_for(lambda: len(list((pair.peer.folder / name).glob("*.jpg"))) == len(FILES), "the peer has it")
    client = pair.ours.client()
    names = [f"{name}/{file}" for file in FILES]
    wait_for(lambda: all(is_held(client.file("photos", n), pair) for n in names), "the peer has told of it")
    return batch


def is_held(view: object, pair: Pair) -> bool:
    return view is not None and pair.peer.device_id in view.holders  # type: ignore[attr-defined]


def confirmed(services: Services, batch: Batch) -> int:
    return reread(services, batch).confirmed_count


def test_a_look_that_has_no_more_time_keeps_what_is_proven_and_the_next_goes_on_there(
    module_pair: Pair, opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(module_pair)
    batch = at_the_peer(module_pair, services, "bit-by-bit")
    monkeypatch.setattr(turns, "ASK_SECONDS", 0)

    proven, words = [], []
    for _ in FILES:
        words.append(sync.look(services, reread(services, batch)).message)
        proven.append(confirmed(services, batch))

    assert proven == [1, 2, 3] and status_of(services, batch) is BatchStatus.SYNCED
    assert "had time to ask for 1 of 3 files, and the next goes on there" in words[0]


def test_files_that_were_asked_for_together_are_not_all_waited_for(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    batch = at_the_peer(module_pair, services, "together")
    monkeypatch.setattr(turns, "ASK_SECONDS", 0.5)

    def late(handler: BaseHTTPRequestHandler, found: Proxy) -> None:
        if "/rest/db/file" in handler.path:
            found.released.wait(0.3)
        pass_on(handler, handler.upstream, handler.body)  # type: ignore[attr-defined]

    proxy.misbehave(late)
    sync.look(services, reread(services, batch))

    assert 1 <= confirmed(services, batch) <= 2
    sync.look(services, reread(services, batch))
    proxy.behave()
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "the rest is proven")


def test_a_file_without_an_answer_keeps_no_other_from_being_proven(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    batch = at_the_peer(module_pair, services, "one-silent")

    def no_answer_for_b(handler: BaseHTTPRequestHandler, found: Proxy) -> None:
        if "b.jpg" in handler.path:
            plain(500)(handler, found)
        else:
            pass_on(handler, handler.upstream, handler.body)  # type: ignore[attr-defined]

    proxy.misbehave(no_answer_for_b)
    proven = []
    for _ in range(2):
        assert sync.look(services, reread(services, batch)).outcome == "waiting"
        proven.append(confirmed(services, batch))
    assert proven == [1, 2] and "failed (HTTP 500" in (reread(services, batch).sync_detail or "")

    proxy.behave()
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "the delivery goes on")


def test_releases_are_taken_bit_by_bit_too(
    module_pair: Pair, opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(module_pair, sync={"peer_policy": "release"})
    batch = at_the_peer(module_pair, services, "freed")
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "it is delivered")
    delete_at_peer(module_pair, list((module_pair.peer.folder / batch.name).glob("*.jpg")))
    client = module_pair.ours.client()
    wait_for(lambda: all(is_gone(client.file("photos", f"{batch.name}/{n}")) for n in FILES), "the peer has told of it")
    monkeypatch.setattr(turns, "ASK_SECONDS", 0)

    counted = []
    for _ in FILES:
        sync.look(services, reread(services, batch))
        with services.db.reading() as conn:
            counted.append(releases.count(conn, batch.id).file_count)

    assert counted == [1, 2, 3] and reread(services, batch).released_at is not None


def is_gone(view: object) -> bool:
    return view is not None and bool(view.global_deleted)  # type: ignore[attr-defined]


def test_that_the_peer_keeps_its_copies_is_seen_bit_by_bit_too(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    batch = at_the_peer(module_pair, services, "kept-bit-by-bit")
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "it is delivered")
    monkeypatch.setattr(turns, "ASK_SECONDS", 0)

    said = [sync.retain_at_peer(services, reread(services, batch)) for _ in FILES]

    assert [report.outcome if report else None for report in said] == ["waiting", "waiting", None]
    assert "had time to ask for 1 of 3 files" in (said[0].message if said[0] else "")
    waits = reread(services, batch)
    assert waits.status is BatchStatus.SYNCED and waits.next_look_at is not None


def test_what_an_earlier_look_saw_counts_only_while_the_ignore_list_stays_the_same(
    module_pair: Pair, opened: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = opened(module_pair)
    batch = at_the_peer(module_pair, services, "kept-anew")
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "it is delivered")
    monkeypatch.setattr(turns, "ASK_SECONDS", 0)
    first = sync.retain_at_peer(services, reread(services, batch))
    client = module_pair.ours.client()
    lines = client.ignores("photos")
    client.set_ignores("photos", [f"!/{batch.name}/a.jpg", *lines])

    second = sync.retain_at_peer(services, reread(services, batch))

    client.set_ignores("photos", lines)
    assert first is not None and second is not None
    assert f"does not ignore {batch.name}/a.jpg yet" in second.message
