"""The pages in Chromium: alive without a reload, quiet in the console, at home on a phone, closed to other sites."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from app.db import activity, facts, runs
from app.db.clock import later, now
from app.model import Report, RunStatus, StepStatus
from tests.browser import rows
from tests.browser.conftest import Server, Watched

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Watched]


def test_progress_moves_without_a_reload(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    run, step = rows.start_run(server.services)
    watched = open_page(server, "/dashboard")
    page = watched.page
    page.evaluate("window.loaded = 'once'")
    expect(page.locator("#run")).to_contain_text("320 of 1,400")
    with server.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())
        runs.progress(conn, step, 700, 1400, 700 * rows.SIZE_BYTES)
    expect(page.locator("#run")).to_contain_text("700 of 1,400", timeout=10_000)
    expect(page.locator("#run progress")).to_have_attribute("value", "700")
    with server.services.db.transaction() as conn:
        runs.end_step(conn, step, StepStatus.DONE, Report(message="212 duplicates."))
        runs.change(conn, runs.get(conn, run.id), RunStatus.DONE)
    expect(page.locator("#run")).to_contain_text("Nothing is running", timeout=10_000)
    expect(page.get_by_role("button", name="Run everything")).to_be_enabled()
    assert page.evaluate("window.loaded") == "once"
    assert watched.faults == []


def test_everything_can_be_started_paused_and_cancelled_from_the_dashboard(server: Server, open_page: OpenPage) -> None:
    watched = open_page(server, "/dashboard")
    page = watched.page
    expect(page.locator("#run")).to_contain_text("Welcome.")
    page.get_by_role("button", name="Run everything").click()
    expect(page.locator("#notices")).to_contain_text("The whole workflow was started (run 1).")
    expect(page.locator("#run-title")).to_contain_text("queued")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#run-title")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#run-title")).to_contain_text("queued")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-title")).to_contain_text("Nothing is running")
    expect(page.locator("#run")).to_contain_text("cancelled")
    assert watched.faults == []


def test_a_refusal_is_told_in_place(server: Server, open_page: OpenPage) -> None:
    rows.add_syncing_batch(server.services)
    page = open_page(server, "/control").page
    page.get_by_role("button", name="Create batch").click()
    expect(page.locator("#notices")).to_contain_text("Batch batch_001 (id 1) is still SYNCING")
    page.get_by_role("button", name="Scan and dedup").click()
    expect(page.locator("#notices")).to_contain_text("The search for duplicates was started (run 1).")
    page.get_by_role("button", name="Run cleanup").click()
    expect(page.locator("#notices")).to_contain_text("Run 1 is queued")


def test_a_silent_server_is_told_in_place_and_forgotten_when_it_is_back(server: Server, open_page: OpenPage) -> None:
    page = open_page(server, "/dashboard").page
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible(timeout=15_000)
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden(timeout=15_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(server: Server, open_page: OpenPage, width: int, scheme: str) -> None:
    rows.fill(server.services)
    rows.start_run(server.services)
    rows.add_syncing_batch(server.services)
    for path in ("/dashboard", "/control", "/diagnostics"):
        watched = open_page(server, path, width=width, scheme=scheme)
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert watched.faults == []


def test_every_part_can_be_read_on_a_phone(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    page = open_page(server, "/dashboard", width=390).page
    page.locator("#chart-table summary").click()
    parts = page.locator(".entries li, .figures > div, .disk, svg.chart, .tabs a").all()
    assert len(parts) >= 20
    for part in parts:
        box = part.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390, part.inner_text()
    for tab in page.locator(".tabs a").all():
        box = tab.bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= 24


def test_charts_reach_as_far_as_was_chosen_and_stay_so(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    watched = open_page(server, "/dashboard")
    page = watched.page
    expect(page.locator("svg.bars").first).to_have_attribute("viewBox", "0 0 600 100")
    expect(page.locator("svg.bars").first).to_have_attribute("aria-label", re.compile("Seen: 7,457; archived: 5,200"))
    page.get_by_role("link", name="7 days").click()
    expect(page.locator("svg.bars").first).to_have_attribute("viewBox", "0 0 140 100")
    page.locator("#chart-table summary").click()
    expect(page.locator("#chart-table tbody tr")).to_have_count(1)
    with server.services.db.transaction() as conn:
        conn.exec_driver_sql(activity.ADD, (activity.slot_of(later(-86_400)), "seen", 11, 11_000))
    expect(page.locator("#chart-table tbody tr")).to_have_count(2, timeout=10_000)
    expect(page.locator("#chart-table")).to_have_attribute("open", "")
    expect(page.locator("svg.bars").first).to_have_attribute("viewBox", "0 0 140 100")
    assert watched.faults == []


def test_a_notice_can_be_closed_and_one_of_success_goes_by_itself(server: Server, open_page: OpenPage) -> None:
    page = open_page(server, "/control").page
    page.get_by_role("button", name="Run cleanup").click()
    expect(page.locator("#notices .notice")).to_have_count(1)
    page.get_by_role("button", name="Close this notice").click()
    expect(page.locator("#notices .notice")).to_have_count(0)
    page.get_by_role("button", name="Set up folders").click()
    expect(page.locator("#notices .info")).to_have_count(1)
    expect(page.locator("#notices .notice")).to_have_count(0, timeout=15_000)


def test_instants_carry_their_exact_value(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    times = open_page(server, "/dashboard").page.locator("main time")
    assert times.count() >= 3
    for time in times.all():
        assert time.get_attribute("title") == time.get_attribute("datetime")
        assert "T" not in time.inner_text() and "+00:00" not in time.inner_text()


def test_the_api_page_shows_every_route_offline(server: Server, open_page: OpenPage) -> None:
    watched = open_page(server, "/docs")
    expect(watched.page.locator(".opblock").first).to_be_visible(timeout=15_000)
    assert watched.page.locator(".opblock").count() >= 30
    assert watched.faults == []


def test_the_pages_work_without_scripts_and_styles(server: Server, browser) -> None:  # type: ignore[no-untyped-def]
    context = browser.new_context(java_script_enabled=False)
    page: Page = context.new_page()
    page.route("**/vendor/**", lambda route: route.abort())
    page.goto(server.url + "/dashboard")
    page.get_by_role("button", name="Run everything").click()
    assert page.url == server.url + "/dashboard"
    expect(page.locator("#run-title")).to_contain_text("queued")
    context.close()


def test_a_key_is_asked_for_once(start_server: Callable[..., Server], browser) -> None:  # type: ignore[no-untyped-def]
    server = start_server(auth={"api_key": "a-key-for-tests-0123456789"})
    context = browser.new_context()
    page: Page = context.new_page()
    page.goto(server.url + "/control")
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("That key is not right.")).to_be_visible()
    page.get_by_label("API key").fill("a-key-for-tests-0123456789")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Control")).to_be_visible()
    page.get_by_role("button", name="Run everything").click()
    expect(page.locator("#notices")).to_contain_text("started (run 1)")
    page.locator("#menu > summary").click()
    page.get_by_role("button", name="Log out").click()
    page.goto(server.url + "/dashboard")
    expect(page.get_by_label("API key")).to_be_visible()
    context.close()


@pytest.fixture
def other_site() -> Iterator[Callable[[str], str]]:
    """`other_site(html)`: the address of a page on another origin."""
    pages: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=service.serve_forever, daemon=True).start()

    def put(html: str) -> str:
        pages["/attack"] = html.encode()
        return f"http://localhost:{service.server_port}/attack"

    yield put
    service.shutdown()
    service.server_close()


ATTACKS = {
    "form": '<form method=post action="{url}"></form><script>document.forms[0].submit()</script>',
    "fetch": "<script>fetch('{url}', {{method: 'POST', mode: 'no-cors'}})</script>",
    "beacon": "<script>navigator.sendBeacon('{url}', 'x')</script>",
    "sandbox": "<iframe sandbox='allow-scripts allow-forms' srcdoc=\"<form method=post action='{url}'></form>"
    '<script>document.forms[0].submit()</script>"></iframe>',
    "image": '<img src="{url}">',
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_of_another_site_cannot_start_a_run(
    server: Server, other_site: Callable[[str], str], browser, attack: str
) -> None:  # type: ignore[no-untyped-def]
    target = server.url + "/api/workflow/run"
    context = browser.new_context()
    page: Page = context.new_page()
    page.goto(other_site(ATTACKS[attack].format(url=target)))
    method, status = ("GET", 405) if attack == "image" else ("POST", 403)
    assert f'" {status} ' in server.wait_for_request(f"{method} /api/workflow/run")
    context.close()
    with server.services.db.reading() as conn:
        assert runs.list_recent(conn) == []


def test_a_page_that_rebinds_its_name_to_us_gets_nothing(server: Server, browser) -> None:  # type: ignore[no-untyped-def]
    rebound = browser.browser_type.launch(
        executable_path="/usr/bin/chromium", args=["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    )
    page = rebound.new_page()
    answer = page.goto(f"http://evil.example:{server.port}/api/config")
    assert answer is not None
    assert answer.status == 421
    rebound.close()
