"""With a key: the page asks for it once, and when the session ends it asks in place and loses nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.db import journal
from tests.browser.conftest import Server, Watched
from tests.web.conftest import KEY

pytestmark = pytest.mark.browser
#: What happens every five seconds anyway.
LOOK = "htmx.trigger(document.body, 'refresh')"


def test_a_person_logs_in_once_and_goes_on_where_the_session_ended(
    start_server: Callable[..., Server], open_page: Callable[..., Watched]
) -> None:
    server = start_server(auth={"api_key": KEY})
    page = open_page(server, "/journal?kind=run.").page
    page.get_by_label("API key").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That key is not right.")).to_be_visible()
    page.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    page.wait_for_url("**/journal?kind=run.")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"]) == (True, "Lax", False)
    assert KEY not in str(cookie["value"])

    page.get_by_label("With the words").fill("what I was typing")
    page.context.clear_cookies()
    page.evaluate(LOOK)
    again = page.locator("#log-in-again")
    expect(again).to_contain_text("You are not logged in any more.", timeout=15_000)
    again.get_by_label("API key").type("wro")
    with page.expect_response(lambda answer: "/partials/journal" in answer.url and answer.status == 401):
        page.evaluate(LOOK)
    expect(again.get_by_label("API key")).to_have_value("wro")
    again.get_by_label("API key").type("ng\n")
    expect(again).to_contain_text("That key is not right.")
    again.get_by_label("API key").fill(KEY)
    again.get_by_role("button", name="Log in").click()
    expect(page.locator("#notices")).to_contain_text("You are logged in again.")
    with server.services.db.transaction() as conn:
        journal.record(conn, "run.finished", "Something has happened since.")
    page.evaluate(LOOK)
    expect(page.locator("#live")).to_contain_text("Something has happened since.", timeout=15_000)
    expect(page.get_by_label("With the words")).to_have_value("what I was typing")

    page.locator("#menu summary").click()
    expect(page.locator("#menu")).to_contain_text("Logged in with the key")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    page.goto(server.url + "/logs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
