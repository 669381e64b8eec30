"""The page Journal: events in words, whatever names hold, by filter, page by page, and quiet while nothing comes."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from app.db import journal
from tests.web.conftest import Site

HOSTILE = "<script>alert(1)</script> \u05e9\u05dc\u05d5\u05dd " + "x" * 250


def tell(site: Site, kind: str = "run.finished", message: str = "It is done.", **more: object) -> None:
    with site.services.db.transaction() as conn:
        journal.record(conn, kind, message, **more)  # type: ignore[arg-type]


def shown(client: FlaskClient, query: str = "") -> list[str]:
    page = client.get(f"/journal?{query}")
    assert page.status_code == 200, query
    return re.findall(r'<bdi>(.*?)</bdi></p>\s*<div class="event-foot">', page.text, re.DOTALL)


def test_events_are_shown_in_words_newest_first_with_ways_to_what_they_are_about(site: Site) -> None:
    tell(site, message=HOSTILE, level="warning", run_id=3, batch_id=4, asset_id=5, detail={"path": HOSTILE})
    tell(site, "batch.created", "Batch <b>one</b> was made at 2026-05-06T07:08:09Z.")
    page = site.client().get("/journal").text
    assert page.index("Batch &lt;b&gt;one&lt;/b&gt; was made at <time") < page.index("&lt;script&gt;alert(1)")
    assert "<script>alert" not in page and "<b>one" not in page
    for address in ("/runs/3", "/batches/4", "/files/5", "/journal?kind=batch.created"):
        assert f'href="{address}"' in page
    assert 'class="status warning"' in page and "&#34;asset_id&#34;: 5" in page


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("kind=batch.", ["second"]),
        ("level=error", ["third"]),
        ("text=IRS", ["first", "of a file, first"]),
        ("run_id=7", ["second"]),
        ("batch_id=8", ["third"]),
        ("asset_id=9", ["of a file, first"]),
        ("kind=batch.&level=error", []),
        ("kind=batch.&run_id=x&asset_id=-1&level=odd&since=2026-99-99&text=", ["second"]),
        ("since=2999-01-01", []),
        ("until=1999-12-31", []),
        ("until=9999-12-31&since=0001-01-01&text=second", ["second"]),
    ],
)
def test_an_address_holds_the_filter(site: Site, query: str, wanted: list[str]) -> None:
    tell(site, message="first")
    tell(site, "batch.created", "second", run_id=7)
    tell(site, "move.recovered", "third", batch_id=8, level="error")
    tell(site, "asset.failed", "of a file, first", asset_id=9, level="warning")
    assert sorted(shown(site.client(), query)) == sorted(wanted)


def test_older_events_are_a_page_away_and_a_page_of_them_does_not_renew_itself(site: Site) -> None:
    for number in range(120):
        tell(site, message=f"event {number}")
    client, seen, query = site.client(), [], "kind=run.finished"
    for _ in range(3):
        seen += shown(client, query)
        page = client.get(f"/journal?{query}").text
        older = re.search(r'href="/journal\?([^"]*)" rel="next"', page)
        assert ("hx-trigger" in page) == ("before_id" not in query)
        query = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"event {number}" for number in reversed(range(120))] and not query


def test_nothing_new_is_answered_with_nothing(site: Site) -> None:
    tell(site, message="alpha")
    client = site.client()
    found = re.search(r'hx-get="(/partials/journal[^"]*)"', client.get("/journal?kind=run.").text)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    assert client.get(address).status_code == 204
    tell(site, "batch.created", "of another kind")
    assert client.get(address).status_code == 204
    tell(site, "run.failed", "beta")
    renewed = client.get(address)
    assert renewed.status_code == 200 and renewed.text.index("beta") < renewed.text.index("alpha")
    assert "of another kind" not in renewed.text


def test_what_nobody_finds_says_how_to_see_everything(site: Site) -> None:
    page = site.client().get("/journal?text=no-such-words").text
    assert "No event is like that" in page and 'href="/journal"' in page
