"""The pages of the settings in Chromium: mistyped, mended, saved and gone back from, with somebody else at work."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.config.schema import Config
from app.config.store import ConfigStore
from tests.browser.conftest import Server, Watched
from tests.browser.test_every_page import AXE, violations

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Watched]

CANARY = "CANARY-5f2b9c-0123456789"
SELECTED = "((area) => area.value.slice(area.selectionStart, area.selectionEnd))(document.activeElement)"
HOSTILE = "<script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server whose settings hold a key of Syncthing and a hostile pattern."""
    base = tmp_path_factory.mktemp("settings")
    server = Server(base, syncthing={"api_key": CANARY}, scan={"ignore_patterns": [HOSTILE]})
    server.wait()
    yield server
    server.stop()


def config_of(server: Server) -> Config:
    """What the file says now."""
    return ConfigStore(str(server.config_path)).load().config


def save_elsewhere(server: Server, **sections: Any) -> None:
    """Somebody else saves over the API."""
    body = json.dumps(sections).encode()
    asked = urllib.request.Request(f"{server.url}/api/config", body, {"Content-Type": "application/json"}, method="PUT")
    urllib.request.urlopen(asked, timeout=20).close()


def told(page: Page) -> Any:
    """The line that says how things stand."""
    return expect(page.locator("#settings-verdict [role=status]"))


def test_a_setting_is_mistyped_mended_saved_and_gone_back_from(server: Server, open_page: OpenPage) -> None:
    save_elsewhere(server, batch={"max_files": 3})
    watched = open_page(server, "/settings")
    page, sent = watched.page, list[str]()
    page.on("request", lambda asked: sent.append(asked.post_data or "") if asked.method == "POST" else None)
    field, threads = page.locator("[name='batch.max_files']"), page.get_by_label("Threads", exact=True)
    field.fill("many")
    threads.fill("5")
    told(page).to_have_text("✕ 1 fault; nothing is saved")
    expect(page.locator("#fault-set-batch-max_files")).to_have_text("✕ must be a whole number, not many")
    expect(field).to_have_attribute("aria-invalid", "true")
    page.evaluate(AXE.read_text())
    assert violations(page) == [], violations(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#settings-faults")).to_be_focused()
    assert config_of(server).dedup.threads == 2
    page.locator("#settings-faults a").click()
    expect(field).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    told(page).to_have_text("✎ 2 settings are changed, not saved yet")
    expect(page.locator("#settings-changes")).to_contain_text("batch.max_files")
    expect(threads).to_have_value("5")
    page.keyboard.press("Control+s")
    told(page).to_have_text("✓ Saved. 2 settings have changed, in force now.")
    assert (config_of(server).batch.max_files, config_of(server).dedup.threads) == (7, 5)
    expect(field).to_be_focused()
    assert all("scan." not in body and "batch.max_size_gb" not in body for body in sent)
    page.get_by_role("link", name="History").first.click()
    page.locator(".revisions a").nth(1).click()
    expect(page.get_by_role("region", name="What going back changes")).to_contain_text("batch.max_files")
    page.get_by_role("button", name="Go back to these settings").click()
    expect(page.locator("#saved")).to_contain_text("Saved. 2 settings have changed, in force now.")
    assert (config_of(server).batch.max_files, config_of(server).dedup.threads) == (3, 2)
    assert watched.faults == []


def test_the_text_shows_faults_at_their_lines_while_somebody_types(server: Server, open_page: OpenPage) -> None:
    watched = open_page(server, "/settings/text")
    page = watched.page
    text = page.get_by_label("config.yaml")
    before = text.input_value()
    assert CANARY not in page.content() and HOSTILE in before
    line = next(number for number, words in enumerate(before.split("\n"), 1) if "max_size_gb:" in words)
    text.fill(re.sub(r"max_size_gb: .*", "max_size_gb: plenty", before))
    told(page).to_have_text("✕ 1 fault; nothing is saved")
    expect(page.locator(".gutter .bad")).to_have_text(f"✕ {line}")
    page.locator("#settings-faults a").click()
    expect(text).to_be_focused()
    assert page.evaluate(SELECTED) == "max_size_gb: plenty"
    page.keyboard.type("max_size_gb: 20")
    told(page).to_have_text("✎ 1 setting is changed, not saved yet")
    expect(page.locator(".gutter .bad")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved")).to_contain_text("Saved. 1 setting has changed, in force now.")
    assert config_of(server).batch.max_size_gb == 20
    assert config_of(server).syncthing.api_key == CANARY
    assert (page.title(), watched.faults) == ("Settings – Media Pipeline", [])


def test_what_is_typed_outlives_a_save_of_somebody_else(server: Server, open_page: OpenPage) -> None:
    watched = open_page(server, "/settings")
    page = watched.page
    page.get_by_label("Threads", exact=True).fill("6")
    told(page).to_have_text("✎ 1 setting is changed, not saved yet")
    save_elsewhere(server, batch={"max_size_gb": 77}, dedup={"hash_algorithm": "sha256"})
    expect(page.locator("#settings-state .warning")).to_contain_text("The settings were saved meanwhile, over the API")
    expect(page.get_by_label("Threads", exact=True)).to_have_value("6")
    page.get_by_role("button", name="Save", exact=True).click()
    told(page).to_have_text("! saved meanwhile by somebody else")
    page.get_by_text("What they changed").click()
    expect(page.get_by_role("region", name="What was saved meanwhile")).to_contain_text("77")
    assert config_of(server).dedup.threads == 2
    page.get_by_role("button", name="Save mine as well").click()
    told(page).to_have_text("✓ Saved. 1 setting has changed, in force now.")
    config = config_of(server)
    assert (config.dedup.threads, config.dedup.hash_algorithm, config.batch.max_size_gb) == (6, "sha256", 77)
    expect(page.locator("[name='batch.max_size_gb']")).to_have_value("77")
    expect(page.locator("#settings-state .warning")).to_have_count(0)
    assert watched.faults == []


def test_settings_are_found_put_back_chosen_ready_made_and_a_key_is_written_unseen(
    server: Server, open_page: OpenPage
) -> None:
    watched = open_page(server, "/settings", width=390)
    page = watched.page
    page.get_by_label("Find a setting").fill("syncthing's key")
    expect(page.locator(".setting:visible")).to_have_count(1)
    page.locator("[name='syncthing.api_key']").fill("CANARY-NEW-0123456789")
    told(page).to_have_text("✎ 1 setting is changed, not saved yet")
    page.get_by_role("button", name="Save", exact=True).click()
    told(page).to_have_text("✓ Saved. 1 setting has changed, in force now.")
    expect(page.locator("[name='syncthing.api_key']")).to_have_value("")
    assert config_of(server).syncthing.api_key == "CANARY-NEW-0123456789" and "CANARY" not in page.content()
    page.get_by_label("Find a setting").fill("")
    page.get_by_label("Settle", exact=True).fill("44")
    page.get_by_role("button", name="Back to default (10): scan.settle_seconds").click()
    expect(page.get_by_label("Settle", exact=True)).to_have_value("10")
    page.get_by_text("Ready-made choices").click()
    page.get_by_role("button", name="Put copy only into the form").click()
    expect(page.locator("[name='batch.transfer_mode']")).to_have_value("copy")
    expect(page.locator("#settings-changes")).to_contain_text("batch.transfer_mode")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("[name='batch.transfer_mode']")).to_have_value("move")
    assert config_of(server).batch.transfer_mode == "move"
    assert watched.faults == []
