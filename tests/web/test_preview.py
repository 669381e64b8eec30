"""Previews over the API: started, followed, read page by page, and as documented."""

from __future__ import annotations

import json
import re

from flask.testing import FlaskClient

from app import jobs
from app.db import runs
from app.model import RunStatus, Trigger
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go, workflow
from tests.web.conftest import Site
from tests.web.test_api_docs import missing, sections


def fill(site: Site) -> None:
    picture = make_jpeg(taken="2024:05:06 07:08:09", seed=1)
    tree = {"a.jpg": picture, "again.jpg": picture, "b<script>.jpg": b"undated", "bad\udcff.jpg": b"other"}
    write_tree(site.services.config.paths.source_dir, tree)


def make_preview(site: Site, client: FlaskClient) -> int:
    answer = client.post("/api/preview")
    assert (answer.status_code, answer.json["started"]) == (202, True)
    with site.services.db.reading() as conn:
        run = runs.get(conn, answer.json["run_id"])
    assert go(site.services, run).status is RunStatus.DONE
    return run.id


def test_a_preview_is_started_followed_and_read(site: Site, client: FlaskClient) -> None:
    fill(site)
    run_id = make_preview(site, client)
    newest = client.get("/api/preview").json
    assert (newest["run"]["id"], newest["is_finished"], newest["is_current"]) == (run_id, True, True)
    assert newest == client.get(f"/api/preview/{run_id}").json
    assert newest["summary"]["counts"]["archived"]["files"] == 3
    files = client.get(f"/api/preview/{run_id}/files?limit=3").json
    rest = client.get(f"/api/preview/{run_id}/files?limit=3&after_id={files['next_after_id']}").json
    names = {file["path"].rpartition("/")[2] for file in files["files"] + rest["files"]}
    assert names == {"a.jpg", "again.jpg", "b<script>.jpg", "bad\\xff.jpg"}
    (duplicate,) = client.get(f"/api/preview/{run_id}/duplicates").json["duplicates"]
    assert duplicate["duplicate_of"]["path"].endswith("/ingest/a.jpg")
    (batch,) = client.get(f"/api/preview/{run_id}/batches").json["batches"]
    assert (batch["name"], batch["is_new"], batch["file_count"]) == ("batch_001", True, 3)
    which = f"only_weak=true&batch_id={batch['id']}&status=archived"
    assert len(client.get(f"/api/preview/{run_id}/files?{which}").json["files"]) == 2


def test_the_examples_in_the_documentation_have_the_keys_of_the_answers(site: Site, client: FlaskClient) -> None:
    fill(site)
    run_id = make_preview(site, client)
    documented = {path: text for (method, path), text in sections().items() if method == "GET" and "preview" in path}
    assert len(documented) == 5
    for path, text in documented.items():
        example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
        assert example is not None
        answer = client.get(path.replace("{run_id}", str(run_id))).json
        assert missing(json.loads(example[1]), answer) == [], path


def test_what_there_is_no_preview_of_is_a_problem_in_words(site: Site, client: FlaskClient) -> None:
    assert client.get("/api/preview").status_code == 404
    run = workflow(site.services)
    for path in ("", "/files", "/duplicates", "/batches"):
        answer = client.get(f"/api/preview/{run.id}{path}")
        assert (answer.status_code, answer.json["title"]) == (404, "Not found")
    queued = jobs.start_preview(site.services, Trigger.API)
    unfinished = client.get(f"/api/preview/{queued.id}").json
    assert (unfinished["summary"], unfinished["is_finished"], unfinished["has_lists"]) == (None, False, False)
    assert "is not finished" in client.get(f"/api/preview/{queued.id}/files").json["detail"]
    refused = client.post("/api/preview")
    assert (refused.status_code, refused.json["started"]) == (200, False)
    assert client.get(f"/api/preview/{queued.id}/files?limit=0").status_code == 422
