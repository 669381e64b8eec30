"""An installation, a broker, and the worker's thread between the two: runs stay queued, as nobody executes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.home_assistant.mosquitto import Ear, Mosquitto, until
from tests.web.conftest import Site
from worker.home_link import HomeLink


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
def ear(broker: Mosquitto) -> Iterator[Ear]:
    with Ear(broker.port) as found:
        yield found


@contextmanager
def linked(site: Site) -> Iterator[HomeLink]:
    """The link of the worker, until the block ends."""
    stopping = threading.Event()
    link = HomeLink(site.container, stopping)
    link.start()
    try:
        yield link
    finally:
        stopping.set()
        link.join(10)
        assert not link.is_alive()


@pytest.fixture
def make_home(tmp_path: Path, broker: Mosquitto, ear: Ear) -> Iterator[Callable[..., Site]]:
    """`make_home(username="us")`: an installation that is linked to the broker, and known there."""
    with ExitStack() as stack:

        def make(**mqtt: Any) -> Site:
            site = Site(tmp_path, mqtt={"host": "127.0.0.1", "port": broker.port, **mqtt})
            stack.callback(site.container.close)
            stack.enter_context(linked(site))
            until(lambda: ear.state(mqtt.get("prefix", "media_pipeline")), "the state is told")
            return site

        yield make


@pytest.fixture
def home(make_home: Callable[..., Site]) -> Site:
    return make_home()
