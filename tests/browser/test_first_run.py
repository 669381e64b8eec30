"""From a fresh installation to an archived library, led by the page Set-up, with a real worker and real files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.model import AssetStatus, RunKind, RunStatus
from tests.browser.conftest import Watched
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

pytestmark = pytest.mark.browser
#: A worker that has just started takes a run up within seconds.
PATIENCE = 30_000


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """An installation with photos in its ingest folder, for which nobody has chosen anything."""
    with Installation(tmp_path, system=on_loopback(), sync={"target": "auto"}) as made:
        made.fill_ingest(6, duplicates=1)
        made.start_worker()
        yield made


def test_the_set_up_leads_from_nothing_to_an_archived_library(fresh: Installation, browser: Browser) -> None:
    before, photos = fresh.census(), fresh.base / "photos"
    with WebServer(fresh) as web:
        context = browser.new_context()
        watched = Watched(context.new_page(), f"http://127.0.0.1:{web.port}")
        page = watched.page
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{web.port}/welcome")

        expect(page.get_by_role("heading", level=2, name="Folders")).to_be_visible()
        page.get_by_label("Archive", exact=True).fill("photos")
        page.get_by_role("button", name="Save and set the folders up").click()
        expect(page.locator(".field-fault")).to_contain_text("Must be absolute")
        expect(page.get_by_label("Archive", exact=True)).to_have_value("photos")
        assert [fault for fault in watched.faults if "422" not in fault] == []
        watched.faults.clear()
        page.get_by_label("Archive", exact=True).fill(str(photos))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
        expect(page.locator(".checks")).to_contain_text(f"{photos} is mounted")

        page.get_by_role("button", name="Next: Where batches go").click()
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator(".field-fault")).to_have_text(re.compile("Choose one of the three"))
        assert [fault for fault in watched.faults if "422" not in fault] == []
        watched.faults.clear()
        page.get_by_label("To a folder").check()
        page.get_by_label("The folder", exact=True).fill(str(fresh.base / "disk"))
        page.get_by_role("button", name="Save and go on").click()
        expect(page.locator("article")).to_contain_text("There is nothing to connect")

        page.get_by_role("button", name="Next: Rehearsal").click()
        page.get_by_role("button", name="Rehearse a run").click()
        expect(page.locator("#rehearsal")).to_contain_text("6 files in 1 batch would go to the archive")
        expect(page.locator("#way")).to_contain_text("A rehearsal was made.")
        assert fresh.census() == before and not list(photos.glob("**/*.jpg"))

        page.get_by_role("button", name="Next: First run").click()
        expect(page.get_by_text("Everything is set up.")).to_be_visible()
        page.get_by_role("button", name="Run everything").click()
        expect(page.locator("#notices")).to_contain_text("was started")
        number = re.search(r"run (\d+)", page.locator("#notices").inner_text())
        assert number is not None and fresh.ended(int(number[1])).status is RunStatus.DONE
        expect(page.locator("#first-run")).to_contain_text("The run is through.")
        expect(page.locator("#first-run .steps")).to_contain_text("sort")
        expect(page.locator("#way")).to_contain_text("7 files are known.")
        page.get_by_role("button", name="Watch it on the dashboard").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        expect(page.locator("svg.bars").first).to_have_attribute("aria-label", re.compile("Seen: 7; archived: 6"))
        expect(page.locator(".disk").first).to_contain_text(re.compile(r"photos\s+6 files"), timeout=PATIENCE)
        expect(page.get_by_role("article", name="Health")).to_contain_text("Running.")
        assert watched.faults == []
        context.close()

    assert fresh.counts() == {AssetStatus.ARCHIVED: 6, AssetStatus.DUPLICATE: 1}
    assert len(list(photos.glob("**/*.jpg"))) == len(list((fresh.base / "disk").glob("**/*.jpg"))) == 6
    assert before <= fresh.census()
    assert fresh.run(1).kind is RunKind.PREVIEW
