"""Whoever acts by keyboard stays where they acted, whatever becomes of the button that was pressed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from app.model import FindingKind
from tests.browser.conftest import Server
from tests.browser.pages import add_findings
from tests.browser.rows import fill, start_run
from tests.browser.test_dashboard import OpenPage

pytestmark = pytest.mark.browser
#: HTMX settles a part after 20 ms, and Chromium takes the focus from what is disabled as it draws.
UNTIL_DRAWN = "new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).focus()
    page.keyboard.press("Enter")


def look_anew(page: Page, part: str) -> None:
    with page.expect_response(lambda answer: part in answer.url):
        page.evaluate("htmx.trigger(document.body, 'refresh')")


def test_a_button_that_is_disabled_gives_the_focus_to_the_heading_of_its_card(
    server: Server, open_page: OpenPage
) -> None:
    watched = open_page(server, "/control")
    page = watched.page
    press(page, "Run everything")
    expect(page.get_by_role("button", name="Run everything")).to_be_disabled()
    expect(page.locator("#all-title")).to_be_focused()
    look_anew(page, "/partials/control")
    expect(page.locator("#all-title")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_count(1)
    assert watched.faults == []


def test_a_button_that_is_gone_gives_the_focus_to_what_is_left_of_its_page(
    server: Server, open_page: OpenPage
) -> None:
    fill(server.services)
    run, _ = start_run(server.services)
    with server.services.db.transaction() as conn:
        add_findings(conn, server.services)
        conn.exec_driver_sql("DELETE FROM findings WHERE kind <> 'foreign'")
        conn.exec_driver_sql("UPDATE findings SET kind = 'ignored'")
        conn.exec_driver_sql("UPDATE runs SET status = 'done' WHERE id = ?", (run.id,))
    page = open_page(server, f"/findings?kind={FindingKind.IGNORED}").page
    press(page, "Report it again")
    expect(page.get_by_text("No file is ignored.")).to_be_visible()
    expect(page.locator("#last-title")).to_be_focused()


def test_who_has_gone_on_is_not_fetched_back(server: Server, open_page: OpenPage) -> None:
    page = open_page(server, "/control").page
    press(page, "Run everything")
    expect(page.locator("#all-title")).to_be_focused()
    page.get_by_role("link", name="All batches").focus()
    look_anew(page, "/partials/control")
    expect(page.get_by_role("link", name="All batches")).to_be_focused()


def test_a_slow_answer_keeps_its_button_from_a_second_press_and_the_focus_for_it(
    server: Server, open_page: OpenPage
) -> None:
    page = open_page(server, "/control").page
    button = page.get_by_role("button", name="Refresh sync progress")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/sync/refresh", hold)
    press(page, "Refresh sync progress")
    expect(button).to_be_disabled()
    start_run(server.services)
    look_anew(page, "/partials/control")
    expect(page.locator("#run-title")).to_contain_text("running")
    page.evaluate(UNTIL_DRAWN)
    expect(button).to_be_disabled()
    page.evaluate("htmx.trigger(document.body, 'htmx:afterSettle')")
    page.evaluate(UNTIL_DRAWN)
    held[0].continue_()
    expect(button).to_be_enabled()
    expect(button).to_be_focused()
    assert len(held) == 1
