"""Rebuild and backup over the API: what is shown, who may, and that nothing outside the folder is served."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import jobs
from app.db import runs
from app.model import Trigger
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go
from tests.web.conftest import KEY, Site


def compared(site: Site) -> None:
    write_tree(site.services.config.paths.sorted_dir, {"1999/old.jpg": make_jpeg(seed=3)})
    go(site.services, jobs.start_comparison(site.services, Trigger.API))


def test_without_a_rebuild_there_is_nothing_to_show_or_confirm(client: FlaskClient) -> None:
    assert client.get("/api/rebuild").json["state"] == "none"  # type: ignore[index]
    assert client.get("/api/rebuild/files").json == {"files": [], "next_after_id": None}
    assert client.get("/api/rebuild/missing").json == {"missing": [], "next_after_id": None}
    assert client.post("/api/rebuild/confirm").status_code == 409


def test_a_comparison_is_started_shown_first_among_the_warnings_and_confirmed(client: FlaskClient, site: Site) -> None:
    started = client.post("/api/rebuild")
    assert started.status_code == 202
    assert client.post("/api/workflow/run").status_code in (200, 409)
    with site.services.db.reading() as conn:
        run = runs.get(conn, started.json["run_id"])  # type: ignore[index]
    go(site.services, run)
    compared(site)
    shown = client.get("/api/rebuild").json
    assert shown is not None
    assert shown["state"] == "unconfirmed"
    assert shown["worth_a_look"] == [[1, "files of the archive that no manifest names"]]
    (file,) = client.get("/api/rebuild/files?finding=no_manifest").json["files"]  # type: ignore[index]
    assert file["path"].endswith("/archive/1999/old.jpg")
    refused = client.post("/api/workflow/run")
    assert (refused.status_code, "nothing moves" in refused.json["detail"]) == (409, True)  # type: ignore[index]
    overview = client.get("/api/workflow/overview").json
    assert overview is not None
    assert "nothing moves" in overview["warnings"][0]["message"]
    assert client.post("/api/rebuild/confirm").json["state"] == "confirmed"  # type: ignore[index]
    assert client.post("/api/workflow/run").status_code == 202


def test_a_backup_is_made_listed_and_fetched_whole(client: FlaskClient, site: Site) -> None:
    made = client.post("/api/backup")
    assert made.status_code == 201
    name = made.json["name"]  # type: ignore[index]
    assert [b["name"] for b in client.get("/api/backup").json["backups"]] == [name]  # type: ignore[index]
    fetched = client.get(f"/api/backup/{name}")
    assert (fetched.status_code, fetched.mimetype) == (200, "application/gzip")
    assert hashlib.sha256(fetched.data).hexdigest() == made.json["sha256"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["..%2fconfig.yaml", "%2e%2e", "config.yaml", "db.sqlite", "x%00y", "backups"])
def test_nothing_but_a_listed_backup_is_served(client: FlaskClient, site: Site, name: str) -> None:
    client.post("/api/backup")
    assert client.get(f"/api/backup/{name}").status_code == 404


def test_a_link_among_the_backups_is_not_followed(client: FlaskClient, site: Site) -> None:
    client.post("/api/backup")
    folder = Path(site.services.state_dir) / "backups"
    link = folder / "media-pipeline-backup-20000101T000000Z.tar.gz"
    link.symlink_to(site.config_path)
    assert client.get(f"/api/backup/{link.name}").status_code == 404


def test_only_an_admin_key_makes_or_reads_backups_and_confirms(make_site: Callable[..., Site]) -> None:
    keys = [{"name": "viewer", "key": "viewer-key-0123456789", "scope": "read"}]
    site = make_site(auth={"api_key": KEY, "keys": keys})
    paths = {"post": ["/api/backup", "/api/rebuild", "/api/rebuild/confirm"], "get": ["/api/backup"]}
    for method, path in [(method, path) for method, listed in paths.items() for path in listed]:
        answer = getattr(site.client(), method)(path, headers={"x-api-key": keys[0]["key"]})
        assert answer.status_code == 403, path
    assert site.client().get("/api/rebuild", headers={"x-api-key": keys[0]["key"]}).status_code == 200
    assert site.client().post("/api/backup", headers={"x-api-key": KEY}).status_code == 201
