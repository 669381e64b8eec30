"""What an address does not know is refused by name: ignored, it would mislead."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import Site

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
STARTS = [
    "/api/workflow/run",
    "/api/preview",
    "/api/dedup/start",
    "/api/batch/create",
    "/api/cleanup/run",
    "/api/verify",
    "/api/rebuild",
]


def nothing_was_started(client: FlaskClient) -> bool:
    return bool(client.get("/api/runs").json["runs"] == [])


@pytest.mark.parametrize(
    ("address", "unknown", "known"),
    [
        ("/api/assets?nmae=IMG", ["nmae"], "name"),
        ("/api/assets?status=archived&limt=5&after=3", ["limt", "after"], "limit"),
        ("/api/batches?limit=3&state=ERROR", ["state"], "status"),
        ("/api/journal?batch=3", ["batch"], "batch_id"),
        ("/api/runs/1?verbose=1", ["verbose"], None),
        ("/api/workflow/status?x=<b>", ["x"], None),
        ("/api/health?x=1", ["x"], None),
    ],
)
def test_an_unknown_parameter_is_named_beside_the_known_ones(
    client: FlaskClient, address: str, unknown: list[str], known: str | None
) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/invalid-request")
    assert [error["path"] for error in answer.json["errors"]] == unknown
    assert known in answer.json["known"] if known else answer.json["known"] == []
    assert all(name in answer.json["detail"] for name in (*unknown, known or ""))
    assert "<b>" not in answer.text


@pytest.mark.parametrize("url", [url for url in STARTS if url != "/api/dedup/start"])
@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b'{"dry_run": true}', JSON), (b'{"dry_run": true}', FORM), (b'{"dry_run": true}', None), (b"dry_run=1", FORM)],
)
def test_a_start_refuses_a_key_that_it_does_not_know(
    client: FlaskClient, url: str, body: bytes, media_type: str | None
) -> None:
    answer = client.post(url, data=body, content_type=media_type)
    assert (answer.status_code, answer.json["errors"][0]["path"]) == (422, "dry_run")
    assert nothing_was_started(client)


def test_a_dry_run_of_dedup_is_a_preview_and_no_search(client: FlaskClient) -> None:
    answer = client.post("/api/dedup/start", json={"dry_run": True})
    run = client.get(f"/api/runs/{answer.json['run_id']}").json
    assert (answer.status_code, run["kind"], run["stages"]) == (202, "preview", ["preview"])
    assert client.post("/api/dedup/start", json={"dry": True}).status_code == 422


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("/api/refile", "asset_ids=3"),
        ("/api/refile", "[3]"),
        ("/api/verify", "max_mb_per_second=5"),
        ("/api/dedup/start", "dry_run=1"),
    ],
)
def test_a_form_whose_fields_would_be_passed_over_is_refused(client: FlaskClient, url: str, field: str) -> None:
    answer = client.post(url, data=field.encode(), content_type=FORM)
    assert (answer.status_code, "not a form" in answer.json["detail"]) == (422, True)
    assert nothing_was_started(client)


@pytest.mark.parametrize("url", STARTS)
@pytest.mark.parametrize("media_type", [None, JSON, FORM, "text/plain", "image/jpeg"])
def test_an_empty_body_of_any_media_type_is_no_reason_to_refuse(
    client: FlaskClient, url: str, media_type: str | None
) -> None:
    for body in (b"", b" \n", b"{}" if media_type == JSON else b""):
        answer = client.post(url, data=body, content_type=media_type)
        assert answer.status_code in (200, 202, 409), answer.text


@pytest.mark.parametrize("query", ["?dry_run=1", "?limit=3"])
def test_a_start_refuses_a_parameter_that_it_does_not_know(client: FlaskClient, query: str) -> None:
    assert client.post(f"/api/workflow/run{query}").status_code == 422
    assert nothing_was_started(client)


def test_arguments_count_whatever_media_type_they_are_sent_as(client: FlaskClient) -> None:
    run_id = client.post("/api/verify", data=b'{"roots": ["batch"]}', content_type=FORM).json["run_id"]
    assert client.get(f"/api/runs/{run_id}").json["arguments"]["roots"] == ["batch"]


def test_known_keys_are_named_where_there_are_some(client: FlaskClient) -> None:
    answer = client.post("/api/verify", json={"rots": ["archive"]})
    assert answer.status_code == 422
    assert "rots" in answer.json["detail"] and "roots" in answer.json["known"]


def test_a_way_back_of_settings_takes_no_other_key(client: FlaskClient) -> None:
    answer = client.post("/api/config/rollback", json={"revision": "5ca43129", "dry_run": True})
    assert (answer.status_code, answer.json["known"]) == (422, ["revision"])
    assert [error["path"] for error in answer.json["errors"]] == ["dry_run"]


def test_pages_and_their_buttons_are_not_judged(client: FlaskClient) -> None:
    assert client.get("/dashboard?utm_source=mail").status_code == 200
    page: dict[str, Any] = {"headers": {"HX-Request": "true"}, "data": {"button": "pressed"}}
    assert client.post("/api/workflow/run", **page).status_code == 200
    assert not nothing_was_started(client)


def test_without_a_key_nothing_is_told_of_what_an_address_knows(locked: Site) -> None:
    assert locked.client().get("/api/assets?nmae=x").status_code == 401
