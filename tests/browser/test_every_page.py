"""What holds for every page: people with assistive technology can use it, nothing is asked of another host, the console
stays quiet, a phone shows it whole, and a keyboard reaches everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import HOME, Server, Watched
from tests.browser.pages import PAGES, Listed, fill_all

pytestmark = pytest.mark.browser

AXE = HOME / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
#: How many elements of a page take the focus.
CONTROLS = """
[...document.querySelectorAll('a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex="0"]')]
  .filter((element) => element.checkVisibility() && !element.disabled).length
"""
#: The place of the element that has the focus, and how it shows that.
FOCUSED = """
((element) => element === document.body ? "" :
  `${[...document.querySelectorAll("*")].indexOf(element)} ${getComputedStyle(element).outlineStyle}`
)(document.activeElement)
"""
#: Swagger UI is not ours, and it has a main landmark of its own.
SPARED, SPARED_FAULTS = ".swagger-sheet", ("landmark-no-duplicate-main: ['#main']",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with something to show on every page."""
    server = Server(tmp_path_factory.mktemp("every-page"))
    fill_all(server.services)
    server.wait()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def watched(server: Server, browser: Browser) -> Iterator[Watched]:
    """One tab that visits page after page."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    yield Watched(context.new_page(), server.url)
    context.close()


def open_listed(server: Server, watched: Watched, listed: Listed) -> Page:
    watched.faults.clear()
    watched.page.set_viewport_size(DESK)  # type: ignore[arg-type]
    watched.page.emulate_media(color_scheme="light")
    watched.page.goto(server.url + listed.address)
    expect(watched.page.locator("main [aria-busy=true]:visible")).to_have_count(0)
    return watched.page


@pytest.mark.parametrize("listed", PAGES, ids=[page.address for page in PAGES])
def test_a_page_is_accessible_quiet_and_fits_a_phone(server: Server, watched: Watched, listed: Listed) -> None:
    page = open_listed(server, watched, listed)
    expect(page.locator("h1").first).to_have_text(listed.heading)
    for details in page.locator("main details:not([open]) > summary").all():
        if details.is_visible():
            details.click()
    page.evaluate(AXE.read_text())
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found += violations(page, ["color-contrast", "link-in-text-block"])
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += violations(page, ["color-contrast", "scrollable-region-focusable", "target-size", "label"])
    page.emulate_media(color_scheme="light")
    found += violations(page, ["color-contrast"])
    assert found == [], "\n".join(found)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], wide_elements(page)
    assert said_by_browser(watched, listed) == []


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe-core finds, one line for each element."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": RULES}
    options = {"runOnly": only, "rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
    found: dict[str, Any] = page.evaluate(
        "([spared, options]) => axe.run({exclude: [[spared]]}, options)", [SPARED, options]
    )
    lines = [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
    spared = SPARED_FAULTS if page.locator(SPARED).count() else ()
    return [line for line in lines if not line.startswith(spared)]


def wide_elements(page: Page) -> list[str]:
    """The elements that reach beyond the right edge, for whoever mends it."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    return found[:5]


def said_by_browser(watched: Watched, listed: Listed) -> list[str]:
    """Faults in the console and requests to other hosts; that a missing page is missing is no fault."""
    return [fault for fault in watched.faults if not (listed.address == "/no-such-page" and "404" in fault)]


def test_every_control_is_reached_by_tab_alone(server: Server, watched: Watched) -> None:
    page = open_listed(server, watched, PAGES[0])
    wanted: int = page.evaluate(CONTROLS)
    seen = set()
    for _ in range(wanted + 2):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(FOCUSED))
    reached = {place for place in seen if place}
    assert len(reached) >= wanted
    assert all(place.endswith((" auto", " solid")) for place in reached), reached


def test_the_menu_opens_and_closes_by_keyboard_and_leads_on(server: Server, watched: Watched) -> None:
    page = open_listed(server, watched, PAGES[0])
    more = page.locator(".menu > summary")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Tree", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Tree", exact=True)).to_be_hidden()
    expect(more).to_be_focused()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(page.get_by_role("navigation").get_by_role("link", name="Control")).to_be_hidden()
    more.click()
    page.get_by_role("navigation").get_by_role("link", name="Control").click()
    expect(page.locator("h1")).to_have_text("Control")


def test_axe_core_is_only_for_tests() -> None:
    assert AXE.is_file()
    assert "axe" not in (HOME / "scripts" / "copy_assets.sh").read_text()
    shipped: list[Path] = [*(HOME / "app" / "web" / "static").rglob("*axe*")]
    assert shipped == []
