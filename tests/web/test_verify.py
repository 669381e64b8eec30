"""Verification and findings over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import runs
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go
from tests.pipeline.verifying import archive_of, edit, events, flip_a_byte, path_of, root
from tests.web.conftest import KEY, Site


def carry_out(services: Services, run_id: int) -> None:
    """What the worker does."""
    with services.db.reading() as conn:
        run = runs.get(conn, run_id)
    go(services, run)


def verify(client: FlaskClient, services: Services, **body: Any) -> dict[str, Any]:
    """The status after a verification that was asked for over HTTP."""
    answer = client.post("/api/verify", json=body) if body else client.post("/api/verify")
    assert answer.status_code == 202, answer.text
    carry_out(services, answer.json["run_id"])
    status: dict[str, Any] = client.get("/api/verify").json
    return status


def test_before_the_first_verification_nothing_is_verified(client: FlaskClient) -> None:
    status = client.get("/api/verify").json
    assert (status["run"], status["findings"]["total"], status["next_at"]) == (None, 0, None)
    assert status["coverage"]["archive"] == {"files": 0, "never_verified": 0, "oldest_verified_at": None}


def test_a_verification_tells_how_much_was_verified_when(client: FlaskClient, site: Site) -> None:
    archive_of(site.services, 3)
    assert client.get("/api/verify").json["coverage"]["archive"]["never_verified"] == 3
    status = verify(client, site.services)
    archive = status["coverage"]["archive"]
    assert (archive["files"], archive["never_verified"]) == (3, 0)
    assert archive["oldest_verified_at"] >= status["run"]["started_at"]
    assert status["run"]["steps"][0]["message"] == "3 files are as they were."


def test_the_arguments_reach_the_run(client: FlaskClient, site: Site) -> None:
    wanted = {"roots": ["archive"], "max_mb_per_second": 50, "max_minutes": 90, "older_than_days": 30}
    run_id = client.post("/api/verify", json=wanted).json["run_id"]
    assert client.get(f"/api/runs/{run_id}").json["arguments"] == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"roots": ["everything"]},
        {"roots": []},
        {"roots": "archive"},
        {"max_mb_per_second": -1},
        {"max_mb_per_second": "5"},
        {"max_minutes": -1},
        {"max_minutes": 1_000_000},
        {"older_than_days": 1.5},
        {"older_than_days": -1},
        {"unknown": 1},
        [],
    ],
)
def test_arguments_that_mean_nothing_are_refused_and_start_nothing(client: FlaskClient, site: Site, body: Any) -> None:
    answer = client.post("/api/verify", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"]
    assert client.get("/api/runs").json["runs"] == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json", None])
def test_an_empty_body_of_any_kind_means_everything(client: FlaskClient, kind: str | None) -> None:
    answer = client.post("/api/verify", data=b"", content_type=kind)
    assert (answer.status_code, answer.json["started"]) == (202, True)


def test_beside_another_run_it_is_not_started(client: FlaskClient) -> None:
    client.post("/api/workflow/run")
    answer = client.post("/api/verify")
    assert (answer.status_code, answer.json["started"]) == (200, False)


def test_findings_are_listed_by_kind_and_page_with_what_to_do(client: FlaskClient, site: Site) -> None:
    one, two, three = archive_of(site.services, 3)
    flip_a_byte(path_of(site.services, one))
    os.unlink(path_of(site.services, two))
    edit(path_of(site.services, three))
    counts = verify(client, site.services)["findings"]
    assert (counts["altered"], counts["missing"], counts["total"]) == (2, 1, 3)
    first = client.get("/api/findings?limit=2").json
    rest = client.get(f"/api/findings?limit=2&after_id={first['next_after_id']}").json
    listed = first["findings"] + rest["findings"]
    assert [finding["asset_id"] for finding in listed] == [one.id, two.id, three.id]
    assert rest["next_after_id"] is None
    assert all(finding["remedy"] and finding["reason"] for finding in listed)
    missing = client.get("/api/findings?kind=missing").json["findings"]
    assert [finding["place"] for finding in missing] == [os.fsdecode(path_of(site.services, two))]
    assert client.get(f"/api/findings/{missing[0]['id']}").json == missing[0]
    assert client.get("/api/findings?kind=other").status_code == 422
    assert client.get("/api/findings/4711").status_code == 404


def test_the_overview_warns_of_what_is_not_as_it_was(client: FlaskClient, site: Site) -> None:
    one, _ = archive_of(site.services, 2)
    flip_a_byte(path_of(site.services, one))
    write_tree(root(site.services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(client, site.services)
    seen = client.get("/api/workflow/overview").json
    told = {warning["message"]: warning for warning in seen["warnings"]}
    grave = told["1 file is not as it was, says the last verification: 1 altered."]
    assert (grave["level"], "backup" in grave["remedy"]) == ("error", True)
    assert told["Files lie in our folders that we did not put there so: 1 known to no row."]["level"] == "warning"
    assert seen["balance"]["adds_up"]


def test_a_finding_is_accepted_once_with_who_did_it(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"api_key": KEY})
    client = site.client()
    client.environ_base["HTTP_X_API_KEY"] = KEY
    (asset,) = archive_of(site.services, 1)
    edit(path_of(site.services, asset))
    verify(client, site.services)
    (finding,) = client.get("/api/findings").json["findings"]
    answer = client.post(f"/api/findings/{finding['id']}/accept")
    assert (answer.status_code, answer.json["asset_id"], answer.json["kind"]) == (200, asset.id, "altered")
    assert client.post(f"/api/findings/{finding['id']}/accept").status_code == 404
    assert [event.detail["actor"] for event in events(site.services, "finding.")] == ["main"]
    assert client.get("/api/workflow/overview").json["findings"]["total"] == 0


def test_a_foreign_file_is_ignored_and_reported_again(client: FlaskClient, site: Site) -> None:
    archive_of(site.services, 1)
    write_tree(root(site.services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(client, site.services)
    (finding,) = client.get("/api/findings").json["findings"]
    path = f"/api/findings/{finding['id']}"
    assert client.post(f"{path}/accept", json={"how": "delete"}).status_code == 422
    assert client.post(f"{path}/report").status_code == 409
    assert client.post(f"{path}/accept", json={"how": "ignore"}).status_code == 200
    assert client.get("/api/findings").json["findings"] == []
    assert len(client.get("/api/findings?kind=ignored").json["findings"]) == 1
    assert client.post(f"{path}/report").status_code == 200
    assert len(client.get("/api/findings").json["findings"]) == 1
    assert client.post(f"{path}/accept", json={"how": "adopt"}).json["asset_id"] is not None


def test_what_changed_again_gives_409_with_what_to_do(client: FlaskClient, site: Site) -> None:
    (asset,) = archive_of(site.services, 1)
    edit(path_of(site.services, asset))
    verify(client, site.services)
    edit(path_of(site.services, asset), b"again")
    (finding,) = client.get("/api/findings").json["findings"]
    answer = client.post(f"/api/findings/{finding['id']}/accept")
    assert (answer.status_code, "verify again" in answer.json["detail"]) == (409, True)


def test_all_of_a_kind_are_accepted_over_http_and_a_kind_that_was_not_seen_is_409(
    client: FlaskClient, site: Site
) -> None:
    one, two, three = archive_of(site.services, 3)
    edit(path_of(site.services, one))
    edit(path_of(site.services, two))
    os.unlink(path_of(site.services, three))
    verify(client, site.services)
    (missing,) = client.get("/api/findings?kind=missing").json["findings"]
    answer = client.post(f"/api/findings/{missing['id']}/accept", json={"kind": "altered"})
    assert (answer.status_code, "is missing now, not altered" in answer.json["detail"]) == (409, True)
    assert client.post("/api/findings/accept", json={}).status_code == 422
    assert client.post("/api/findings/accept", json={"kind": "unreadable"}).status_code == 422
    answer = client.post("/api/findings/accept", json={"kind": "altered"}).json
    assert (answer["accepted"], answer["refused"], answer["next_after_id"]) == (2, 0, None)
    assert [finding["kind"] for finding in client.get("/api/findings").json["findings"]] == ["missing"]
