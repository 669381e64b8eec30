"""A real Syncthing pair for a module; each test uses its own batch in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from app.services import Services
from tests.syncthing.pair import Pair, make_pair
from tests.syncthing.staging import services_for


@pytest.fixture(scope="module")
def module_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A sendonly folder and its receive-only peer, connected."""
    pair = make_pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A connected pair whose folders have the types that the module names in FOLDER_TYPES."""
    made = make_pair(tmp_path_factory.mktemp("pair"), *request.module.FOLDER_TYPES)
    yield made
    made.stop()


@pytest.fixture
def under(request: pytest.FixtureRequest, pair: Pair) -> Iterator[Callable[..., Services]]:
    """`under("keep", sync={...}, syncthing={...})`: services of the module's pair under a policy, and with the settings
    that the module names in SETTINGS, if it does."""
    pair.bring_up()
    kept: list[Services] = []

    def opener(policy: str, **changes: Mapping[str, Any]) -> Services:
        ours = {"sync": {"target": "syncthing", "peer_policy": policy}, **getattr(request.module, "SETTINGS", {})}
        for section, values in changes.items():
            ours[section] = {**ours.get(section, {}), **values}
        kept.append(services_for(pair, **ours))
        return kept[-1]

    yield opener
    for services in kept:
        services.close()


@pytest.fixture
def opened() -> Iterator[Callable[..., Services]]:
    """`opened(pair, syncthing={...})`: services over the pair's own side."""
    kept: list[Services] = []

    def opener(pair: Pair, **changes: Any) -> Services:
        kept.append(services_for(pair, **changes))
        return kept[-1]

    yield opener
    for services in kept:
        services.close()
