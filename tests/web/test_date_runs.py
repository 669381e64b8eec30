"""Sidecars and reading what was never recorded, over the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app import jobs
from app.model import Stage
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows
from tests.web.conftest import Site

DECIDE, URL = "/api/dates/decisions", "/api/dates/sidecars"


@pytest.fixture
def archived(make_site: Callable[..., Site]) -> Site:
    site = make_site(sync={"target": "none"})
    write_tree(site.services.config.paths.source_dir, {"a.jpg": make_jpeg("2024:05:06 07:08:09")})
    workflow(site.services)
    return site


def due(site: Site) -> int:
    with site.services.db.reading() as conn:
        return int(conn.exec_driver_sql("SELECT COUNT(*) FROM date_sidecars WHERE due_at IS NOT NULL").scalar() or 0)


def test_sidecars_are_counted_then_asked_for(archived: Site) -> None:
    client = archived.client()
    asset_id = next(iter(rows(archived.services).values())).id
    assert client.post(URL).json == {"started": False, "run_id": None, "files": 0, "dry_run": False}
    client.post(DECIDE, json={"action": "set", "value": "1985-06-01", "asset_ids": [asset_id]})
    assert client.post(URL, json={"dry_run": True}).json["files"] == 1
    assert due(archived) == 0
    answer = client.post(URL, json={"asset_ids": [asset_id]})
    assert (answer.status_code, answer.json["started"], answer.json["files"], due(archived)) == (202, True, 1, 1)
    again = client.post(URL)
    assert (again.status_code, again.json["started"], again.json["files"]) == (200, False, 1)
    assert client.post(URL, json={"asset_ids": [99]}).status_code == 404
    assert client.post(URL, json={"colour": 1}).status_code == 422


def test_a_decision_can_ask_for_sidecars(archived: Site) -> None:
    client = archived.client()
    asset_id = next(iter(rows(archived.services).values())).id
    asked = {"action": "accept", "asset_ids": [asset_id], "sidecars": True}
    assert client.post(DECIDE, json={**asked, "dry_run": True}).status_code == 200
    assert due(archived) == 0
    assert client.post(DECIDE, json=asked).status_code == 200
    assert due(archived) == 1


def test_reading_is_started_once(archived: Site) -> None:
    client = archived.client()
    answer = client.post("/api/dates/read")
    assert (answer.status_code, answer.json["started"]) == (202, True)
    assert client.post("/api/dates/read").json["started"] is False
    with archived.services.db.reading() as conn:
        assert jobs.worker_alive(archived.services) is False
        (stages,) = conn.exec_driver_sql("SELECT stages FROM runs ORDER BY id DESC LIMIT 1").one()
    assert Stage.READ_DATES in stages
