"""The lists of the API over a library that went the whole way: what they find, and how they are read on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.scenario import Scene

CURSORS = [
    "AAAA", "====", "bm9wZQ", "é", "W10", "WyJ4IiwxXQ", "eyJhIjoxfQ", "x" * 5000, "bnVsbA", "W1sxXSwyXQ",
]  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("lists"))
    yield made
    made.close()


@pytest.fixture
def client(scene: Scene) -> FlaskClient:
    return scene.open()


def paths(answer: Any) -> list[str]:
    return [asset["path"] for asset in answer.json["assets"]]


def test_files_are_found_by_the_beginning_of_their_name_whatever_they_are_called_now(client: FlaskClient) -> None:
    found = client.get("/api/assets?name=img_0001")
    assert sorted(paths(found)) == ["2024/05/01/IMG_0001.JPG", "again/IMG_0001.JPG"]
    assert paths(client.get("/api/assets?name=IMG_0001&status=archived")) == ["2024/05/01/IMG_0001.JPG"]
    assert paths(client.get("/api/assets?name=IMG_9")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("prefix=2024/05/0&taken_until=2024-05-02", ["2024/05/01/IMG_0001.JPG", "2024/05/02/IMG_0002.JPG"]),
        ("origin=DCIM/&sort=origin&limit=2", ["2024/05/01/IMG_0001.JPG", "2024/05/02/IMG_0002.JPG"]),
        ("root=archive&status=archived&sort=taken&order=desc&limit=1", ["2024/05/05/IMG_0005.JPG"]),
        ("taken_since=2024-05-04&status=archived&sort=path", ["2024/05/04/IMG_0004.JPG", "2024/05/05/IMG_0005.JPG"]),
        ("status=duplicate", ["again/IMG_0001.JPG"]),
        ("taken_from=mtime", []),
        ("batch_id=2&sort=path", ["2024/05/04/IMG_0004.JPG", "2024/05/05/IMG_0005.JPG"]),
    ],
)
def test_filters_can_be_combined(client: FlaskClient, query: str, expected: list[str]) -> None:
    found = paths(client.get(f"/api/assets?{query}"))
    assert (found if "sort" in query else sorted(found)) == expected


def test_a_file_is_found_by_what_sha256sum_says_of_it(client: FlaskClient, scene: Scene) -> None:
    picture = scene.base / "archive/2024/05/03/IMG_0003.JPG"
    said = subprocess.run(["sha256sum", picture], capture_output=True, check=True, text=True).stdout
    assert paths(client.get(f"/api/assets?digest={said[:12].upper()}")) == ["2024/05/03/IMG_0003.JPG"]


@pytest.mark.parametrize("sort", ["id", "name", "path", "origin", "taken"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_one_another_to_the_end(client: FlaskClient, sort: str, order: str) -> None:
    whole = client.get(f"/api/assets?sort={sort}&order={order}").json
    assert whole["next_cursor"] is None
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/assets?sort={sort}&order={order}&limit=2&cursor={cursor}").json
        found += page["assets"]
        cursor = page["next_cursor"]
    assert found == whole["assets"]


def test_clients_that_know_after_id_alone_are_served_as_before(client: FlaskClient) -> None:
    found, after = [], 0
    while after is not None:
        page = client.get(f"/api/assets?limit=2&after_id={after}").json
        found += [asset["id"] for asset in page["assets"]]
        after = page["next_after_id"]
    assert found == [*range(1, 10)]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_was_never_given_out_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/api/assets", query_string={"cursor": cursor, "sort": "path"})
    assert answer.status_code in (400, 422) and "cursor" in answer.text


def test_a_cursor_of_another_search_is_refused(client: FlaskClient) -> None:
    cursor = client.get("/api/assets?limit=2&name=IMG").json["next_cursor"]
    assert client.get(f"/api/assets?limit=9&name=IMG&cursor={cursor}").status_code == 200
    other = client.get(f"/api/assets?limit=2&name=IM&cursor={cursor}")
    assert (other.status_code, "another search" in other.json["detail"]) == (400, True)
    assert client.get("/api/assets?after_id=3&sort=name").status_code == 422


def test_a_story_tells_every_place_and_what_comes_next(client: FlaskClient) -> None:
    (found,) = client.get("/api/assets?name=IMG_0001&status=archived").json["assets"]
    story = client.get(f"/api/assets/{found['id']}").json
    assert story["place"].endswith("/archive/2024/05/01/IMG_0001.JPG")
    assert story["origin"].endswith("/ingest/DCIM/IMG_0001.JPG")
    assert [move["purpose"] for move in story["moves"]] and story["moves"][-1]["target"] == story["place"]
    assert (story["duplicates"]["count"], story["batch"]["name"]) == (1, "batch_001")
    assert client.get(story["duplicates"]["all"]).json["assets"][0]["path"] == "again/IMG_0001.JPG"
    assert "EXIF" in story["why_this_date"] and story["next"]
    duplicate = client.get(f"/api/assets/{story['duplicates']['files'][0]['id']}").json
    assert duplicate["original"]["id"] == found["id"]


@pytest.mark.parametrize(
    "where", ["DCIM/IMG_0001.JPG", "{base}/ingest/DCIM/IMG_0001.JPG", "batch_001/DCIM/IMG_0001.JPG"]
)
def test_a_former_place_leads_to_the_file_that_was_there(client: FlaskClient, scene: Scene, where: str) -> None:
    answer = client.get("/api/assets/at", query_string={"path": where.format(base=scene.base)}).json
    (found,) = answer["assets"]
    assert (found["relation"], found["status"]) == ("once", "archived")
    here = client.get("/api/assets/at", query_string={"path": found["place"]}).json["assets"]
    assert [(one["id"], one["relation"]) for one in here] == [(found["id"], "here")]


def test_a_place_where_nothing_ever_was_leads_to_nothing(client: FlaskClient) -> None:
    assert client.get("/api/assets/at?path=/etc/passwd").json["assets"] == []
    assert client.get("/api/assets/at").status_code == 422


def test_the_manifest_is_the_one_in_the_archive_and_its_sums_are_right(client: FlaskClient, scene: Scene) -> None:
    kept = scene.base / "archive/.media-pipeline/manifests/batch_001.json"
    answer = client.get("/api/batches/1/manifest")
    assert (answer.data, answer.mimetype) == (kept.read_bytes(), "application/json")
    lines = client.get("/api/batches/1/manifest?format=sha256sums").text.splitlines()
    digests = {file["sha256"]: file["path"] for file in json.loads(answer.data)["files"]}
    assert {line[:64]: line[66:] for line in lines} == digests
    assert client.get("/api/batches/3/manifest").status_code == 404
    assert client.get("/api/batches/99/manifest").status_code == 404
    assert client.get("/api/batches/1/manifest?format=xml").status_code == 422


def test_an_archive_that_is_away_is_told(scene: Scene) -> None:
    client = scene.open()
    scene.is_touched = True
    Path(scene.base / "archive/.media-pipeline-root").unlink()
    assert client.get("/api/batches/1/manifest").json["type"] == "/problems/folder-unavailable"


def test_batches_and_runs_are_listed_by_what_they_are(client: FlaskClient) -> None:
    assert [b["id"] for b in client.get("/api/batches?status=SORTED").json["batches"]] == [2, 1]
    assert [b["id"] for b in client.get("/api/batches?name=batch_003").json["batches"]] == [3]
    assert client.get("/api/batches?limit=2&before_id=4").json["next_before_id"] == 2
    assert [r["id"] for r in client.get("/api/runs?kind=workflow&status=waiting").json["runs"]] == [3]
    assert [r["id"] for r in client.get("/api/runs?batch_id=3").json["runs"]] == [3]
    assert {e["run_id"] for e in client.get("/api/runs/1/events").json["events"]} == {1}
    assert client.get("/api/runs/99/events").status_code == 404
    assert client.get("/api/batches/99/assets").status_code == 404


def test_a_batch_tells_what_was_proven_where(client: FlaskClient) -> None:
    (proof,) = client.get("/api/batches/1").json["deliveries"]
    assert (proof["device_id"], proof["confirmed_count"]) == ("ABCDEFG-PHONE", 1)


def test_moves_are_listed_by_batch_and_asset(client: FlaskClient) -> None:
    moves = client.get("/api/moves?batch_id=1").json["moves"]
    assert len(moves) >= 6 and {move["batch_id"] for move in moves} == {1}
    one = client.get(f"/api/moves?batch_id=1&asset_id={moves[0]['asset_id']}&run_id=1").json["moves"]
    assert one == [move for move in moves if move["asset_id"] == moves[0]["asset_id"]]
    first = client.get("/api/moves?limit=2").json
    assert client.get(f"/api/moves?limit=2&after_id={first['next_after_id']}").json["moves"][0]["id"] == 3


def test_troubled_files_are_listed_with_their_reasons_counted(client: FlaskClient) -> None:
    aside = client.get("/api/set-aside").json
    reasons = [{"reason": "Could not read …: Input/output error.", "files": 2}]
    assert (aside["total"], aside["counted"], aside["by_reason"]) == (2, 2, reasons)
    (failed,) = client.get("/api/failed").json["files"]
    assert failed["place"].endswith("/ingest/troubled/7.jpg") and failed["attempts"] == 3
    (left,) = client.get("/api/left-in-place?reason=not").json["files"]
    assert left["path"] == "notes.txt"
    assert client.get("/api/left-in-place?reason=other").json["files"] == []


def test_duplicates_are_listed_as_sets(client: FlaskClient) -> None:
    (found,) = client.get("/api/duplicates").json["sets"]
    assert (found["original"]["path"], found["duplicate_count"]) == ("2024/05/01/IMG_0001.JPG", 1)
    assert found["duplicate_bytes"] == found["original"]["size_bytes"]
    assert [one["path"] for one in found["duplicates"]] == ["again/IMG_0001.JPG"]


def test_the_journal_is_searched_and_followed(client: FlaskClient) -> None:
    everything = client.get("/api/journal?limit=500").json["events"]
    kinds = {event["kind"] for event in client.get("/api/journal?kind=batch.&limit=500").json["events"]}
    assert kinds == {event["kind"] for event in everything if event["kind"].startswith("batch.")}
    words = client.get("/api/journal?text=BATCH_001").json["events"]
    assert words and all("batch_001" in event["message"] for event in words)
    assert client.get("/api/journal?since=2999").json["events"] == []
    at = everything[5]["at"].replace("+00:00", "Z")
    since = client.get("/api/journal", query_string={"since": at, "limit": 500}).json["events"]
    assert since == [event for event in everything if event["at"] >= everything[5]["at"]]
    followed, last = [], 0
    while True:
        page = client.get(f"/api/journal?after_id={last}&limit=7").json
        followed += page["events"]
        last = page["last_id"]
        if not page["has_more"]:
            break
    assert followed == everything[::-1]
