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
#: Notes what takes the focus, and what of that does not show it; the page is kept from renewing itself meanwhile.
LISTEN = """
window.reached = new Set(); window.unseen = [];
document.body.addEventListener("htmx:beforeRequest", (event) => event.preventDefault(), true);
document.addEventListener("focusin", ({target}) => {
  const isRinged = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  // The field for the whole settings has its ring around it and the numbers of its lines.
  const field = target.closest(".editor") || target;
  if (!isRinged(target) && !isRinged(field)) window.unseen.push(target.outerHTML.slice(0, 120));
  window.reached.add(target);
});
"""
#: Whether the focus has gone out of the page, or into what is not ours.
LEFT = """
((held) => held === document.body || !!held.closest(".swagger-sheet"))(document.activeElement)
"""
#: The controls that the focus has not been at. Of radio buttons of one name one is reached, the others by arrows.
MISSED = """
[...document.querySelectorAll('a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex="0"]')]
  .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0)
  .filter((one) => !one.closest(".swagger-sheet") && !window.reached.has(one))
  .filter((one) => one.type !== "radio" || ![...window.reached].some((other) => other.name === one.name))
  .map((one) => one.outerHTML.slice(0, 120))
"""
#: How often Tab is pressed at most: dates have three fields each, and lists of files have many links.
MOST_TABS = 1_200
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


@pytest.mark.parametrize("listed", PAGES, ids=[page.address for page in PAGES])
def test_every_control_is_reached_by_tab_alone(server: Server, watched: Watched, listed: Listed) -> None:
    page = open_listed(server, watched, listed)
    page.evaluate("document.activeElement.blur()")
    page.evaluate(LISTEN)
    times_left = 0
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        times_left += page.evaluate(LEFT)
        # Where a page puts the focus itself, the first round begins there.
        if times_left and (times_left > 1 or page.evaluate(MISSED) == []):
            break
    assert page.evaluate(MISSED) == []
    assert page.evaluate("window.unseen") == []


def test_every_copy_button_copies_what_it_stands_beside(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport=DESK, permissions=["clipboard-read", "clipboard-write"])  # type: ignore[arg-type]
    watched, pressed = Watched(context.new_page(), server.url), set()
    for listed in PAGES:
        page = open_listed(server, watched, listed)
        page.locator("main details:has(button[data-copy])").evaluate_all("all => all.forEach(one => one.open = true)")
        for button in page.locator("button[data-copy]").all():
            button.click()
            expect(button).to_have_text("Copied")
            assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
            expect(button).to_be_focused()
            pressed.add(listed.address)
    context.close()
    assert {"/control", "/files/1", "/findings"} <= pressed


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


def test_the_search_for_files_leaves_a_phone_room_for_what_it_finds(server: Server, watched: Watched) -> None:
    page = open_listed(server, watched, Listed("/files", "Files"))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found = page.locator("#files").bounding_box()
    assert found is not None and found["y"] < PHONE["height"] / 2
    parts = ("input", "button", "[type=date]")
    name, button, day = (page.locator(f".finding {part}").first.bounding_box() for part in parts)
    assert name and button and day and name["y"] < button["y"] < day["y"]


def test_axe_core_is_only_for_tests() -> None:
    assert AXE.is_file()
    assert "axe" not in (HOME / "scripts" / "copy_assets.sh").read_text()
    shipped: list[Path] = [*(HOME / "app" / "web" / "static").rglob("*axe*")]
    assert shipped == []
