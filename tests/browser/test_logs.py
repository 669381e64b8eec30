"""The page Logs in Chromium: it grows, waits for whoever reads, and misses nothing when the server restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web.log_streams import MAX_STREAMS
from tests.web.serving import WebServer, on_loopback
from tests.web.test_log_streams import Following
from tests.worker.installation import Installation

pytestmark = pytest.mark.browser
#: A stream is tried again after two seconds, and the lines are asked for every three.
PATIENCE = 20_000
HOSTILE = "</script><img src=x onerror=document.title='broken'>\n\ndata: {}\u202e"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, system=on_loopback()) as made:
        yield made


def write(site: Installation, *events: str, level: str = "info", run_id: int = 7) -> None:
    line = {"level": level, "at": "2999-05-06T07:08:09Z", "run_id": run_id, "stage": "sort", "why": HOSTILE}
    with (site.folder("state") / "logs" / "worker.log").open("a") as file:
        file.writelines(json.dumps({"event": event, **line}) + "\n" for event in events)


def opened(browser: Browser, web: WebServer, path: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://127.0.0.1:{web.port}{path}")
    return page


def events(page: Page) -> list[str]:
    return page.locator("#lines [data-of=event]").all_inner_texts()


def test_lines_appear_wait_for_the_reader_and_survive_a_restart(site: Installation, browser: Browser) -> None:
    with WebServer(site) as web:
        write(site, "before", "too small", level="debug")
        write(site, *(f"old {n}" for n in range(60)))
        page = opened(browser, web, "/logs?process=worker&level=info")
        state, last = page.locator("#log-state"), page.locator("#lines > li").last
        expect(state).to_contain_text("Following")
        page.evaluate("window.loaded = 'once'")
        write(site, HOSTILE, level="error")
        write(site, "of another level", level="debug")
        expect(last).to_contain_text("onerror=document.title")
        expect(last.locator("[data-of=level]")).to_have_text("error")
        leads_to = last.get_by_role("link", name="run 7").evaluate("link => link.href")
        assert leads_to == f"http://127.0.0.1:{web.port}/runs/7"
        expect(last).to_be_in_viewport()
        assert page.title() == "Logs – Media Pipeline"

        page.locator("#lines").evaluate("box => { box.scrollTop = 0; }")
        write(site, "while reading")
        expect(page.get_by_role("button", name="To the newest line")).to_be_visible()
        assert page.locator("#lines").evaluate("box => box.scrollTop") == 0
        page.get_by_role("button", name="To the newest line").click()
        expect(last).to_be_in_viewport()

        page.get_by_role("button", name="Pause").click()
        write(site, "while paused")
        expect(state).to_contain_text("Paused")
        assert "while paused" not in events(page)
        page.get_by_role("button", name="Go on").click()
        expect(last).to_contain_text("while paused")

        web.terminate()
        expect(state).to_contain_text("broke")
        write(site, "while the server was away")
        web.start()
        expect(last).to_contain_text("while the server was away")
        expect(state).to_contain_text("Following")
        written = [*(f"old {n}" for n in range(60)), "while reading", "while paused", "while the server was away"]
        assert [event for event in events(page) if event in written] == written
        assert page.evaluate("window.loaded") == "once"
        page.context.close()
        _ask_instead(site, browser, web)


def _ask_instead(site: Installation, browser: Browser, web: WebServer) -> None:
    """A reader for whom no stream is left sees the same lines."""
    with ExitStack() as streams:
        taken = 0
        while taken < MAX_STREAMS:
            taken += streams.enter_context(closing(Following(web))).is_open()
        page = opened(browser, web, "/logs?run_id=9")
        expect(page.locator("#log-state")).to_contain_text("asking every 3 seconds")
        write(site, "of another run", run_id=8)
        write(site, "after", run_id=9)
        expect(page.locator("#lines > li").last).to_contain_text("after")
        assert events(page) == ["after"]
        page.context.close()
