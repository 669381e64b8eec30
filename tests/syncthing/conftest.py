"""A real Syncthing pair for a module; each test uses its own batch in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.syncthing.pair import Pair, make_pair


@pytest.fixture(scope="module")
def module_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A sendonly folder and its receive-only peer, connected."""
    pair = make_pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()
