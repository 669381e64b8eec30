"""Fixtures of real Syncthing pairs; one pair serves a module, each test uses its own batch in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syncthing.pair import Pair, make_pair


@pytest.fixture(scope="module")
def module_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A sendonly folder and its receive-only peer, connected."""
    pair = make_pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


@pytest.fixture
def fresh_pair(tmp_path: Path) -> Iterator[Pair]:
    """A pair for one test that breaks it."""
    pair = make_pair(tmp_path / "pair")
    yield pair
    pair.stop()
