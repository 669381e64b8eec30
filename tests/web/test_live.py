"""Parts of pages that renew themselves: the mark of their content, and how soon they look again."""

from __future__ import annotations

from flask.testing import FlaskClient

from app.db import facts
from app.web.live import BUSY_SECONDS, QUIET_SECONDS, Shared, live, mark_of
from tests.browser import rows
from tests.web.conftest import Site


def test_the_mark_changes_with_the_content_and_not_with_the_time_of_looking() -> None:
    content = {"generated_at": "1", "roots": [{"free_bytes": 5_000_000_000}], "run": {"done": 1}}
    assert mark_of(content) == mark_of({**content, "generated_at": "2", "roots": [{"free_bytes": 5_000_000_001}]})
    assert mark_of(content) != mark_of({**content, "run": {"done": 2}})
    assert mark_of(content) != mark_of({**content, "roots": [{"free_bytes": 4_000_000_000}]})


def test_a_page_looks_again_sooner_while_a_run_is_on() -> None:
    assert [live({}, busy)["every"] for busy in (True, False)] == [BUSY_SECONDS, QUIET_SECONDS]
    assert live({}, False, 3)["every"] == 3


def test_a_part_that_has_not_changed_answers_with_nothing(client: FlaskClient) -> None:
    page = client.get("/dashboard").text
    address = page[page.index("/partials/overview?mark=") :].partition('"')[0]
    unchanged = client.get(address)
    assert (unchanged.status_code, unchanged.data) == (204, b"")
    assert client.get("/partials/overview?mark=other").status_code == 200


def test_what_several_tabs_ask_for_is_made_once_until_somebody_writes(site: Site) -> None:
    found, made = Shared(site.services.db), []

    def look() -> int:
        made.append(1)
        return len(made)

    assert [found.get("page", look) for _ in range(3)] == [1, 1, 1]
    assert found.get("other page", look) == 2
    with site.services.db.transaction() as conn:
        facts.put(conn, "news", "yes")
    assert [found.get("page", look) for _ in range(2)] == [3, 3]


def test_a_part_for_all_tabs_shows_at_once_what_was_written(site: Site) -> None:
    client = site.client()
    before = client.get("/partials/overview").text
    assert "Run 1" not in before
    rows.start_run(site.services)
    assert "320 of 1,400" in client.get("/partials/overview").text
