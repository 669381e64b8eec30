"""The pages Dates and Tree without a browser: what is listed, what forms do, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db.doubtful_dates import DateFilter
from app.web import date_pages
from tests.browser.doubts import add_doubtful, doubtful
from tests.web.conftest import KEY, Site

ADMIN = {"key": KEY, "name": "admin", "scope": "admin"}


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    found = make_site(sync={"target": "none"})
    add_doubtful(found.services, 60)
    return found


def page_of(client: FlaskClient, path: str, **query: Any) -> str:
    answer = client.get(path, query_string=query or None, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def form_of(page: str, action: str) -> list[tuple[str, str]]:
    """The hidden fields of a form, as a browser sends them."""
    (form,) = re.findall(rf'<form method="post" action="{action}".*?</form>', page, re.S)
    return re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)


def send(client: FlaskClient, path: str, fields: list[tuple[str, str]]) -> Any:
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return client.post(path, data=data, headers={"Accept": "text/html"})


def test_pages_follow_each_other_by_key_and_show_each_file_once(site: Site) -> None:
    client = site.client()
    first = page_of(client, "/dates")
    (after,) = re.findall(r"/dates\?after_id=(\d+)", first)
    second = page_of(client, "/dates", after_id=after)
    seen = [int(n) for page in (first, second) for n in re.findall(r'name="asset" value="(\d+)"', page)]
    assert seen == list(range(1, 61))
    assert "Next page" not in second


def test_the_list_is_narrowed_by_reason_camera_and_folder_and_each_can_be_left_out_again(site: Site) -> None:
    client = site.client()
    page = page_of(client, "/dates")
    links = [link.replace("&amp;", "&") for link in re.findall(r'<a href="(/dates\?[^"]+)"', page)]
    for link in (one for one in links if "after_id" not in one):
        narrowed = client.get(link).get_data(as_text=True)
        assert 0 < len(re.findall(r'name="asset"', narrowed)) <= 30
        assert "show the others too" in narrowed
    both = page_of(client, "/dates", camera="Canon EOS R6", reason="folder")
    assert re.findall(r'role="button" class="outline secondary small" aria-label="([^:]+):', both) == [
        "only its folder tells a date", "camera Canon EOS R6",
    ]  # fmt: skip
    assert "No doubtful date matches" in page_of(client, "/dates", camera="none such")


def test_many_are_counted_after_the_page_is_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(date_pages, "COUNTED_AT_ONCE", 10)
    monkeypatch.setattr(date_pages, "COUNTED", 30)
    client = site.client()
    page = page_of(client, "/dates", folder="camera")
    assert 'hx-get="/partials/dates/counts?folder=camera"' in page and "it holds no capture time <small>" not in page
    counted = client.get("/partials/dates/counts?folder=camera").get_data(as_text=True)
    assert "Counted among the first 30 of 60." in counted
    assert '<a href="/dates?folder=camera" aria-current="true">camera</a> <small>10</small>' in counted
    assert "Which ones" in page_of(client, "/dates", counts=1)


def test_a_decision_is_previewed_then_made_without_javascript(site: Site) -> None:
    client = site.client()
    query = {"asset": ["1", "3"], "for": "ticked", "action": "set", "date": "1985-06-01", "time": ""}
    preview = page_of(client, "/dates/preview", **query)
    assert "2 files would have the date that was decided; 1 of them would then lie in the archive" in preview
    assert "<strong>1985/06/01</strong>" in preview
    assert doubtful(site.services, DateFilter()) == 60
    answer = send(client, "/dates/decide", form_of(preview, "/dates/decide"))
    assert (answer.status_code, answer.headers["Location"][:17]) == (303, "/dates?done=set&f")
    after = page_of(client, answer.headers["Location"])
    assert "2 files have the date that was decided; 1 of them lies in the archive under the date of before." in after
    assert doubtful(site.services, DateFilter()) == 58


def test_all_that_a_filter_finds_is_decided_about_at_once(site: Site) -> None:
    client = site.client()
    query = {"for": "all", "camera": "Pixel 7", "action": "shift", "direction": "back", "hours": "1", "minutes": "30"}
    preview = page_of(client, "/dates/preview", **query)
    assert "2021-07-03 <span>09:40:11</span>" in preview
    answer = send(client, "/dates/decide", form_of(preview, "/dates/decide"))
    assert "camera=Pixel" in answer.headers["Location"]
    assert (doubtful(site.services, DateFilter(camera="Pixel 7")), doubtful(site.services, DateFilter())) == (0, 40)


def test_an_xmp_file_beside_each_is_asked_for_where_it_is_decided(site: Site) -> None:
    client = site.client()
    assert 'name="sidecars"' in page_of(client, "/dates")
    preview = page_of(client, "/dates/preview", asset=[1, 3], action="zone", zone="+09:00", sidecars="yes")
    assert "The service would write an XMP file beside 2 of them" in preview and "+09:00" in preview
    answer = send(client, "/dates/decide", form_of(preview, "/dates/decide"))
    assert "writes an XMP file beside 2 of them" in page_of(client, answer.headers["Location"])
    with site.services.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM date_sidecars WHERE due_at IS NOT NULL").scalar() == 2


def test_a_preview_sent_twice_decides_once(site: Site) -> None:
    client = site.client()
    fields = form_of(page_of(client, "/dates/preview", asset=1, action="shift", hours=1), "/dates/decide")
    assert send(client, "/dates/decide", fields).status_code == 303
    again = send(client, "/dates/decide", fields)
    assert (again.status_code, "have changed since the preview" in again.get_data(as_text=True)) == (409, True)
    assert client.get("/api/dates/decided").json["files"][0]["taken_local"] == "2021-07-02T12:10:11"


def test_what_was_decided_is_listed_and_taken_back(site: Site) -> None:
    client = site.client()
    assert "Nobody has decided about a date yet." in page_of(client, "/dates/decided")
    client.post("/api/dates/decisions", json={"action": "set", "value": "1985-06-01", "asset_ids": [1, 2, 4]})
    page = page_of(client, "/dates/decided")
    assert "set 1985-06-01" in page
    (files,) = re.findall(r'href="(/dates/decided\?decided_at=[^"]+)"', page)
    assert re.findall(r'name="asset" value="(\d+)"', client.get(files).get_data(as_text=True)) == ["1", "2", "4"]
    one = page_of(client, "/dates/preview", action="undo", asset=2)
    answer = send(client, "/dates/decide", form_of(one, "/dates/decide"))
    assert "1 file got the date back that it tells by itself." in page_of(client, answer.headers["Location"])
    (undo,) = re.findall(r'href="(/dates/preview\?action=undo[^"]+)"', page)
    rest = client.get(undo.replace("&amp;", "&")).get_data(as_text=True)
    assert send(client, "/dates/decide", form_of(rest, "/dates/decide")).status_code == 303
    assert doubtful(site.services, DateFilter()) == 60


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"action": "set", "asset": 1}, "is no date"),
        ({"action": "accept"}, "No file is ticked"),
        ({"action": "shift", "asset": 1, "hours": "x"}, "is no number of hours"),
        ({"action": "zone", "asset": 1, "zone": "<b>Moon"}, "is no time zone"),
        ({"action": "", "asset": 1}, "is none of accept"),
        ({"action": "undo"}, "Say which files"),
    ],
)
def test_what_a_form_may_not_ask_is_told_on_a_page(site: Site, query: dict[str, Any], words: str) -> None:
    answer = site.client().get("/dates/preview", query_string=query, headers={"Accept": "text/html"})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, words in page, "<b>Moon" in page) == (400, True, False)


@pytest.mark.parametrize(
    "query",
    [{"after_id": "x"}, {"after_id": "9" * 30}, {"reason": "moon"}, {"asset": "-1"}, {"asset": "9" * 30},
     {"done": "set", "files": "<b>", "elsewhere": "1", "refused": "0"}, {"camera": "\0"}, {"folder": "/"}],
)  # fmt: skip
def test_no_address_makes_the_page_fail(site: Site, query: dict[str, str]) -> None:
    page = page_of(site.client(), "/dates", **query)
    assert "<h1>Dates</h1>" in page and "<b>" not in page


def test_one_file_can_be_looked_at_whether_its_date_is_doubtful_or_not(site: Site) -> None:
    client = site.client()
    client.post("/api/dates/decisions", json={"action": "accept", "asset_ids": [7]})
    assert '<a href="/dates?asset=7"' in page_of(client, "/why", file=7)
    page = page_of(client, "/dates", asset=7)
    assert re.findall(r'name="asset" value="(\d+)"[^>]* checked', page) == ["7"]


def test_files_of_a_decision_are_filed_anew_by_a_key_that_may(make_site: Callable[..., Site]) -> None:
    run = {"key": KEY.replace("key", "run"), "name": "runner", "scope": "run"}
    site = make_site(sync={"target": "none"}, auth={"keys": [ADMIN, run]})
    form, client = {"decided_since": "2026-01-01T00:00:00.000000+00:00"}, site.client()
    assert client.post("/dates/refile", data=form, headers={"x-api-key": run["key"]}).status_code == 403
    assert client.post("/dates/refile", data={}, headers={"x-api-key": KEY}).status_code == 400
    started = client.post("/dates/refile", data=form, headers={"x-api-key": KEY})
    assert started.status_code == 202
    asked = client.get(f"/api/runs/{started.json['run_id']}", headers={"x-api-key": KEY}).json
    assert (asked["kind"], asked["arguments"]) == ("refile", form)


def test_a_key_that_only_reads_may_look_and_not_decide(make_site: Callable[..., Site]) -> None:
    read = {"key": KEY.replace("key", "see"), "name": "reader", "scope": "read"}
    site = make_site(sync={"target": "none"}, auth={"keys": [ADMIN, read]})
    client, headers = site.client(), {"x-api-key": read["key"]}
    for path in ("/dates", "/dates/decided", "/tree", "/partials/tree", "/partials/dates/counts"):
        assert client.get(path, headers=headers).status_code == 200
    assert client.post("/dates/decide", data={}, headers=headers).status_code == 403
    assert client.get("/dates").status_code == 401


def test_the_tree_is_shown_for_the_settings_and_for_patterns_that_are_typed_in(site: Site) -> None:
    client = site.client()
    page = page_of(client, "/tree")
    assert 'hx-get="/partials/tree" hx-trigger="load"' in page and "{year}/{month:02d}/{day:02d}" in page
    live = page_of(client, "/partials/tree")
    assert "1 folder, 60 files" in live and '<th scope="row">2021/07</th>' in live
    typed = page_of(client, "/tree", folder_pattern="{year} {month_name}", language="de", depth="1")
    assert '<th scope="row">2021 Juli</th>' in typed
    assert "20 archived files lie in another folder now." in typed


def test_a_fault_in_a_pattern_is_told_with_its_place_and_what_was_typed_stays(site: Site) -> None:
    page = page_of(site.client(), "/tree", folder_pattern="{year}/<b>{moth}", name_pattern="{name}")
    assert "at character" in page and "{moth} cannot be used here; did you mean {month}?" in page
    assert 'value="{year}/&lt;b&gt;{moth}"' in page and "<b>" not in page
