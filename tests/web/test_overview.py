"""The overview: numbers that add up, warnings in words, and nothing that could hang it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import assets, batches, left_in_place
from app.db.clock import now
from app.files.lone_sidecars import ALONE, reason_since
from app.model import AssetStatus, BatchStatus, RootKind, Signature
from app.overview import balance
from app.overview import roots as root_looks
from tests.browser import rows
from tests.web.conftest import Site


def test_every_file_seen_is_in_exactly_one_line(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    balance = client.get("/api/workflow/overview").json["balance"]
    lines = {line["key"]: line["files"] for line in balance["lines"]}
    assert lines == {
        "duplicate": 212, "set_aside": 3, "waiting": 1400, "in_batch": 640, "delivered": 0, "archived": 5200,
        "failed": 2, "gone": 0,
    }  # fmt: skip
    assert balance["seen"] == {"files": 7457, "bytes": 7457 * rows.SIZE_BYTES}
    assert balance["adds_up"] is True


def test_totals_that_differ_from_the_rows_are_admitted(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE totals SET file_count = file_count + 1 WHERE status = 'archived'")
    seen = client.get("/api/workflow/overview").json
    assert seen["balance"]["adds_up"] is False
    assert any("does not add up" in warning["message"] for warning in seen["warnings"])


def test_a_large_library_is_counted_behind_the_answer(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "COUNTED_AT_ONCE", 1_000)
    rows.fill(site.services)
    assert client.get("/api/workflow/overview").json["balance"]["adds_up"] in (None, True)
    balance._counting[site.services.db.path].join()
    assert client.get("/api/workflow/overview").json["balance"]["adds_up"] is True
    assert "adds up" in client.get("/dashboard").text


def test_batches_ever_delivered_stay_counted_after_they_are_archived(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    counts = client.get("/api/dashboard").json["batches"]
    assert (counts["total"], counts["synced"], counts["sorted"]) == (3, 3, 3)
    assert counts["by_status"]["SORTED"] == 3


def test_the_recent_batches_are_the_last_five(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    ids = [rows.add_syncing_batch(site.services) for _ in range(4)]
    seen = client.get("/api/workflow/overview").json
    assert [batch["id"] for batch in seen["recent_batches"]] == [*reversed(ids), 3]
    assert [sync["batch_id"] for sync in seen["syncing_batches"]] == ids


def test_every_batch_that_stopped_is_told_of_however_old_it_is(client: FlaskClient, site: Site) -> None:
    def stop(number: int) -> None:
        batch_id = rows.add_syncing_batch(site.services)
        with site.services.db.transaction() as conn:
            batches.change(conn, batches.get(conn, batch_id), BatchStatus.ERROR, error=f"Reason {number}.")

    stop(0)
    for _ in range(6):
        rows.add_syncing_batch(site.services)
    told = [w["message"] for w in client.get("/api/workflow/overview").json["warnings"] if "stopped" in w["message"]]
    assert len(told) == 1 and told[0].endswith("stopped: Reason 0.")
    for number in range(1, 8):
        stop(number)
    told = [w["message"] for w in client.get("/api/workflow/overview").json["warnings"] if "stopped" in w["message"]]
    assert [line.rpartition(" ")[2] for line in told] == ["7.", "6.", "5.", "4.", "3.", "stopped."]
    assert told[-1] == "3 more batches have stopped."


def test_a_missing_marker_is_a_warning_that_names_the_folder(client: FlaskClient, site: Site, tmp_path: Path) -> None:
    os.unlink(tmp_path / "archive" / ".media-pipeline-root")
    seen = client.get("/api/workflow/overview").json
    faults = {root["kind"]: root["fault"] for root in seen["roots"]}
    assert "marker" in faults["archive"]
    assert faults["ingest"] is None
    assert any(str(tmp_path / "archive") in warning["message"] for warning in seen["warnings"])


def test_a_share_that_does_not_answer_does_not_hang_the_page(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root_looks, "inspect_root", lambda *_: time.sleep(3))
    began = time.monotonic()
    seen = client.get("/api/workflow/overview").json
    assert time.monotonic() - began < 2
    assert all("does not answer" in root["fault"] for root in seen["roots"])


def test_looking_at_the_pages_never_asks_syncthing(make_site: Callable[..., Site]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = make_site(sync={"target": "syncthing"}, syncthing={"api_url": address, "folder_id": "f", "api_key": "k"})
        batch_id = rows.add_syncing_batch(site.services)
        client = site.client()
        for url in ("/dashboard", "/control", "/partials/overview", "/api/workflow/overview", "/api/dashboard",
                    "/api/workflow/status", f"/api/sync/status/{batch_id}"):  # fmt: skip
            assert client.get(url).status_code == 200
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_dashboard_numbers_come_without_a_walk_through_the_archive(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.fill(site.services)

    def refuse(*_: object) -> None:
        raise AssertionError("a folder was read")

    for name in ("scandir", "listdir", "walk"):
        monkeypatch.setattr(os, name, refuse)
    numbers = client.get("/api/dashboard").json
    assert numbers["storage"] == {"batch_dir_bytes": 0, "sorted_dir_bytes": 5200 * rows.SIZE_BYTES}


def test_sidecars_that_wait_for_their_photo_are_counted_and_warned_of_after_a_week(
    client: FlaskClient, site: Site
) -> None:
    today = datetime.now(site.services.config.zone).date()
    ingest, path = site.services.root(RootKind.INGEST).id, "/api/workflow/overview"

    def wait(days: int) -> dict[str, Any]:
        left = [(b"a.xmp", reason_since(today)), (b"b.lrv", reason_since(today - timedelta(days))), (b"c.txt", "text")]
        with site.services.db.transaction() as conn:
            left_in_place.note(conn, ingest, left, now())
        found: dict[str, Any] = client.get(path).json
        return found

    seen = wait(7)
    since = (today - timedelta(7)).isoformat()
    assert seen["left_in_place"] == {
        "total": 3, "by_reason": {ALONE: 2, "text": 1}, "lone_sidecars": {"files": 2, "since": since, "over_a_week": 0},
    }  # fmt: skip
    assert not any("sidecar" in warning["message"] for warning in seen["warnings"])
    seen, since = wait(8), (today - timedelta(8)).isoformat()
    (told,) = [warning for warning in seen["warnings"] if "sidecar" in warning["message"]]
    assert told["message"] == f"2 sidecars wait for their photo or video, the first since {since}."
    assert "scan.lone_sidecars" in told["remedy"]
    assert f"</a>, the first since {since}." in client.get("/partials/overview").text


def test_a_failed_batch_is_a_warning(client: FlaskClient, site: Site) -> None:
    batch_id = rows.add_syncing_batch(site.services)
    with site.services.db.transaction() as conn:
        batches.change(
            conn, batches.get(conn, batch_id), BatchStatus.ERROR, error="The peer is full.", error_from="SYNCING"
        )
    assert any(
        "The peer is full." in warning["message"] for warning in client.get("/api/workflow/overview").json["warnings"]
    )


def test_assets_are_found_by_status_and_prefix_and_paged_by_key(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    page = client.get("/api/assets?status=duplicate&limit=200").json
    assert len(page["assets"]) == 200
    rest = client.get(f"/api/assets?status=duplicate&limit=200&after_id={page['next_after_id']}").json
    assert (len(rest["assets"]), rest["next_after_id"]) == (12, None)
    found = client.get("/api/assets?prefix=00000").json["assets"]
    assert [asset["path"] for asset in found] == [f"00000{n}.jpg" for n in range(10)]


def test_one_asset_tells_its_story_and_a_failed_one_can_be_retried(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    asset_id = client.get("/api/assets?status=failed").json["assets"][0]["id"]
    story = client.get(f"/api/assets/{asset_id}").json
    assert (story["status"], story["moves"], story["original"]) == ("failed", [], None)
    assert client.post(f"/api/assets/{asset_id}/retry").json["status"] == "discovered"
    assert client.post(f"/api/assets/{asset_id}/retry").status_code == 409
    assert client.post("/api/assets/retry-failed").json == {
        "count": 1, "left": 0, "left_by_reason": [], "remaining": 0, "next_after_id": None,
    }  # fmt: skip


def test_of_very_many_failed_files_a_request_takes_some_and_says_how_many_remain(
    client: FlaskClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = site.services.root(RootKind.INGEST)
    with site.services.db.transaction() as conn:
        assets.insert_discovered(conn, root.id, [(b"%d.jpg" % n, Signature(1, n, 3, 4, 5), None) for n in range(1_200)])
        assets.mark(conn, assets.list_by_status(conn, AssetStatus.DISCOVERED, limit=1_200), AssetStatus.FAILED)
    monkeypatch.setattr("app.web.api.assets.RETRIED_AT_ONCE", 1_000)
    first = client.post("/api/assets/retry-failed").json
    assert (first["count"], first["remaining"], first["next_after_id"]) == (1_000, 200, 1_000)
    rest = client.post(f"/api/assets/retry-failed?after_id={first['next_after_id']}").json
    assert (rest["count"], rest["remaining"], rest["next_after_id"]) == (200, 0, None)


def test_new_folders_of_the_settings_are_set_up_by_an_explicit_act(
    client: FlaskClient, site: Site, tmp_path: Path
) -> None:
    target = tmp_path / "usb"
    client.put("/api/config", json={"sync": {"target": "folder", "folder_dir": str(target)}})
    assert not target.exists()
    answer = client.post("/api/setup/roots")
    assert answer.status_code == 200
    assert (target / ".media-pipeline-root").exists()
    kinds = [root["kind"] for root in client.get("/api/workflow/overview").json["roots"]]
    assert "delivery" in kinds
