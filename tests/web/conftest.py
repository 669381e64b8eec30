"""A web application over a real configuration file, database and folders, all under tmp_path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app.config.store import ConfigStore
from app.errors import ConfigError
from app.overview import roots as root_looks
from app.services import ServiceContainer, Services, set_up
from app.web import create_app, entry
from tests.conftest import make_config

KEY = "a-key-for-tests-0123456789"


def write_config(base: Path, **changes: Any) -> Path:
    """A configuration file whose folders lie under `base`."""
    path = base / "config.yaml"
    path.write_text(yaml.safe_dump(json.loads(make_config(base, **changes).model_dump_json())))
    return path


class Site:
    """One application with its container, and clients for it."""

    def __init__(self, base: Path, **changes: Any) -> None:
        self.config_path = write_config(base, **changes)
        set_up(ConfigStore(str(self.config_path)).load()).close()
        self.container = ServiceContainer(str(self.config_path))
        self.app = create_app(container=self.container)

    @property
    def services(self) -> Services:
        return self.container.services

    def client(self) -> FlaskClient:
        return self.app.test_client()


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`make_site(auth={"api_key": KEY})`: an application with other settings."""
    made: list[Site] = []
    root_looks.forget()
    entry.wrong_keys.seen.clear()

    def make(**changes: Any) -> Site:
        made.append(Site(tmp_path, **changes))
        return made[-1]

    yield make
    for site in made:
        with suppress(ConfigError):
            site.services.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """An application without a key."""
    return make_site()


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """A client of an application without a key."""
    return site.client()


@pytest.fixture
def locked(make_site: Callable[..., Site]) -> Site:
    """An application that asks for a key."""
    return make_site(auth={"api_key": KEY})
