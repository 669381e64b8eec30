"""The routes of the original description answer as it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.db import batches, runs
from app.model import WORKFLOW_STAGES, BatchStatus, Report, RunStatus, Stage, StepStatus
from tests.browser import rows
from tests.web.conftest import Site


def test_starting_the_workflow_answers_at_once_with_the_run(client: FlaskClient, site: Site) -> None:
    answer = client.post("/api/workflow/run")
    assert (answer.status_code, answer.json) == (202, {"started": True, "run_id": 1})
    with site.services.db.reading() as conn:
        run = runs.get(conn, 1)
    assert (run.status, run.stages) == (RunStatus.QUEUED, WORKFLOW_STAGES)


def test_a_second_start_says_why_nothing_was_started(client: FlaskClient) -> None:
    client.post("/api/workflow/run")
    answer = client.post("/api/workflow/run")
    assert answer.status_code == 200
    assert answer.json["started"] is False
    assert answer.json["run_id"] == 1
    assert "Run 1 is queued" in answer.json["reason"]


@pytest.mark.parametrize(
    ("url", "stages"),
    [("/api/dedup/start", (Stage.SCAN, Stage.DEDUP)), ("/api/cleanup/run", (Stage.CLEANUP,))],
)
def test_each_stage_can_be_started_alone(client: FlaskClient, site: Site, url: str, stages: tuple[Stage, ...]) -> None:
    assert client.post(url).status_code == 202
    with site.services.db.reading() as conn:
        assert runs.get(conn, 1).stages == stages


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "application/xml", "image/jpeg"])
def test_an_action_takes_any_body_of_any_type(client: FlaskClient, content_type: str | None) -> None:
    for number, body in enumerate((b"", b"{}", b"\xff\xfe not json"), start=1):
        assert client.post("/api/workflow/run", data=body, content_type=content_type).status_code == 202
        client.post(f"/api/runs/{number}/cancel")


def test_the_status_tells_each_step_of_the_present_run(client: FlaskClient, site: Site) -> None:
    run, _ = rows.start_run(site.services)
    status = client.get("/api/workflow/status").json
    assert (status["running"], status["run_id"], status["error"]) == (True, run.id, None)
    steps = status["last_result"]["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [("scan", "completed"), ("dedup", "running")]
    assert steps[0]["message"] == "1,400 new files, 3 left in place."
    assert steps[0]["data"]["done"] == 1400
    assert steps[1]["progress"] == 22.9
    assert status["debug"]["current_step"] == "dedup"


def test_the_status_of_a_failed_run_names_the_error(client: FlaskClient, site: Site) -> None:
    run, step = rows.start_run(site.services)
    with site.services.db.transaction() as conn:
        runs.end_step(conn, step, StepStatus.FAILED, Report("failed", "The disk is full."), "The disk is full.")
        runs.change(conn, runs.get(conn, run.id), RunStatus.FAILED, error="The disk is full.")
    status = client.get("/api/workflow/status").json
    assert (status["running"], status["error"]) == (False, "The disk is full.")
    assert status["last_result"]["errors"] == ["dedup: The disk is full."]
    assert status["last_result"]["finished_at"]


def test_a_new_batch_is_named_at_once(client: FlaskClient, site: Site) -> None:
    answer = client.post("/api/batch/create")
    assert answer.status_code == 202
    assert answer.json == {
        "created": True, "started": True, "batch_id": 1, "batch_name": "batch_001", "run_id": 1,
    }  # fmt: skip
    assert client.get("/api/batches/1").json["status"] == "PENDING"


def test_a_refused_batch_names_the_one_in_the_way(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    answer = client.post("/api/batch/create")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    blocking = {key: answer.json[key] for key in ("blocking_batch", "blocking_batch_id", "blocking_status")}
    assert blocking == {"blocking_batch": "batch_001", "blocking_batch_id": batch_id, "blocking_status": "SYNCING"}


def test_the_batch_list_gives_the_ids_that_sync_and_sort_take(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    for url in ("/api/batch/list", "/api/batches"):
        assert [batch["id"] for batch in client.get(url).json["batches"]] == [batch_id]
    assert client.get(f"/api/sync/status/{batch_id}").status_code == 200
    assert client.get(f"/api/sort/status/{batch_id}").status_code == 200


@pytest.mark.parametrize("url", ["/api/workflow/sort/{}", "/api/sort/start/{}"])
def test_a_batch_that_was_never_delivered_is_not_archived(client: FlaskClient, site: Site, url: str) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    answer = client.post(url.format(batch_id))
    assert answer.status_code == 409
    assert "SYNCING" in answer.json["detail"]
    with site.services.db.reading() as conn:
        assert batches.get(conn, batch_id).status is BatchStatus.SYNCING
        assert runs.list_recent(conn) == []


@pytest.mark.parametrize("url", ["/api/workflow/sync/{}", "/api/sync/start/{}"])
def test_a_batch_can_be_delivered_by_its_id(client: FlaskClient, site: Site, url: str) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    answer = client.post(url.format(batch_id))
    assert answer.status_code == 202
    assert answer.json == {"started": True, "run_id": 1, "batch_id": 1, "batch": "batch_001", "status": "SYNCING"}


@pytest.mark.parametrize("url", ["/api/workflow/sync/9", "/api/sync/start/9", "/api/workflow/sort/9"])
def test_an_unknown_batch_is_not_found(client: FlaskClient, url: str) -> None:
    answer = client.post(url)
    assert (answer.status_code, answer.json["detail"]) == (404, "There is no batch 9.")


def test_the_sync_status_is_in_percent_and_below_100_until_all_is_proven(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services, confirmed=639)
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, confirmed_bytes=640 * rows.SIZE_BYTES)
    assert client.get(f"/api/sync/status/{batch_id}").json["progress"] == 99.9
    with site.services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SYNCED)
    status = client.get(f"/api/sync/status/{batch_id}").json
    assert (status["progress"], status["status"]) == (100.0, "SYNCED")
    assert status["synced_at"]


def test_asking_for_a_sync_status_changes_nothing(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services, confirmed=640)
    for _ in range(3):
        assert client.get(f"/api/sync/status/{batch_id}").json["status"] == "SYNCING"


def test_refreshing_makes_every_delivery_due(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    answer = client.post("/api/workflow/sync/refresh")
    assert answer.status_code == 202
    assert answer.json["count"] == 1
    assert answer.json["batches"][0]["batch_id"] == batch_id
    assert answer.json["batches"][0]["next_look_at"]


def test_a_debug_pause_is_shown_and_can_be_ended(make_site: Callable[..., Site]) -> None:
    site = make_site(workflow={"debug": {"enabled": True}})
    client = site.client()
    assert client.post("/api/workflow/debug/advance").status_code == 409
    client.post("/api/workflow/run")
    client.post("/api/runs/1/pause")
    assert client.get("/api/workflow/status").json["debug"]["waiting"] is True
    assert client.post("/api/workflow/debug/advance").json["waiting"] is False
    assert client.get("/api/runs/1").json["status"] == "queued"


def test_a_run_can_be_paused_resumed_and_cancelled(client: FlaskClient) -> None:
    client.post("/api/workflow/run")
    assert client.post("/api/runs/1/pause").json["status"] == "paused"
    assert client.post("/api/runs/1/resume").json["status"] == "queued"
    assert client.post("/api/runs/1/cancel").json["status"] == "cancelled"
    refused = client.post("/api/runs/1/retry")
    assert refused.status_code == 409
    assert "cancelled" in refused.json["detail"]


def test_runs_are_listed_newest_first_and_paged_by_key(client: FlaskClient) -> None:
    for number in (1, 2, 3):
        client.post("/api/workflow/run")
        client.post(f"/api/runs/{number}/cancel")
    first = client.get("/api/runs?limit=2").json
    assert [run["id"] for run in first["runs"]] == [3, 2]
    rest = client.get(f"/api/runs?limit=2&before_id={first['next_before_id']}").json
    assert ([run["id"] for run in rest["runs"]], rest["next_before_id"]) == ([1], None)


def test_the_journal_can_be_followed_from_an_id_on(client: FlaskClient) -> None:
    client.post("/api/workflow/run")
    seen = client.get("/api/journal?kind=run.").json
    assert seen["events"][0]["kind"] == "run.requested"
    client.post("/api/runs/1/cancel")
    news = client.get(f"/api/journal?after_id={seen['last_id']}").json
    assert [event["kind"] for event in news["events"]] == ["run.cancelled"]
    later = client.get(f"/api/journal?after_id={news['last_id']}").json
    assert later == {"events": [], "last_id": news["last_id"], "next_before_id": None, "has_more": False}
