"""The settings over the API: as text, checked first, with a history, presets, and never on top of another's change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.config.settings import all_settings
from app.db import config_revisions, journal
from app.services import ServiceContainer
from app.web import create_app
from tests.web.conftest import KEY, Site

CANARY = "CANARY-5f2b9c-0123456789"
KEYS = [
    {"name": "anna", "key": "CANARY-ANNA-0123456789", "scope": "admin"},
    {"name": "wall", "key": "CANARY-WALL-0123456789", "scope": "read"},
]
HEADERS = {"x-api-key": KEY}
MASK = "********"


@pytest.fixture
def secretive(make_site: Callable[..., Site]) -> Site:
    """An application whose settings hold five secrets."""
    return make_site(
        auth={"api_key": KEY, "keys": KEYS},
        sync={"target": "syncthing"},
        syncthing={"api_key": CANARY, "folder_id": "photos", "api_url": "http://127.0.0.1:1"},
    )


def put_text(client: FlaskClient, text: str | bytes, **headers: str) -> Any:
    return client.put("/api/config/raw", data=text, content_type="text/yaml", headers=headers)


def validate(client: FlaskClient, text: str | bytes, **headers: str) -> Any:
    return client.post("/api/config/validate", data=text, content_type="text/yaml", headers=headers)


# --- as text


def test_the_text_is_shown_masked_and_saved_to_the_letter(secretive: Site) -> None:
    client = secretive.client()
    shown = client.get("/api/config/raw", headers=HEADERS)
    assert shown.mimetype == "text/yaml"
    assert shown.headers["Cache-Control"] == "no-store"
    assert "CANARY" not in shown.text
    text = "# my own words\n" + shown.text.replace("max_files: 0", "max_files: 7   # a few")
    saved = put_text(client, text, **HEADERS)
    assert saved.status_code == 200, saved.json
    assert saved.json["changes"] == [{"path": "batch.max_files", "before": 0, "after": 7}]
    kept = secretive.config_path.read_text()
    assert "# my own words" in kept
    assert "max_files: 7   # a few" in kept
    assert CANARY in kept
    assert MASK not in kept
    assert secretive.services.config.batch.max_files == 7


def test_a_text_with_faults_is_refused_with_line_and_column_of_each(site: Site) -> None:
    before = site.config_path.read_bytes()
    answer = put_text(site.client(), before + b"batch:\n    max_size_gb: banana\nfoo: 1\n")
    assert answer.status_code == 422
    places = {(fault["path"], fault["line"] is not None, fault["column"]) for fault in answer.json["errors"]}
    assert {("batch", True, 1), ("foo", True, 1)} <= places
    assert site.config_path.read_bytes() == before


@pytest.mark.parametrize("body", [b"\xff\xfe", b"batch: \xff", b"", b"[" * 20_000, b"x" * 300_000, b"a: \x00"])
def test_what_is_no_settings_text_is_refused_with_its_place(site: Site, body: bytes) -> None:
    for answer in (put_text(site.client(), body), validate(site.client(), body)):
        assert answer.status_code in (200, 422)
        assert answer.json.get("valid") is not True
        assert all(fault["line"] and fault["column"] for fault in answer.json["errors"])


def test_no_save_lands_on_top_of_anothers(site: Site) -> None:
    client = site.client()
    tag = client.get("/api/config/raw").headers["ETag"]
    assert tag == client.get("/api/config").headers["ETag"]
    assert client.put("/api/config", json={"batch": {"max_files": 1}}, headers={"If-Match": tag}).status_code == 200
    first = client.get("/api/config/history").json["revisions"][-1]["revision"]
    late = {"If-Match": tag}
    assert put_text(client, client.get("/api/config/raw").data, **late).status_code == 412
    assert client.post("/api/config/rollback", json={"revision": first}, headers=late).status_code == 412
    assert client.post("/api/config/presets/copy-only", headers=late).status_code == 412
    fresh = {"If-Match": client.get("/api/config").headers["ETag"]}
    assert client.post("/api/config/presets/copy-only", headers=fresh).status_code == 200
    assert client.post("/api/config/presets/copy-only", headers={"If-Match": "*"}).status_code == 200


# --- checked first


def test_validating_tells_faults_warnings_and_changes_and_changes_nothing(secretive: Site) -> None:
    client, before = secretive.client(), secretive.config_path.read_bytes()
    text = client.get("/api/config/raw", headers=HEADERS).text.replace("max_files: 0", "max_files: 7")
    answer = validate(client, text, **HEADERS).json
    assert (answer["valid"], answer["errors"], answer["refusal"]) == (True, [], None)
    assert answer["changes"] == [{"path": "batch.max_files", "before": 0, "after": 7}]
    bad = validate(client, text + "batch:\n  max_sise: 3\n", **HEADERS).json
    assert (bad["valid"], bad["changes"]) == (False, [])
    partial = client.post("/api/config/validate", json={"auth": {"api_key": "short"}}, headers=HEADERS).json
    assert partial["changes"] == [{"path": "auth.api_key", "before": MASK, "after": MASK}]
    assert [warning["path"] for warning in partial["warnings"]] == ["auth.api_key"]
    assert (
        client.post("/api/config/validate", data=b"[", content_type="application/json", headers=HEADERS).status_code
        == 400
    )
    assert secretive.config_path.read_bytes() == before


def test_a_key_that_may_only_read_cannot_save_and_not_try_secrets_out(secretive: Site) -> None:
    client, headers = secretive.client(), {"x-api-key": KEYS[1]["key"]}
    assert client.get("/api/config/history", headers=headers).status_code == 200
    assert validate(client, "batch: {}", **headers).status_code == 403
    assert put_text(client, "batch: {}", **headers).status_code == 403
    assert client.post("/api/config/presets/copy-only", headers=headers).status_code == 403


def test_the_schema_names_every_setting(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_DEDUP__THREADS", "3")
    schema = client.get("/api/config/schema").json
    for path in all_settings():
        found = schema
        for name in path.split("."):
            found = found["properties"][name]
    assert schema["properties"]["batch"]["properties"]["max_size_gb"]["unit"] == "GiB"


# --- history


def test_the_history_names_the_key_that_saved_and_can_be_gone_back_in(secretive: Site) -> None:
    client = secretive.client()
    client.get("/api/workflow/overview", headers=HEADERS)
    anna = {"x-api-key": KEYS[0]["key"], "X-Actor": "kitchen tablet"}
    assert client.put("/api/config", json={"batch": {"max_files": 5}}, headers=anna).status_code == 200
    newest, oldest = client.get("/api/config/history", headers=HEADERS).json["revisions"]
    assert (newest["actor"], newest["in_force"], oldest["actor"]) == ("anna (kitchen tablet)", True, "file")
    assert newest["changes"] == [{"path": "batch.max_files", "before": 0, "after": 5}]
    details = client.get(f"/api/config/history/{oldest['revision']}", headers=HEADERS).json
    assert details["changes"] == [{"path": "batch.max_files", "before": 5, "after": 0}]
    back = client.post("/api/config/rollback", json={"revision": oldest["revision"]}, headers=HEADERS)
    assert (back.status_code, back.json["revision"]) == (200, oldest["revision"])
    assert back.headers["ETag"].strip('"') == oldest["revision"]
    assert secretive.services.config.batch.max_files == 0
    with secretive.services.db.reading() as conn:
        saved = config_revisions.list_recent(conn)
        told = journal.list_events(conn, kind_prefix="config.saved", limit=1)[0]
    assert [row.actor for row in saved] == ["main", "anna (kitchen tablet)", "file"]
    assert "changed by main" in told.message


@pytest.mark.parametrize(
    ("body", "status"), [({"revision": "0" * 64}, 404), ({}, 400), ({"revision": 7}, 400), (["x"], 400)]
)
def test_going_back_to_nothing_is_refused(site: Site, body: Any, status: int) -> None:
    before = site.config_path.read_bytes()
    assert site.client().post("/api/config/rollback", json=body).status_code == status
    assert site.client().get("/api/config/history/nothing").status_code == 404
    assert site.config_path.read_bytes() == before


def test_a_file_edited_by_hand_is_in_the_history_once_it_is_in_force(site: Site) -> None:
    client = site.client()
    client.get("/api/workflow/overview")
    site.config_path.write_text(site.config_path.read_text().replace("max_files: 0", "max_files: 8"))
    client.get("/api/workflow/overview")
    newest = client.get("/api/config/history").json["revisions"][0]
    assert (newest["actor"], newest["in_force"]) == ("file", True)
    assert newest["changes"] == [{"path": "batch.max_files", "before": 0, "after": 8}]


# --- presets


def test_presets_are_announced_and_applied(site: Site) -> None:
    client = site.client()
    listed = client.get("/api/config/presets").json["presets"]
    assert [preset["name"] for preset in listed] == ["copy-only", "full-move", "archive-only"]
    announced = client.get("/api/config/presets/copy-only").json["changes"]
    applied = client.post("/api/config/presets/copy-only")
    assert (applied.status_code, applied.json["changes"]) == (200, announced)
    assert client.get("/api/config/presets/copy-only").json["in_force"] is True
    assert site.services.config.batch.transfer_mode == "copy"
    assert client.post("/api/config/presets/nothing").status_code == 404


# --- secrets


def test_no_answer_about_settings_holds_a_secret(secretive: Site) -> None:
    client = secretive.client()
    client.get("/api/workflow/overview", headers=HEADERS)
    client.put(
        "/api/config", json={"auth": {"keys": [*KEYS, {"name": "b", "key": "CANARY-B-0123456789"}]}}, headers=HEADERS
    )
    client.put("/api/config", json={"syncthing": {"api_key": "CANARY-2-0123456789"}}, headers=HEADERS)
    revisions = [entry["revision"] for entry in client.get("/api/config/history", headers=HEADERS).json["revisions"]]
    assert len(revisions) == 3
    paths = ["", "/raw", "/schema", "/history", "/presets", "/presets/full-move", *(f"/history/{r}" for r in revisions)]
    said = [client.get(f"/api/config{path}", headers=HEADERS).text for path in paths]
    text = secretive.config_path.read_text()
    said += [validate(client, text, **HEADERS).text, validate(client, text + "auth: [\n", **HEADERS).text]
    said += [validate(client, text.replace("scope:", "scoop:"), **HEADERS).text, put_text(client, text, **HEADERS).text]
    said.append(client.post("/api/config/rollback", json={"revision": revisions[-1]}, headers=HEADERS).text)
    said.append(client.get("/api/journal?limit=500", headers=HEADERS).text)
    said.append(client.get("/dashboard", headers={**HEADERS, "Accept": "text/html"}).text)
    said.append(client.get("/control", headers={**HEADERS, "Accept": "text/html"}).text)
    assert [(number, words[:200]) for number, words in enumerate(said) if "CANARY" in words or KEY in words] == []


# --- a file gone bad


def test_a_faulty_file_leaves_the_server_ready_and_says_so(site: Site) -> None:
    client = site.client()
    assert client.get("/ready").json == {"status": "ready"}
    good = site.config_path.read_text()
    site.config_path.write_text(good + "nonsense: 1\n")
    ready = client.get("/ready")
    assert (ready.status_code, ready.json["config"]) == (200, "last_good")
    assert "nonsense: is not a setting" in ready.json["detail"]
    assert "fault" in client.get("/api/config").json
    tag = client.get("/api/config").headers["ETag"]
    assert put_text(client, good, **{"If-Match": tag}).status_code == 200
    assert client.get("/ready").json == {"status": "ready"}


def test_whoever_has_no_key_is_not_told_the_faults(locked: Site) -> None:
    client = locked.client()
    client.get("/ready")
    locked.config_path.write_text(locked.config_path.read_text() + "nonsense: 1\n")
    assert "nonsense" not in client.get("/ready").text
    assert "nonsense" in client.get("/ready", headers=HEADERS).text


def test_a_start_with_a_faulty_file_serves_the_kept_revision_and_warns(site: Site) -> None:
    site.client().put("/api/config", json={"batch": {"max_files": 5}})
    site.services.close()
    bad = "batch: {max_files: banana}\n"
    site.config_path.write_text(bad)
    container = ServiceContainer(str(site.config_path))
    client = create_app(container=container).test_client()
    seen = client.get("/api/workflow/overview")
    assert seen.status_code == 200
    assert "config.yaml:1:9 batch.max_files: must be a whole number, not banana" in seen.json["config"]["fault"]
    warning = next(w for w in seen.json["warnings"] if "configuration file" in w["message"])
    assert warning["level"] == "error"
    assert "the revision saved at" in warning["remedy"]
    assert "by api is in force instead" in warning["remedy"]
    event = client.get("/api/journal?kind=config.rejected").json["events"][0]
    assert "by api is in force instead" in event["message"]
    assert client.get("/api/config").json["batch"]["max_files"] == 5
    assert Path(site.config_path).read_text() == bad
    assert client.post("/api/workflow/run").status_code == 202
    container.services.close()
