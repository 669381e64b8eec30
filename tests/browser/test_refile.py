"""Filing the archive anew, by the buttons of the pages, over a real worker and real files: planned, moved, taken back,
and after a date was decided."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.model import Run, RunKind, RunStatus
from tests.browser.conftest import Watched
from tests.browser.test_control import PATIENCE, archived, press, started, url_of
from tests.conftest import make_jpeg, write_tree
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

pytestmark = pytest.mark.browser

DATED = {f"{n}.jpg": make_jpeg(f"2024:05:0{n} 10:00:00", seed=n) for n in (1, 2)}


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two photos with a date and one without, in the archive, a server and a worker."""
    base = tmp_path_factory.mktemp("refile")
    with Installation(base, system=on_loopback(), sync={"target": "none"}, scan={"settle_seconds": 0}) as made:
        write_tree(made.folder("ingest"), {**DATED, "undated.jpg": make_jpeg(seed=9)})
        made.start_worker()
        with WebServer(made):
            yield made


@pytest.fixture
def watched(site: Installation, browser: Browser) -> Iterator[Watched]:
    """A tab that agrees to whatever it is asked, and everything that went wrong in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    found = Watched(context.new_page(), url_of(site))
    found.page.set_default_timeout(PATIENCE)
    found.page.on("dialog", lambda dialog: dialog.accept())
    yield found
    assert found.faults == []
    context.close()


def places(site: Installation) -> list[str]:
    """Where each photo lies in the archive."""
    archive = site.folder("archive")
    found = [path.relative_to(archive) for path in archive.rglob("*.jpg") if ".media-pipeline" not in path.parts]
    return sorted(map(str, found))


def open_run(page: Page, site: Installation, run: Run) -> None:
    page.goto(f"{url_of(site)}/runs/{run.id}")


def test_every_button_that_files_anew_does_so_and_is_taken_back(site: Installation, watched: Watched) -> None:
    page, url = watched.page, url_of(site)
    page.goto(f"{url}/control")
    started(page, site, "Run everything")
    assert archived(site) == ["1.jpg", "2.jpg", "undated.jpg"]
    before = places(site)
    assert before[:2] == ["2024/05/01/1.jpg", "2024/05/02/2.jpg"]
    assert page.request.put(f"{url}/api/config", data={"sorter": {"folder_pattern": "{year}"}}).ok

    plan = started(page, site, "Plan filing anew")
    open_run(page, site, plan)
    expect(page.get_by_role("heading", name="What would move")).to_be_visible()
    assert places(site) == before
    moved = started(page, site, "Move them")
    flat = places(site)
    assert flat[:2] == ["2024/1.jpg", "2024/2.jpg"]
    open_run(page, site, moved)
    expect(page.get_by_role("heading", name="What moved")).to_be_visible()
    started(page, site, "Take it back")
    assert places(site) == before

    open_run(page, site, plan := started_on_control(page, site))
    moved = started(page, site, "Move them")
    answer = page.request.post(f"{url}/api/refile/{moved.id}/undo", data={"dry_run": True}).json()
    open_run(page, site, site.ended(answer["run_id"]))
    started(page, site, "Take it back")
    assert places(site) == before
    assert plan.kind is RunKind.REFILE


def started_on_control(page: Page, site: Installation) -> Run:
    page.goto(f"{url_of(site)}/control")
    return started(page, site, "Plan filing anew")


def test_after_a_date_was_decided_the_file_is_filed_anew_from_there(site: Installation, watched: Watched) -> None:
    page, url = watched.page, url_of(site)
    page.goto(f"{url}/control")
    started(page, site, "Run everything")
    page.goto(f"{url}/dates")
    page.get_by_label(re.compile("undated.jpg$")).check()
    page.get_by_label("They were taken on").check()
    page.get_by_label("Date", exact=True).fill("1985-06-01")
    press(page, "Show what changes")
    press(page, "Set the date of 1 file")
    expect(page.get_by_text("1 file has the date that was decided")).to_be_visible()
    press(page, "File them anew")
    notice = page.locator("#notices .notice").filter(has_text=re.compile(r"\(run ([0-9]+)\)"))
    number = re.search(r"run ([0-9]+)", notice.inner_text())
    assert number is not None and site.ended(int(number[1])).status is RunStatus.DONE
    assert places(site)[0] == "1985/06/01/undated.jpg"
