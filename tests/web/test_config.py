"""GET and PUT /api/config: secrets stay inside, nothing bad is saved, changes count at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import rows
from tests.web.conftest import KEY, Site
from tests.web.test_contract import ENDLESS

CANARY = "CANARY-5f2b9c"
MASK = "********"


@pytest.fixture
def secretive(make_site: Callable[..., Site]) -> Site:
    """An application whose settings hold secrets."""
    return make_site(
        auth={"api_key": KEY},
        sync={"target": "syncthing"},
        syncthing={"api_key": CANARY, "folder_id": "photos", "api_url": "http://127.0.0.1:1"},
    )


def test_secrets_are_masked_and_the_mask_keeps_them(secretive: Site) -> None:
    client = secretive.client()
    headers = {"x-api-key": KEY}
    shown = client.get("/api/config", headers=headers).json
    assert (shown["syncthing"]["api_key"], shown["auth"]["api_key"]) == (MASK, MASK)
    shown["batch"]["max_files"] = 7
    answer = client.put("/api/config", json=shown, headers=headers)
    assert answer.status_code == 200, answer.json
    config = secretive.services.config
    assert (config.syncthing.api_key, config.auth.api_key, config.batch.max_files) == (CANARY, KEY, 7)


def test_no_route_shows_a_secret(secretive: Site) -> None:
    rows.fill(secretive.services)
    client = secretive.client()
    for rule in secretive.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "docs.asset") or rule.rule in ENDLESS:
            continue
        path = rule.rule.replace("<int:batch_id>", "1").replace("<int:run_id>", "1").replace("<int:asset_id>", "1")
        answer = client.get(path, headers={"x-api-key": KEY}).data
        assert CANARY.encode() not in answer, path
        assert KEY.encode() not in answer, path


def test_a_fault_never_repeats_what_was_sent(secretive: Site) -> None:
    answer = secretive.client().put(
        "/api/config", json={"syncthing": {"api_key": [CANARY]}, CANARY: 1}, headers={"x-api-key": KEY}
    )
    assert answer.status_code == 422
    assert CANARY not in answer.get_data(as_text=True).replace(f'"{CANARY}', "").replace(f"{CANARY}:", "")


def test_every_fault_is_told_and_nothing_is_saved(site: Site) -> None:
    before = site.config_path.read_bytes()
    answer = site.client().put(
        "/api/config",
        json={"batch": {"max_size_gb": "banana", "selection_mode": "mood"}, "system": {"port_api": 0}, "colour": "red"},
    )
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    faulty = {fault["path"] for fault in answer.json["errors"]}
    assert {"batch.max_size_gb", "batch.selection_mode", "system.port_api", "colour"} <= faulty
    assert site.config_path.read_bytes() == before
    assert site.client().get("/ready").status_code == 200


def test_a_change_counts_at_once_and_a_run_in_flight_is_not_forgotten(site: Site) -> None:
    client = site.client()
    client.post("/api/workflow/run")
    answer = client.put("/api/config", json={"batch": {"max_files": 5}})
    assert answer.json["batch"]["max_files"] == 5
    assert client.get("/api/config").json["batch"]["max_files"] == 5
    assert client.post("/api/workflow/run").json["started"] is False
    assert client.get("/api/runs/1").json["status"] == "queued"


def test_saving_while_others_read_closes_nothing_under_them(site: Site) -> None:
    client = site.client()
    services = site.services
    with services.db.reading() as conn:
        for number in range(3):
            assert client.put("/api/config", json={"batch": {"max_files": number}}).status_code == 200
            client.get("/api/workflow/overview")
        assert conn.exec_driver_sql("SELECT count(*) FROM runs").scalar() == 0


def test_a_change_on_an_old_revision_is_refused(site: Site) -> None:
    client = site.client()
    shown = client.get("/api/config")
    tag = shown.headers["ETag"]
    assert tag.strip('"') == shown.json["revision"]
    assert client.put("/api/config", json={"batch": {"max_files": 1}}, headers={"If-Match": tag}).status_code == 200
    late = client.put("/api/config", json={"batch": {"max_files": 2}}, headers={"If-Match": tag})
    assert late.status_code == 412
    stale = {"batch": {"max_files": 3}, "revision": shown.json["revision"]}
    assert client.put("/api/config", json=stale).status_code == 412
    assert client.get("/api/config").json["batch"]["max_files"] == 1


def test_a_body_that_is_no_settings_object_is_a_bad_request(site: Site) -> None:
    bodies = [
        b"", b"[]", b"3", b'"text"', b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 20_000, b'{"batch": NaN}',
        b'{"batch": {"max_size_gb": Infinity}}', b'{"paths": {"source_dir": "\\ud800"}}', b"9" * 10_000, b'{"a": 1} x',
    ]  # fmt: skip
    for body in bodies:
        answer = site.client().put("/api/config", data=body, content_type="application/json")
        assert answer.status_code in (400, 422), body[:20]
        assert answer.content_type == "application/problem+json"


def test_a_folder_that_must_not_be_used_is_refused(site: Site) -> None:
    long = "/" + "x" * 5000
    for path in ("relative", "/", "/etc", "~", "$HOME/x", "/tmp/../etc", "/proc/self/root", "/a\u0000b", long):
        answer = site.client().put("/api/config", json={"paths": {"source_dir": path}})
        assert answer.status_code == 422, path


def test_another_syncthing_server_does_not_get_the_old_key(secretive: Site) -> None:
    headers = {"x-api-key": KEY}
    answer = secretive.client().put(
        "/api/config", json={"syncthing": {"api_url": "http://192.168.1.66:8384"}}, headers=headers
    )
    if answer.status_code == 200:
        assert secretive.services.config.syncthing.api_key == ""
    else:
        assert answer.status_code == 422
        assert secretive.services.config.syncthing.api_key == CANARY


def test_a_broken_file_keeps_the_last_good_settings_and_says_so(site: Site) -> None:
    client = site.client()
    client.get("/api/workflow/overview")
    site.config_path.write_text("batch: {max_size_gb: banana}\n")
    seen = client.get("/api/workflow/overview")
    assert seen.status_code == 200
    assert seen.json["config"]["fault"]
    assert any("last good configuration" in warning["remedy"] for warning in seen.json["warnings"])
    assert "is not usable" in client.get("/dashboard").get_data(as_text=True)


def test_without_any_usable_file_the_pages_say_what_is_wrong(site: Site) -> None:
    from app.services import ServiceContainer
    from app.web import create_app

    site.config_path.write_text("batch: {max_size_gb: banana}\n")
    client = create_app(container=ServiceContainer(str(site.config_path))).test_client()
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 503
    answer = client.get("/api/workflow/overview")
    assert answer.status_code == 503
    assert "batch.max_size_gb" in {fault["path"] for fault in answer.json["errors"]}
    assert "batch.max_size_gb" in client.get("/dashboard", headers={"Accept": "text/html"}).get_data(as_text=True)
