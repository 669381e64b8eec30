"""Previews by a real worker process: asked for over the API, killed in the middle, true of the run that follows."""

from __future__ import annotations

import os
from collections.abc import Callable

from app import jobs
from app.db import assets, rehearsals
from app.model import AssetStatus, RunStatus, Stage, Trigger
from app.overview.preview import list_files, preview_summary
from app.web import create_app
from tests.pipeline.generated import OF_THE_RUN, rows_of, tree_of
from tests.worker.installation import Installation

#: What a worker writes for itself: signs of life, the configuration that it found, and how much room the disks have.
BESIDE = (*OF_THE_RUN, "facts", "config_revisions", "room_samples")


def test_a_worker_previews_and_the_run_that_follows_does_exactly_that(install: Callable[..., Installation]) -> None:
    site = install(batch={"max_files": 15, "selection_mode": "files"})
    site.fill_ingest(40, duplicates=6)
    before, rows = media_of(site), rows_of(site.services.db.path, *BESIDE)
    client = create_app(str(site.config_path)).test_client()
    worker = site.start_worker()
    run_id = client.post("/api/preview").json["run_id"]
    assert site.ended(run_id).status is RunStatus.DONE, site.output()
    assert (media_of(site), rows_of(site.services.db.path, *BESIDE)) == (before, rows)
    found = client.get("/api/preview").json
    assert (found["run"]["id"], found["is_current"], found["summary"]["batches"]["count"]) == (run_id, True, 3)
    said = {file["id"]: (file["target"], file["status"]) for file in pages_of(site, run_id)}
    real = jobs.start_workflow(site.services, Trigger.API)
    assert site.ended(real.id).status is RunStatus.DONE, site.output()
    assert places_of(site) == said
    dedup = next(step.report for step in site.steps(real.id) if step.stage is Stage.DEDUP)
    assert (dedup["read"], dedup["known"]) == (0, 46)
    assert not client.get("/api/preview").json["is_current"]
    assert site.terminate(worker) == 0


def test_a_preview_that_was_killed_goes_on_and_touches_nothing(install: Callable[..., Installation]) -> None:
    site = install(batch={"max_files": 15, "selection_mode": "files"})
    site.fill_ingest(60, size=400_000)
    before = media_of(site)
    worker = site.start_worker()
    run = jobs.start_preview(site.services, Trigger.API)
    site.until(lambda: os.path.isfile(rehearsals.path_of(site.services.db, run.id)), "the preview has its copy")
    site.kill(worker)
    assert site.run(run.id).status is RunStatus.RUNNING
    assert media_of(site) == before
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE, site.output()
    assert media_of(site) == before
    assert preview_summary(site.services, run.id)["summary"]["counts"]["archived"]["files"] == 60


def media_of(site: Installation) -> dict[bytes, tuple[int, ...]]:
    found: dict[bytes, tuple[int, ...]] = {}
    for name in ("ingest", "batches", ".mp-staging", "archive", "duplicates"):
        found |= tree_of(site.base / name)
    return found


def pages_of(site: Installation, run_id: int) -> list[dict[str, str]]:
    found, after = [], 0
    while after is not None:
        page = list_files(site.services, run_id, after_id=after, limit=17)
        found += page["files"]
        after = page["next_after_id"]
    return found


def places_of(site: Installation) -> dict[int, tuple[str, str]]:
    roots = {root.id: root.path.decode() for kind in site.services.roots.values() for root in kind}
    with site.services.db.reading() as conn:
        found = [asset for status in AssetStatus for asset in assets.list_by_status(conn, status)]
    return {asset.id: (f"{roots[asset.root_id]}/{asset.path.decode()}", asset.status.value) for asset in found}
