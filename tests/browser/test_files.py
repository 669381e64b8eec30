"""The pages of files in a real browser, over a real worker and real files: pictures appear, lists renew themselves,
filters outlive a way there and back, and what failed is tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app import jobs
from app.model import AssetStatus, RunStatus, Trigger
from tests.browser.conftest import Watched
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import change, rows, run_scan
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

pytestmark = pytest.mark.browser

#: How many pictures on the page are drawn, and no placeholders.
DRAWN = "[...document.querySelectorAll('img[data-thumbnail]')].filter((image) => image.naturalWidth > 24).length"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Photos in the archive, one of them twice, and a worker that waits for work."""
    base = tmp_path_factory.mktemp("files")
    with Installation(base, system=on_loopback(), sync={"target": "none"}, scan={"settle_seconds": 0}) as site:
        photos = {f"cam/IMG_{n}.jpg": make_jpeg(f"2024:0{n}:06 07:08:09", n, (320, 240)) for n in range(1, 6)}
        write_tree(site.folder("ingest"), {**photos, "phone/again.jpg": photos["cam/IMG_1.jpg"]})
        worker = site.start_worker()
        assert site.ended(jobs.start_workflow(site.services, Trigger.API).id).status is RunStatus.DONE, site.output()
        with WebServer(site):
            yield site
        site.terminate(worker)


@pytest.fixture
def watched(site: Installation, browser: Browser) -> Iterator[Watched]:
    """A tab, and everything that went wrong in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    found = Watched(context.new_page(), url_of(site))
    yield found
    assert found.faults == []
    context.close()


def url_of(site: Installation) -> str:
    return f"http://127.0.0.1:{site.services.config.system.port_api}"


def open_on(page: Page, site: Installation, address: str) -> Page:
    page.goto(url_of(site) + address)
    return page


def drawn_on(page: Page) -> int:
    """How many pictures are there; the page goes on meanwhile."""
    page.wait_for_timeout(50)
    return int(page.evaluate(DRAWN))


def test_pictures_appear_as_they_are_drawn_and_a_filter_outlives_the_way_to_a_file_and_back(
    site: Installation, watched: Watched
) -> None:
    page = open_on(watched.page, site, "/files?view=grid")
    site.until(lambda: drawn_on(page) == 6, "every picture is drawn")
    page.get_by_text("Status, camera, folder, batch, order").click()
    page.get_by_label("archived").check()
    page.get_by_label("Name begins with").fill("IMG_")
    page.get_by_label("Name begins with").press("Enter")
    expect(page.locator(".thumbs > li")).to_have_count(5)
    site.until(lambda: drawn_on(page) == 5, "every picture is shown")
    page.get_by_role("link", name="List").click()
    page.get_by_role("link", name="IMG_3.jpg").click()
    expect(page.locator("h1")).to_have_text("IMG_3.jpg")
    expect(page.locator("#places-title + *, .roots").first).to_contain_text("2024/03/06/IMG_3.jpg")
    expect(page.locator("#moves-table tbody tr")).to_have_count(2)
    page.go_back()
    expect(page.get_by_label("Name begins with")).to_have_value("IMG_")
    expect(page.get_by_label("archived")).to_be_checked()
    expect(page.locator(".files > li")).to_have_count(5)


def test_a_list_shows_what_comes_without_a_reload_and_keeps_what_was_typed(
    site: Installation, watched: Watched
) -> None:
    page = open_on(watched.page, site, "/files?folder=new")
    expect(page.get_by_text("No file fits.")).to_be_visible()
    page.get_by_label("Name begins with").fill("half a na")
    write_tree(site.folder("ingest"), {"new/a.jpg": make_jpeg(seed=77)})
    run_scan(site.services)
    expect(page.get_by_role("link", name="a.jpg")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("Name begins with")).to_have_value("half a na")


def test_an_original_lies_beside_its_duplicate_and_a_failed_file_that_is_ticked_is_tried_again(
    site: Installation, watched: Watched
) -> None:
    page = open_on(watched.page, site, "/duplicates")
    expect(page.get_by_role("region", name="The original")).to_contain_text("IMG_1.jpg")
    expect(page.get_by_role("region", name="Its duplicates")).to_contain_text("again.jpg")
    write_tree(site.folder("ingest"), {"bad/b.jpg": make_jpeg(seed=78)})
    run_scan(site.services)
    change(site.services, rows(site.services)[b"bad/b.jpg"], AssetStatus.FAILED, reason="Could not read it.")
    open_on(page, site, "/failed")
    page.get_by_label("Retry b.jpg").check()
    expect(page.locator("[data-ticked]")).to_have_text("(1)")
    page.get_by_role("button", name="Retry those ticked").click()
    expect(page.locator("#notices")).to_contain_text("1 file will be taken up again by the next run")
    expect(page.get_by_text("No file has failed.")).to_be_visible(timeout=15_000)
    assert rows(site.services)[b"bad/b.jpg"].status is AssetStatus.DISCOVERED
