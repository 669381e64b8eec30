"""Doubtful dates over the API: listed, counted, decided, with faults told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.db import decided_dates, journal
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.stages import rows, take_stock
from tests.web.conftest import Site

URL = "/api/dates/decisions"
UNDO = "/api/dates/decisions/undo"


@pytest.fixture
def filled(make_site: Callable[..., Site]) -> Site:
    site = make_site(sync={"target": "none"})
    tree = {"a/scan.jpg": make_jpeg(seed=1), "b/scan.jpg": make_jpeg(seed=2), "c.jpg": make_jpeg("2024:05:06 07:08:09")}
    write_tree(site.services.config.paths.source_dir, tree)
    take_stock(site.services)
    return site


def test_doubtful_dates_are_paged_filtered_and_counted(filled: Site) -> None:
    client = filled.client()
    first = client.get("/api/dates?limit=1").json
    second = client.get(f"/api/dates?limit=1&after_id={first['next_after_id']}").json
    assert [f["came_as"] for page in (first, second) for f in page["files"]] == ["a/scan.jpg", "b/scan.jpg"]
    of_b = client.get("/api/dates?folder=b&camera=&reason=mtime").json
    assert [f["came_as"] for f in of_b["files"]] == ["b/scan.jpg"]
    assert client.get("/api/dates?camera=Canon").json == {"files": [], "next_after_id": None}
    assert client.get("/api/dates/counts").json["files"] == 2
    assert client.get("/api/dates?reason=moon").status_code == 422


def test_a_decision_is_rehearsed_then_carried_out_with_who_made_it(filled: Site) -> None:
    client = filled.client()
    asked = {"action": "set", "value": "1985-06-01 10:00", "folder": "a"}
    assert client.post(URL, json={**asked, "dry_run": True}).json["files"] == 1
    assert rows(filled.services)[b"a/scan.jpg"].taken_from == "mtime"
    answer = client.post(URL, json=asked, headers={"X-Actor": "anna"}).json
    assert (answer["files"], answer["waiting"], answer["dry_run"]) == (1, 1, False)
    assert answer["changes"][0]["after"] == "1985-06-01T10:00:00"
    assert rows(filled.services)[b"a/scan.jpg"].taken_local == "1985-06-01T10:00:00"
    with filled.services.db.reading() as conn:
        (event,) = journal.list_events(conn, kind_prefix="dates.decided")
    assert event.detail["actor"] == "api (anna)"
    assert client.get("/api/dates/counts").json["files"] == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "action"),
        ({"action": "accept"}, 400, "Say which files"),
        ({"action": "set", "value": "soon", "folder": "a"}, 400, "no date"),
        ({"action": "shift", "value": "1e400", "folder": "a"}, 400, "no number of hours"),
        ({"action": "zone", "value": "Moon", "folder": "a"}, 400, "no time zone"),
        ({"action": "accept", "asset_ids": [999]}, 404, "999"),
        ({"action": "accept", "folder": "\ud800"}, 422, ""),
        ({"action": "accept", "files": [1]}, 422, "files"),
    ],
)
def test_faults_are_told_and_nothing_is_decided(filled: Site, body: dict[str, object], status: int, words: str) -> None:
    client: FlaskClient = filled.client()
    answer = client.post(URL, json=body)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert client.get("/api/dates/counts").json["files"] == 2


def test_what_was_decided_is_listed_and_taken_back(filled: Site) -> None:
    client = filled.client()
    before = client.get("/api/dates").json
    decided = client.post(URL, json={"action": "set", "value": "1985-06-01", "only_doubtful": True}).json
    (act,) = client.get("/api/dates/decisions").json["acts"]
    told = {"action": "set", "value": "1985-06-01", "decisions": 2, "files": 2, "first": "a/scan.jpg"}
    assert act == {**told, "decided_by": "api", "decided_at": decided["decided_at"]}
    query = {"decided_at": act["decided_at"], "folder": "b"}
    assert [f["came_as"] for f in client.get("/api/dates/decided", query_string=query).json["files"]] == ["b/scan.jpg"]
    assert client.post(UNDO, json={**query, "dry_run": True}).json["files"] == 1
    undone = client.post(UNDO, json=query, headers={"X-Actor": "anna"}).json
    assert (undone["action"], undone["files"], undone["refused"]) == ("undo", 1, 0)
    assert client.get("/api/dates/decisions").json["acts"][0]["decisions"] == 1
    assert client.post(UNDO, json={"decided_at": act["decided_at"]}).json["files"] == 1
    assert client.get("/api/dates").json == before
    assert client.get("/api/dates/decisions").json == {"acts": [], "next_before": None}


def test_pages_of_decisions_follow_each_other_also_where_many_were_made_at_once(
    filled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = filled.client()
    made = [client.post(URL, json={"action": "set", "value": "1985-06-01", "folder": folder}).json["decided_at"]
            for folder in ("a", "b")]  # fmt: skip
    monkeypatch.setattr(decided_dates, "MOST_COUNTED", 1)
    first = client.get("/api/dates/decisions").json
    second = client.get("/api/dates/decisions", query_string={"before": first["next_before"]}).json
    assert [act["decided_at"] for page in (first, second) for act in page["acts"]] == made[::-1]
    assert second["next_before"] is None


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "Say which files"),
        ({"asset_ids": [999]}, 404, "999"),
        ({"decided_at": "yesterday"}, 422, "decided_at"),
        ({"reason": "mtime"}, 422, "reason"),
    ],
)
def test_what_cannot_be_taken_back_is_told(filled: Site, body: dict[str, object], status: int, words: str) -> None:
    answer = filled.client().post(UNDO, json=body)
    assert (answer.status_code, words in answer.text) == (status, True)
