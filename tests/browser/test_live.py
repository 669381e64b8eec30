"""Parts that renew themselves: nothing jumps, what was opened, typed or chosen stays, hidden tabs ask nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.db import runs
from tests.browser import rows
from tests.browser.conftest import Server
from tests.browser.test_dashboard import OpenPage

pytestmark = pytest.mark.browser

WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map((source) => `${source.node?.nodeName}.${source.node?.className}`);
    window.shifts.push([entry.value, ...moved]);
  }
}).observe({ type: "layout-shift", buffered: false });
"""
FORM = """
<form id="form">
  <input id="typed" name="typed" value="server"><input id="calm" name="calm" value="server">
  <input id="ticked" type="checkbox"><textarea id="text">server</textarea>
  <select id="chosen"><option>one</option><option>two</option></select>
  <details id="opened"><summary>More</summary>words</details>
  <details id="closed" open><summary>Less</summary>words</details>
</form>
"""
STATE = """
['typed', 'calm', 'text', 'chosen'].map((id) => document.getElementById(id).value)
  .concat(document.getElementById('ticked').checked)
  .concat(['opened', 'closed'].map((id) => document.getElementById(id).open))
"""


def test_a_refresh_moves_nothing_and_keeps_place_and_focus(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    _, step = rows.start_run(server.services)
    watched = open_page(server, "/dashboard")
    page = watched.page
    expect(page.locator("#run")).to_contain_text("320 of 1,400")
    page.evaluate(WATCH_SHIFTS)
    page.get_by_role("button", name="Cancel").focus()
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY >= 200")
    place = page.evaluate("scrollY")
    with server.services.db.transaction() as conn:
        runs.progress(conn, step, 700, 1400, 700 * rows.SIZE_BYTES)
    expect(page.locator("#run")).to_contain_text("700 of 1,400", timeout=10_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifts") == []
    assert page.evaluate("scrollY") == place
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    assert watched.faults == []


def test_what_was_typed_ticked_chosen_and_opened_outlives_a_refresh(server: Server, open_page: OpenPage) -> None:
    page = open_page(server, "/tree").page
    page.evaluate("(form) => document.querySelector('main').insertAdjacentHTML('beforeend', form)", FORM)
    page.locator("#typed").fill("mine")
    page.locator("#text").fill("mine")
    page.locator("#ticked").check()
    page.locator("#chosen").select_option("two")
    page.locator("#opened summary").click()
    page.locator("#closed summary").click()
    page.locator("#typed").focus()
    page.locator("#typed").evaluate("field => field.setSelectionRange(2, 2)")
    newer = FORM.replace('value="server"', 'value="newer"').replace(">server<", ">newer<")
    renew(page, newer.replace("<option>one", "<option>zero</option><option>one"))
    assert page.evaluate(STATE) == ["mine", "newer", "mine", "two", True, True, False]
    expect(page.locator("#typed")).to_be_focused()
    assert page.locator("#typed").evaluate("field => field.selectionStart") == 2


def renew(page: Page, html: str) -> None:
    """What HTMX does with the answer of a partial."""
    page.evaluate("(html) => Idiomorph.morph(document.getElementById('form'), html, {morphStyle: 'outerHTML'})", html)


def test_a_hidden_tab_asks_nothing_and_looks_as_soon_as_it_is_seen(server: Server, open_page: OpenPage) -> None:
    rows.fill(server.services)
    rows.start_run(server.services)
    page = open_page(server, "/dashboard").page
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.url) if "/partials/" in request.url else None)
    see(page, hidden=True)
    page.evaluate("htmx.trigger(document.body, 'nothing')")
    page.wait_for_timeout(2_500)
    assert asked == []
    with page.expect_request("**/partials/overview*", timeout=1_500):
        see(page, hidden=False)


def see(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )
