"""A real Syncthing of which one answer has another shape than the documented one: nothing of that is good news."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from app.diagnostics import diagnose
from app.files.place_marker import make_place_marker
from app.model import RootKind
from app.overview.peer import peer_state, pending_requests
from app.pipeline import sync
from app.services import Services
from app.syncthing import notes
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.proxy import Proxy, Spoil, pass_on, plain
from tests.syncthing.staging import publish, reread

pytestmark = pytest.mark.syncthing

FILES = {"a.jpg": b"one", "b.jpg": b"two"}


@pytest.fixture(scope="module")
def proxy(module_pair: Pair) -> Iterator[Proxy]:
    running = Proxy(module_pair.ours.gui_port)
    yield running
    running.stop()


#: Everything that a look asks for, and what must not be believed of it.
ASKED = ("config/folders", "db/status", "system/status", "config/devices", "system/connections", "db/completion",
         "db/remoteneed", "db/file", "db/ignores", "system/browse")  # fmt: skip
ODD_BODIES = (b"null", b"[]", b"{}", b"7", b'"all is well"', b"[7]", b'{"files": null}', b'{"files": {"a": 1}}')


@pytest.mark.parametrize("path", ASKED)
def test_an_answer_of_another_shape_is_a_clear_state_and_proves_nothing(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], path: str
) -> None:
    proxy.behave()
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    module_pair.peer.change_folder(paused=True)
    batch = publish(services, f"odd-{path.replace('/', '-')}", FILES)
    accepted = {"config/folders": (b"[]",), "config/devices": (b"[]",), "system/browse": (b"[]", b'["x"]')}

    for body in ODD_BODIES:
        proxy.misbehave(only(path, plain(200, body)))
        with services.db.transaction() as conn:
            notes.save(conn, batch.id, notes.Notes())
        report = sync.look(services, reread(services, batch))

        assert report.outcome == "waiting" and reread(services, batch).confirmed_count == 0, body
        wanted = "" if body in accepted.get(path, ()) else "does not speak as Syncthing does"
        assert wanted in (reread(services, batch).sync_detail or ""), body

    proxy.behave()
    module_pair.peer.change_folder(paused=False)
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "the delivery goes on")


#: Not asked while no file is on its way, all peers are here, and no one asks who has knocked.
UNASKED = ("db/file", "stats/device", "cluster/pending/devices", "cluster/pending/folders")
#: What the set-up and the diagnostics ask for, and which odd bodies say nothing odd there.
SHOWN = {
    "config/folders": (b"[]",),
    "config/devices": (b"[]",),
    "system/browse": (b"[]",),
    "cluster/pending/devices": (b"{}",),
    "cluster/pending/folders": (b"{}",),
    "system/connections": (),
    "db/ignores": (),
    "db/status": (),
    "system/status": (),
}


@pytest.mark.parametrize("path", SHOWN)
def test_the_set_up_says_that_an_answer_is_odd_and_never_that_nothing_is_there(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], path: str
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    make_place_marker(services.root(RootKind.BATCH))
    for body in ODD_BODIES:
        proxy.misbehave(only(path, plain(200, body)))
        state = peer_state(services)
        wanted = "" if body in SHOWN[path] else "does not speak as Syncthing does"
        assert wanted in state["sentence"] and state["reachable"] is (not wanted), (body, state["sentence"])
    proxy.behave()
    assert peer_state(services)["reachable"] is True


def test_requests_that_wait_are_never_hidden_by_an_odd_answer(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    for path in ("cluster/pending/devices", "cluster/pending/folders"):
        for body in (*ODD_BODIES, b'{"A": {"name": 7}}', b'{"A": {"offeredBy": null, "name": []}}'):
            proxy.misbehave(only(path, plain(200, body)))
            fault = pending_requests(services)["fault"]
            assert (fault is None) if body == b"{}" else "does not speak as Syncthing does" in fault, (path, body)
    proxy.behave()


DIAGNOSED = (*SHOWN, "system/version", "config/gui", "db/completion", "db/file", "folder/errors", "stats/device")


@pytest.mark.parametrize("path", DIAGNOSED)
def test_the_diagnostics_name_an_odd_answer_and_end(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], path: str
) -> None:
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    for body in ODD_BODIES:
        proxy.misbehave(only(path, plain(200, body)))
        found = diagnose(services)
        faults = [check["cause"] for check in found["checks"] if check["state"] != "ok"]
        if body not in SHOWN.get(path, ()) and path not in UNASKED and not (path == "config/gui" and body[:1] == b"{"):
            assert any("does not speak as Syncthing does" in cause for cause in faults), (body, faults)
    proxy.behave()


def only(path: str, how: Spoil) -> Spoil:
    """Spoil the answers to one question."""

    def answer(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
        if handler.path.partition("?")[0] == f"/rest/{path}":
            how(handler, proxy)
        else:
            pass_on(handler, handler.upstream, handler.body)  # type: ignore[attr-defined]

    return answer
