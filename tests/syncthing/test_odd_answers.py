"""A real Syncthing of which one answer has another shape than the documented one: nothing of that is good news."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

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
         "db/remoteneed", "db/file", "db/ignores")  # fmt: skip
ODD_BODIES = (b"null", b"[]", b"{}", b"7", b'"all is well"', b"[7]", b'{"files": null}', b'{"files": {"a": 1}}')


@pytest.mark.parametrize("path", ASKED)
def test_an_answer_of_another_shape_is_a_clear_state_and_proves_nothing(
    module_pair: Pair, proxy: Proxy, opened: Callable[..., Services], path: str
) -> None:
    proxy.behave()
    services = opened(module_pair, syncthing={"api_url": proxy.url})
    module_pair.peer.change_folder(paused=True)
    batch = publish(services, f"odd-{path.replace('/', '-')}", FILES)
    accepted = {"config/folders": (b"[]",), "config/devices": (b"[]",)}

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


def only(path: str, how: Spoil) -> Spoil:
    """Spoil the answers to one question."""

    def answer(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
        if handler.path.partition("?")[0] == f"/rest/{path}":
            how(handler, proxy)
        else:
            pass_on(handler, handler.upstream, handler.body)  # type: ignore[attr-defined]

    return answer
