"""What a person does behind a reverse proxy: logs in, goes about, gives a command, watches live pages and a log."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from app.db import journal, runs
from app.model import RunKind
from tests.browser.conftest import Server

PREFIX, KEY = "/apps/photos", "a-key-for-tests-0123456789"
LEFT = "net::ERR_ABORTED"
PAGES = ("control", "files", "batches", "journal", "settings", "preview", "peer", "tree", "welcome")


def opened(browser: Browser) -> tuple[Page, list[str]]:
    """A page, and the list of what it asked for in vain."""
    page, in_vain = browser.new_context().new_page(), []
    page.set_default_timeout(20_000)
    page.on("response", lambda one: in_vain.append(f"{one.status} {one.url}") if one.status >= 400 else None)
    # Going to another page ends what the last one still asked for: that one was not asked for in vain.
    page.on("requestfailed", lambda one: in_vain.append(f"{one.failure} {one.url}") if one.failure != LEFT else None)
    page.on("pageerror", lambda error: in_vain.append(str(error)))
    return page, in_vain


def walk(server: Server, browser: Browser, address: str, prefix: str) -> None:
    """Do all of it at the address, which ends with the prefix; nothing may be asked for in vain."""
    page, in_vain = opened(browser)
    page.goto(f"{address}/login?next=/dashboard")
    page.get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{address}/dashboard")
    for name in PAGES:
        page.locator(f'nav a[href="{prefix}/{name}"]').first.evaluate("link => link.click()")
        page.wait_for_url(f"{address}/{name}*")
    give_a_command(server, page, address)
    page.goto(f"{address}/journal")
    with server.services.db.transaction() as conn:
        journal.record(conn, "backup.made", "A line that comes by itself.", detail={})
    expect(page.get_by_text("A line that comes by itself.").first).to_be_visible(timeout=45_000)
    follow_a_log(server, page, address)
    page.goto(f"{address}/docs")
    expect(page.locator("#swagger-ui, .swagger-ui").first).to_contain_text("Media Pipeline")
    expect(page.get_by_text("/api/workflow/run").first).to_be_visible()
    page.context.close()
    assert in_vain == []


def give_a_command(server: Server, page: Page, address: str) -> None:
    """A button that asks for a run; it waits for a worker from then on."""
    page.goto(f"{address}/control")
    with page.expect_response(lambda one: one.request.method == "POST") as answered:
        page.get_by_role("button", name="Scan and dedup", exact=True).click()
    assert answered.value.url == f"{address}/api/dedup/start"
    with server.services.db.transaction() as conn:
        assert [run.kind for run in runs.list_recent(conn)] == [RunKind.STAGE]


def follow_a_log(server: Server, page: Page, address: str) -> None:
    """A line that is written while the page follows is there at once."""
    logs = Path(server.services.config.system.log_dir)
    logs.mkdir(parents=True, exist_ok=True)
    page.goto(f"{address}/logs?process=worker")
    expect(page.locator("#log-state")).to_contain_text("Following")
    line = {"level": "info", "at": "2999-05-06T07:08:09Z", "event": "it streams", "run_id": 7}
    (logs / "worker.log").write_text(json.dumps(line) + "\n")
    last = page.locator("#lines > li").last
    expect(last).to_contain_text("it streams")
    assert last.get_by_role("link", name="run 7").evaluate("link => link.href") == f"{address}/runs/7"
