"""Undo over HTTP: what it would do, the start, the refusals in words, cancelling, and taking in again."""

from __future__ import annotations

from flask.testing import FlaskClient

from app.db import batches, runs
from app.model import BatchStatus
from tests.conftest import write_tree
from tests.pipeline.running import go
from tests.pipeline.undoing import FILES, batch_up_to, make, media_tree
from tests.web.conftest import Site


def test_what_an_undo_would_do_is_told_before_anything_happens(client: FlaskClient, site: Site) -> None:
    make(site.services)
    batch_up_to(site.services, BatchStatus.SORTED)
    before = media_tree(site.services)
    seen = client.get("/api/batches/1/undo").json
    assert (seen["possible"], seen["becomes"], seen["files"]) == (True, "set_aside", len(FILES))
    assert seen["size_bytes"] == sum(len(content) for content in FILES.values())
    assert seen["peer"] == "Nothing was delivered, so nothing changes anywhere else."
    assert (media_tree(site.services), seen["obstacles"]) == (before, [])


def test_an_undo_is_started_and_its_run_can_be_followed(client: FlaskClient, site: Site) -> None:
    make(site.services)
    before = media_tree(site.services)
    batch_up_to(site.services, BatchStatus.SORTED)
    answer = client.post("/api/batches/1/undo")
    assert (answer.status_code, answer.json["started"], answer.json["batch_id"]) == (202, True, 1)
    again = client.post("/api/batches/1/undo")
    assert (again.status_code, again.json["started"]) == (200, False)
    with site.services.db.reading() as conn:
        run = runs.get(conn, answer.json["run_id"])
    go(site.services, run)
    assert media_tree(site.services) == before
    shown = client.get("/api/batches/1").json
    assert (shown["status"], shown["undone_at"] is not None) == ("CANCELLED", True)
    assert "batch take-in 1" in shown["next"]
    assert client.get(f"/api/runs/{run.id}").json["kind"] == "undo"
    taken = client.post("/api/batches/1/take-in")
    assert (taken.status_code, taken.json) == (200, {"batch_id": 1, "count": len(FILES)})
    assert client.post("/api/batches/1/undo").status_code == 409


def test_what_stands_in_the_way_is_listed_and_refused_with_a_sentence(client: FlaskClient, site: Site) -> None:
    make(site.services)
    batch_up_to(site.services, BatchStatus.SORTED)
    write_tree(site.services.config.paths.source_dir, {"empty.jpg": b"new", "trip/IMG_1.CR2": b"new"})
    seen = client.get("/api/batches/1/undo").json
    assert (seen["possible"], seen["obstacle_count"]) == (False, 2)
    assert all("taken by another file" in entry["reason"] and entry["remedy"] for entry in seen["obstacles"])
    refused = client.post("/api/batches/1/undo")
    assert refused.status_code == 409
    assert "(2 files in all)" in refused.json["detail"] and "GET /api/batches/1/undo" in refused.json["detail"]
    with site.services.db.reading() as conn:
        assert batches.get(conn, 1).status is BatchStatus.SORTED


def test_a_batch_is_cancelled_in_time_and_later_undo_is_named(client: FlaskClient, site: Site) -> None:
    make(site.services)
    batch_up_to(site.services, BatchStatus.SYNCED)
    late = client.post("/api/batches/1/cancel")
    assert late.status_code == 409 and "`media-pipeline undo 1`" in late.json["detail"]
    assert client.post("/api/batches/7/cancel").status_code == 404
    assert client.get("/api/batches/7/undo").status_code == 404


def test_a_cancelled_batch_starts_a_run_and_an_empty_one_ends_at_once(client: FlaskClient, site: Site) -> None:
    make(site.services)
    batch_up_to(site.services, BatchStatus.PENDING)
    answer = client.post("/api/batches/1/cancel")
    assert (answer.status_code, answer.json) == (202, {"started": True, "run_id": answer.json["run_id"], "batch_id": 1})
    client.post(f"/api/runs/{answer.json['run_id']}/cancel")
    with site.services.db.transaction() as conn:
        empty = batches.reserve(
            conn,
            naming_pattern="b{index}",
            allow_parallel=True,
            target="none",
            transfer_mode="move",
            peer_policy="keep",
            device_id=None,
        )
    ended = client.post(f"/api/batches/{empty.id}/cancel")
    assert (ended.status_code, ended.json["started"], ended.json["batch"]["status"]) == (200, False, "CANCELLED")
