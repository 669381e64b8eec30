"""Every button of the pages Control, Preview, Runs and Batches, pressed in a real browser over a real worker and real
files, with what it did to rows and trees."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.backup.shelf import list_backups
from app.db import batches, runs
from app.model import AssetStatus, BatchStatus, Run, RunKind, RunStatus, Stage, Trigger
from tests.browser.conftest import Watched
from tests.conftest import make_jpeg, write_tree
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

pytestmark = pytest.mark.browser

PATIENCE = 30_000
STARTED = re.compile(r"\(run ([0-9]+)\)")


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Photos that nobody has looked at yet, a mounted folder to deliver to, a server and a worker."""
    base = tmp_path_factory.mktemp("control")
    folder = {"target": "folder", "folder_dir": str(base / "disk")}
    with Installation(base, system=on_loopback(), sync=folder, scan={"settle_seconds": 0}) as made:
        made.fill_ingest(4, duplicates=1)
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


def url_of(site: Installation) -> str:
    return f"http://127.0.0.1:{site.services.config.system.port_api}"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def started(page: Page, site: Installation, name: str) -> Run:
    """The run that a button starts, once it has ended well."""
    press(page, name)
    notice = page.locator("#notices .notice").filter(has_text=STARTED)
    found = STARTED.search(notice.inner_text())
    assert found is not None
    page.get_by_role("button", name="Close this notice").click()
    run = site.ended(int(found[1]))
    assert run.status is RunStatus.DONE, site.output()
    return run


def archived(site: Installation) -> list[str]:
    folder = site.folder("archive")
    return sorted(path.name for path in folder.rglob("*.jpg") if ".media-pipeline" not in path.parts)


def test_a_first_run_is_previewed_then_done_stage_by_stage_and_its_batch_taken_back(
    site: Installation, watched: Watched
) -> None:
    page, before = watched.page, site.census()
    site.start_worker()
    page.goto(url_of(site) + "/control")
    expect(page.get_by_text("No run has moved a file yet.")).to_be_visible()
    press(page, "Preview first")
    started(page, site, "Start a preview")
    expect(page.get_by_text("up to date")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".outcomes > li:not(.folder-head)")).to_have_count(4)
    expect(page.locator(".outcomes")).to_contain_text("EXIF")
    page.get_by_role("link", name="Duplicates", exact=True).last.click()
    expect(page.locator(".outcomes")).to_contain_text("repeats")
    assert site.census() == before and archived(site) == []

    page.goto(url_of(site) + "/control")
    started(page, site, "Scan and dedup")
    expect(page.locator("#live")).to_contain_text("1 duplicate", timeout=PATIENCE)
    started(page, site, "Create batch")
    expect(page.locator("#batch-to-sync")).to_contain_text("4 files", timeout=PATIENCE)
    started(page, site, "Sync")
    expect(page.locator("#batch-to-sort")).to_contain_text("synced", timeout=PATIENCE)
    page.get_by_role("button", name="Refresh sync progress").press("Enter")
    expect(page.locator("#notices .notice")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh sync progress")).to_be_focused()
    page.get_by_role("button", name="Close this notice").click()
    started(page, site, "Sort")
    assert len(archived(site)) == 4 and site.counts()[AssetStatus.ARCHIVED] == 4
    started(page, site, "Run cleanup")

    page.get_by_role("link", name="All batches").click()
    page.get_by_role("link", name="batch_001").click()
    expect(page.locator("#files-title ~ *, .table tbody tr")).not_to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the list").click()
    assert "batch" in download.value.suggested_filename
    expect(page.locator("#live")).to_contain_text("sha256sum --check")
    press(page, "Take it back…")
    expect(page.get_by_text("4 files go back to where they came from")).to_be_visible()
    assert len(archived(site)) == 4
    started(page, site, "Take it back now")
    assert archived(site) == [] and site.counts()[AssetStatus.SET_ASIDE] == 4
    expect(page.locator("#story-title")).to_contain_text("cancelled", timeout=PATIENCE)
    press(page, "Take its files in again")
    expect(page.locator("#notices")).to_contain_text("4 files are taken in by the next run")
    assert site.counts()[AssetStatus.DISCOVERED] == 4

    page.goto(url_of(site) + "/control")
    run = started(page, site, "Run everything")
    assert len(archived(site)) == 4
    page.goto(f"{url_of(site)}/runs/{run.id}")
    expect(page.locator("#steps-title")).to_be_visible()
    page.locator("#log-lines summary").click()
    expect(page.locator("#log-lines")).not_to_contain_text("Reading…")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_label("Kind").select_option("preview")
    press(page, "Show")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_what_checks_and_repairs_does_so_and_says_what_it_found(site: Installation, watched: Watched) -> None:
    page = watched.page
    site.start_worker()
    page.goto(url_of(site) + "/control")
    started(page, site, "Run everything")
    press(page, "Look for faults")
    expect(page.locator("#diagnosed")).to_contain_text("ok")
    press(page, "Run the doctor")
    expect(page.locator("#examined")).to_contain_text("Database")
    press(page, "Back up now")
    expect(page.locator("#notices")).to_contain_text("was made")
    assert len(list_backups(site.services)) == 1
    press(page, "Set up folders")
    assert started(page, site, "Verify files").kind is RunKind.VERIFY
    plan = started(page, site, "Plan filing anew")
    page.goto(f"{url_of(site)}/runs/{plan.id}")
    expect(page.locator("#refile-title")).to_have_text("What would move")
    page.goto(url_of(site) + "/control")
    press(page, "Repair")
    site.until(lambda: newest(site).status is RunStatus.DONE, "the cleanup of the repair ends")
    page.get_by_role("button", name="Close this notice").last.click()
    compared = started(page, site, "Compare rows and disk")
    page.goto(f"{url_of(site)}/runs/{compared.id}")
    press(page, "Confirm: files may move again")
    expect(page.locator("#notices")).to_contain_text("Files may move again.")
    page.goto(url_of(site) + "/control")
    assert started(page, site, "Run everything").status is RunStatus.DONE


def test_runs_and_batches_are_steered_by_keyboard_alone_while_no_worker_lives(
    site: Installation, watched: Watched
) -> None:
    page = watched.page
    page.goto(url_of(site) + "/control")
    enter(page, "Run everything")
    expect(page.locator("#run-title")).to_contain_text("queued")
    expect(page.locator("main")).to_contain_text("Run 1 waits, because no worker is running")
    enter(page, "Create batch")
    expect(page.locator("#notices")).to_contain_text("Run 1 is queued")
    for button, status in (("Pause", "paused"), ("Resume", "queued"), ("Cancel", "cancelled")):
        enter(page, button)
        expect(page.locator("#run-title")).to_contain_text(status)
    enter(page, "Create batch")
    expect(page.locator("#batch-to-sync")).to_contain_text("batch_001")
    page.goto(url_of(site) + "/runs")
    page.get_by_role("link", name="Run 2").press("Enter")
    enter(page, "Cancel")
    expect(page.locator("#run-title")).to_contain_text("cancelled")
    with site.services.db.transaction() as conn:
        stopped = runs.insert_queued(conn, RunKind.STAGE, Trigger.API, (Stage.SCAN,))
        runs.change(conn, stopped, RunStatus.FAILED, error="The disk was full.")
        batch = batches.reserve(conn, naming_pattern="trip_{index:03d}", allow_parallel=True, target="folder",
                                transfer_mode="move", peer_policy="keep", device_id=None)  # fmt: skip
        batches.change(conn, batch, BatchStatus.ERROR, error="The folder was away.", error_from="PENDING")
    page.goto(f"{url_of(site)}/runs/{stopped.id}")
    expect(page.locator("#live")).to_contain_text("The disk was full.")
    enter(page, "Retry run")
    expect(page.locator("#run-title")).to_contain_text("queued")
    enter(page, "Cancel")
    expect(page.locator("#run-title")).to_contain_text("cancelled")
    page.goto(url_of(site) + "/control")
    expect(page.locator("#batch-to-retry")).to_contain_text(batch.name)
    enter(page, "Retry batch")
    expect(page.locator("#notices")).to_contain_text("is tried again")
    assert newest(site).batch_id == batch.id
    enter(page, "Cancel")
    expect(page.locator("#run-title")).to_contain_text("cancelled")
    page.goto(f"{url_of(site)}/batches/{batch.id}")
    enter(page, "Cancel batch")
    expect(page.locator("#story-title")).to_contain_text("cancelled")


def test_what_is_chosen_stays_while_the_page_renews_itself(site: Installation, watched: Watched) -> None:
    page = watched.page
    with site.services.db.transaction() as conn:
        for _ in range(2):
            batches.reserve(conn, naming_pattern="trip_{index:03d}", allow_parallel=True, target="folder",
                            transfer_mode="move", peer_policy="keep", device_id=None)  # fmt: skip
    page.goto(url_of(site) + "/control")
    page.locator("#batch-to-sync").select_option("2")
    write_tree(site.folder("ingest"), {"new/a.jpg": make_jpeg(seed=77)})
    press(page, "Scan and dedup")
    expect(page.locator("#run-title")).to_contain_text("queued")
    expect(page.locator("#batch-to-sync")).to_have_value("2")
    press(page, "Cancel")
    expect(page.locator("#run-title")).to_contain_text("cancelled")
    press(page, "Sync")
    expect(page.locator("#notices")).to_contain_text("trip_002")
    assert newest(site).batch_id == 2


def enter(page: Page, name: str) -> None:
    """Press a button by the keyboard: it takes the focus, then Enter."""
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


def newest(site: Installation) -> Run:
    with site.services.db.reading() as conn:
        return runs.list_recent(conn, 1)[0]
