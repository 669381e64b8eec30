"""The pages Dates and Tree in Chromium: decided with mouse, keyboard and without scripts, readable on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from app.db.doubtful_dates import DateFilter
from tests.browser.conftest import Server, Watched
from tests.browser.doubts import doubtful, fill_dates

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Watched]

PATHS = ("/dates", "/dates?camera=Pixel+7", "/dates?camera=none+such", "/dates/decided", "/tree", "/why?file=1",
         "/dates/preview?action=set&date=1985-06-01&asset=1&asset=2")  # fmt: skip
#: What every page must have, as tools that check for accessibility ask for it.
FAULTS = """() => {
  const faults = [], seen = new Set();
  const isShown = (element) => element.checkVisibility({visibilityProperty: true});
  for (const element of document.querySelectorAll("[id]")) {
    if (seen.has(element.id)) faults.push("twice the id " + element.id);
    seen.add(element.id);
  }
  for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const name of ["aria-labelledby", "aria-describedby"])
      for (const id of (element.getAttribute(name) || "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) faults.push(`${name} of nothing: ${id}`);
  for (const field of document.querySelectorAll("input:not([type=hidden]), select"))
    if (isShown(field) && !field.labels.length && !field.ariaLabel) faults.push("no label: " + field.outerHTML);
  for (const control of document.querySelectorAll("a[href], button"))
    if (isShown(control) && !(control.ariaLabel || control.innerText || control.title).trim())
      faults.push("no name: " + control.outerHTML);
  const levels = [...document.querySelectorAll("h1, h2, h3")].filter(isShown).map((one) => +one.localName[1]);
  if (levels.filter((level) => level === 1).length !== 1 || levels[0] !== 1) faults.push("headings: " + levels);
  levels.reduce((before, level) => { if (level > before + 1) faults.push("a level is left out"); return level; }, 1);
  for (const cell of document.querySelectorAll("th")) if (!cell.scope) faults.push("no scope: " + cell.innerText);
  if (!document.documentElement.lang || !document.title) faults.push("no language or title");
  return faults;
}"""


@pytest.fixture
def filled(start_server: Callable[..., Server]) -> Server:
    server = start_server(sync={"target": "none"})
    fill_dates(server.services)
    return server


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_pages_fit_and_can_be_used_by_everybody(filled: Server, open_page: OpenPage, width: int, scheme: str) -> None:
    for path in PATHS:
        watched = open_page(filled, path, width=width, scheme=scheme)
        if path == "/tree":
            expect(watched.page.locator("#tree-title")).to_be_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert watched.page.evaluate(FAULTS) == [], path
        assert watched.faults == []


def test_ticked_files_get_a_date_after_a_look_at_what_changes(filled: Server, open_page: OpenPage) -> None:
    watched = open_page(filled, "/dates")
    page = watched.page
    page.get_by_label("camera/IMG_0001.jpg", exact=True).check()
    page.get_by_label("camera/IMG_0004.jpg", exact=True).check()
    expect(page.locator("[data-ticked]")).to_have_text("(2)")
    page.get_by_label("They were taken on").check()
    page.get_by_label("Date", exact=True).fill("1985-06-01")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("#preview-title")).to_have_text("2 files would have the date that was decided.")
    expect(page.locator("#preview-title")).to_be_focused()
    expect(page.locator("#preview tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Leave it as it is").click()
    expect(page.locator("#preview tbody tr")).to_have_count(0)
    expect(page.locator("[data-ticked]")).to_have_text("(2)")
    assert doubtful(filled.services, DateFilter()) == 120
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_role("button", name="Set the date of 2 files").click()
    expect(page.get_by_text("2 files have the date that was decided.")).to_be_visible()
    expect(page.get_by_label("camera/IMG_0001.jpg", exact=True)).to_have_count(0)
    assert doubtful(filled.services, DateFilter()) == 118
    assert watched.faults == []


def test_all_of_a_camera_are_shifted_then_taken_back(filled: Server, open_page: OpenPage) -> None:
    watched = open_page(filled, "/dates")
    page = watched.page
    page.get_by_role("link", name="Pixel 7").click()
    page.get_by_label("all doubtful dates of camera Pixel 7").check()
    page.get_by_label("The camera's clock was wrong").check()
    page.get_by_label("Shift the dates").select_option("earlier, by")
    page.get_by_label("Hours").fill("24")
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_role("button", name="Shift the date of 40 files").click()
    expect(page.get_by_text("40 files have the date that was decided")).to_be_visible()
    page.get_by_role("link", name="What was decided").click()
    expect(page.locator("tbody tr").first).to_contain_text("shifted by hours -24:00")
    page.get_by_role("button", name=re.compile("Take back the decision")).first.click()
    page.get_by_role("button", name="Take back what was decided about 40 files").click()
    expect(page.get_by_text("40 files got the date back that they tell by themselves")).to_be_visible()
    assert doubtful(filled.services, DateFilter(camera="Pixel 7")) == 40
    assert watched.faults == []


def test_a_date_is_decided_with_the_keyboard_alone(filled: Server, open_page: OpenPage) -> None:
    page = open_page(filled, "/dates?camera=Canon+EOS+R6").page
    _tab_to(page, "asset")
    page.keyboard.press("Space")
    _tab_to(page, "action")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("06011985")
    page.keyboard.press("Enter")
    expect(page.locator("#preview-title")).to_be_focused()
    _tab_to(page, "", "Set the date of 1 file")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 file has the date that was decided.")).to_be_visible()
    assert doubtful(filled.services, DateFilter(camera="Canon EOS R6")) == 39


def test_one_box_ticks_the_whole_page_and_a_phone_is_led_to_the_form(filled: Server, open_page: OpenPage) -> None:
    page = open_page(filled, "/dates", width=390).page
    jump = page.get_by_role("button", name=re.compile("^Decide"))
    expect(jump).to_have_text("Decide")
    expect(jump).to_be_in_viewport()
    page.get_by_label("All on this page").check()
    expect(page.locator(".picks input:checked")).to_have_count(50)
    expect(jump).to_have_text("Decide about 50 files")
    jump.click()
    expect(page.get_by_role("heading", name="Decide")).to_be_in_viewport()
    expect(jump).to_be_hidden()


def test_a_fault_is_told_in_place_and_what_was_ticked_stays(filled: Server, open_page: OpenPage) -> None:
    page = open_page(filled, "/dates").page
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("#notices")).to_contain_text("No file is ticked.")
    page.get_by_label("camera/IMG_0001.jpg", exact=True).check()
    page.get_by_label("They were taken in the time zone").check()
    page.get_by_label("Place, or offset from UTC").fill("Moon")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("#notices")).to_contain_text("'Moon' is no time zone")
    expect(page.get_by_label("camera/IMG_0001.jpg", exact=True)).to_be_checked()


def test_everything_works_without_scripts(filled: Server, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(filled.url + "/dates")
    page.get_by_label("camera/IMG_0001.jpg", exact=True).check()
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_role("button", name="Accept the date of 1 file").click()
    expect(page.get_by_text("1 file has the date that was decided.")).to_be_visible()
    page.goto(filled.url + "/tree")
    page.get_by_role("button", name="Show the tree").click()
    expect(page.get_by_role("rowheader", name="2021/07")).to_be_visible()
    context.close()


def test_the_tree_of_another_pattern_is_shown_and_a_fault_told_with_its_place(
    filled: Server, open_page: OpenPage
) -> None:
    watched = open_page(filled, "/tree")
    page = watched.page
    expect(page.get_by_role("rowheader", name="2021/07")).to_be_visible()
    page.get_by_role("textbox", name="Folders").fill("{year} {month_name}")
    page.get_by_label("Language of months").fill("de")
    page.get_by_role("button", name="Show the tree").click()
    expect(page.get_by_role("rowheader", name="2021 Juli")).to_be_visible()
    expect(page.locator("#tree")).to_contain_text("40 archived files lie in another folder now.")
    page.get_by_role("textbox", name="Folders").fill("{year}/{moth}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at character 8: {moth} cannot be used here")
    assert watched.faults == []


def test_the_dashboard_leads_to_the_doubtful_dates(filled: Server, open_page: OpenPage) -> None:
    page = open_page(filled, "/dashboard").page
    page.get_by_role("link", name="120 dates are doubtful").click()
    expect(page.get_by_role("heading", name="Dates", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Dates")).to_have_attribute("aria-current", "page")


def _tab_to(page: Page, name: str, text: str = "") -> None:
    """Press Tab until a field of this name, or what says this, has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.name || '', document.activeElement.innerText || '']")
        if focused[1] == text if text else focused[0] == name:
            return
    raise AssertionError(f"no way by keyboard to {name or text}")
