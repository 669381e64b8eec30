"""Filing anew over HTTP: the plan, the moves, taking them back, and who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from app.db import runs
from tests.conftest import make_jpeg
from tests.pipeline.refiling import archive, tree
from tests.pipeline.running import go
from tests.web.conftest import KEY, Site

LIBRARY = {f"{n}/IMG_1.jpg": make_jpeg(f"2024:05:0{n} 10:00:00", seed=n) for n in (1, 2, 3)}


def carry_out(site: Site, answer: Any) -> int:
    assert (answer.status_code, answer.json["started"]) == (202, True), answer.text
    with site.services.db.reading() as conn:
        run = runs.get(conn, answer.json["run_id"])
    go(site.services, run)
    return run.id


def test_a_plan_is_looked_at_carried_out_and_taken_back(client: FlaskClient, site: Site) -> None:
    before = archive(site.services, LIBRARY)
    assert client.get("/api/refile/plan").json["run"] is None
    saved = client.put("/api/config", json={"sorter": {"folder_pattern": "{year}"}})
    assert any("Plan filing anew on the page Control" in warning["message"] for warning in saved.json["warnings"])
    planned = carry_out(site, client.post("/api/refile/plan"))
    seen = client.get("/api/refile/plan").json
    assert (seen["run"]["id"], seen["is_plan"], seen["planned"]["files"]) == (planned, True, 3)
    size = len(LIBRARY["2/IMG_1.jpg"])
    assert {"from": "2024/05/02", "to": "2024", "files": 1, "size_bytes": size} in seen["folders"]
    page = client.get(f"/api/refile/{planned}/files?state=planned&limit=2").json
    assert [file["to"] for file in page["files"]] == ["2024/IMG_1.jpg", "2024/IMG_1_1.jpg"]
    last = client.get(f"/api/refile/{planned}/files?after_id={page['next_after_id']}").json
    assert [file["to"] for file in last["files"]] == ["2024/IMG_1_2.jpg"]
    assert tree(site.services) == before
    moved = carry_out(site, client.post("/api/refile", json={"plan": planned}))
    shown = client.get(f"/api/refile/{moved}").json
    assert (shown["is_plan"], shown["done"]["files"], shown["differing"]) == (False, 3, 0)
    assert [*tree(site.services)] == ["2024/IMG_1.jpg", "2024/IMG_1_1.jpg", "2024/IMG_1_2.jpg"]
    assert client.get("/api/refile/plan").json["run"]["id"] == planned
    carry_out(site, client.post(f"/api/refile/{moved}/undo", json={"dry_run": True}))
    carry_out(site, client.post(f"/api/refile/{moved}/undo"))
    assert tree(site.services) == before


def test_what_is_no_such_run_or_no_such_key_is_refused(client: FlaskClient, site: Site) -> None:
    archive(site.services, LIBRARY)
    assert client.get("/api/refile/1").status_code == 404
    assert client.post("/api/refile/1/undo").status_code == 404
    assert client.post("/api/refile", json={"plan": 1}).status_code == 404
    planned = carry_out(site, client.post("/api/refile/plan", json={"asset_ids": [1]}))
    assert client.post(f"/api/refile/{planned}/undo").status_code == 409
    assert client.post("/api/refile/plan", json={"decided_since": "2026-13-01"}).status_code == 400
    assert client.post("/api/refile/plan", json={"wrong": 1}).status_code == 422
    assert client.get(f"/api/refile/{planned}/files?state=lost").status_code == 422


def test_only_an_admin_moves_what_is_archived(make_site: Callable[..., Site]) -> None:
    keys = [{"name": scope, "key": f"{scope}-{KEY}", "scope": scope} for scope in ("read", "run", "admin")]
    site = make_site(auth={"keys": keys})
    client = site.app.test_client()

    def status(scope: str, path: str) -> int:
        return client.post(path, headers={"x-api-key": f"{scope}-{KEY}"}).status_code

    assert [status(scope, "/api/refile") for scope in ("read", "run")] == [403, 403]
    assert [status(scope, "/api/refile/1/undo") for scope in ("read", "run", "admin")] == [403, 403, 404]
    assert [status(scope, "/api/refile/plan") for scope in ("read", "run")] == [403, 202]
