"""The pages in Chromium behind a reverse proxy under a sub-path: nothing is asked for outside of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server
from tests.browser.proxies import COMMANDS, real_proxy
from tests.browser.proxy import proxied
from tests.browser.walk import KEY, PREFIX, walk

pytestmark = pytest.mark.browser

#: The sub-path of the examples in docs/operations.md.
IN_THE_MANUAL = "/photos"


@pytest.mark.parametrize("takes_prefix_off", [True, False])
def test_a_person_logs_in_goes_about_and_sees_live_pages(
    start_server: Callable[..., Server], browser: Browser, takes_prefix_off: bool
) -> None:
    server = start_server(system={"url_prefix": PREFIX}, auth={"api_key": KEY})
    with proxied(server.port, PREFIX, takes_prefix_off=takes_prefix_off) as address:
        walk(server, browser, address, PREFIX)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_behind_a_real_proxy_with_the_example_of_the_manual(
    start_server: Callable[..., Server], browser: Browser, tmp_path: Path, name: str
) -> None:
    server = start_server(system={"url_prefix": IN_THE_MANUAL}, auth={"api_key": KEY})
    folder = tmp_path / "proxy"
    folder.mkdir()
    with real_proxy(name, folder, server.port) as address:
        walk(server, browser, address + IN_THE_MANUAL, IN_THE_MANUAL)
