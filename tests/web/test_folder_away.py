"""A folder that is not mounted when the processes start: they come up, say so everywhere, and work when it is back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.model import AssetStatus, RootKind, RunStatus
from tests.web.conftest import KEY, Site
from tests.web.serving import WebServer, on_loopback
from tests.worker.installation import Installation

MARKER = ".media-pipeline-root"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path, system=on_loopback()) as made:
        yield made


@pytest.mark.parametrize("kind", ["ingest", "batches", "archive"])
def test_web_and_worker_start_without_a_folder_say_so_and_work_when_it_is_back(kind: str, site: Installation) -> None:
    site.fill_ingest(3)
    before = site.census()
    # What a share leaves behind that is not mounted: an empty folder without the marker.
    site.folder(kind).rename(site.base / "the share")
    site.folder(kind).mkdir()
    worker = site.start_worker()
    with WebServer(site) as web:
        assert web.ask("GET", "/health") == (200, {"status": "ok"})
        status, problem = web.ask("GET", "/ready")
        sentence = problem["detail"]
        assert (status, problem["cause"]) == (503, "folder")
        assert f"folder {site.folder(kind)} cannot be used: its marker file {MARKER} is missing" in sentence
        assert sentence in web.ask("GET", "/dashboard", accept="text/html")[1]
        assert sentence in [w["message"] for w in web.ask("GET", "/api/workflow/overview")[1]["warnings"]]
        run_id = web.ask("POST", "/api/workflow/run")[1]["run_id"]
        site.until(lambda: site.run(run_id).status is RunStatus.WAITING, "the run waits")
        told = web.ask("GET", "/api/workflow/overview")[1]["waits_for"]
        assert str(site.folder(kind)) in told and "goes on by itself when it is back" in told
        assert worker.poll() is None
        assert os.listdir(site.folder(kind)) == []

        site.folder(kind).rmdir()
        (site.base / "the share").rename(site.folder(kind))
        site.until(lambda: web.ask("GET", "/ready") == (200, {"status": "ready"}), "it is ready", 20)
        assert site.ended(run_id).status is RunStatus.DONE, site.run(run_id).error
    assert worker.poll() is None
    assert (site.counts(), site.census()) == ({AssetStatus.ARCHIVED: 3}, before)


def test_a_worker_that_has_moves_to_recover_waits_for_their_folder(site: Installation) -> None:
    site.fill_ingest(300)
    before = site.census()
    worker = site.start_worker()
    with WebServer(site) as web:
        run_id = web.ask("POST", "/api/workflow/run")[1]["run_id"]
        site.until(lambda: any(site.folder("archive").glob("2*/**/*.jpg")), "the first file is archived")
        site.kill(worker)
        site.folder("archive").rename(site.base / "the share")
        worker = site.start_worker()
        assert web.ask("GET", "/ready")[0] == 503
        site.until(lambda: site.run(run_id).status is RunStatus.WAITING, "the run waits")
        assert str(site.folder("archive")) in web.ask("GET", "/api/workflow/overview")[1]["waits_for"]
        assert worker.poll() is None
        (site.base / "the share").rename(site.folder("archive"))
        assert site.ended(run_id).status is RunStatus.DONE, site.run(run_id).error
    assert (site.counts(), site.census()) == ({AssetStatus.ARCHIVED: 300}, before)
    assert (site.leftovers(), site.open_moves()) == ([], 0)


def test_who_has_no_key_learns_that_it_is_not_ready_and_not_why(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"api_key": KEY})
    ingest = site.services.root(RootKind.INGEST).path
    os.unlink(os.path.join(ingest, MARKER.encode()))
    client = site.app.test_client()
    for headers, told in (({}, False), ({"x-api-key": "wrong"}, False), ({"x-api-key": KEY}, True)):
        answer = client.get("/ready", headers=headers)
        assert (answer.status_code, answer.get_json()["cause"]) == (503, "folder")
        assert (ingest in answer.data) is told


def test_a_delivery_disk_that_is_unplugged_does_not_count(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(sync={"target": "folder", "folder_dir": str(tmp_path / "disk")})
    os.unlink(tmp_path / "disk" / MARKER)
    assert site.app.test_client().get("/ready").status_code == 200
