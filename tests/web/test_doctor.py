"""The doctor, the logs and a file's story over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from app.db import totals
from app.diagnostics.verdict import verdict
from app.syncthing.checks import Check
from app.web import examination
from tests.browser import rows
from tests.web.conftest import KEY, Site


def test_what_is_wrong_is_told_and_mended_on_request_alone(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE totals SET file_count = file_count + 5 WHERE status = 'archived'")

    found = client.get("/api/doctor").json
    assert not found["ok"]
    assert [check["name"] for check in found["checks"] if check["state"] == "fault"] == ["totals"]
    with site.services.db.reading() as conn:
        assert totals.read(conn) != totals.count(conn)

    made = client.post("/api/doctor/repair")
    assert [one["name"] for one in made.json["repaired"]] == ["totals", "cleanup"]
    with site.services.db.reading() as conn:
        assert totals.read(conn) == totals.count(conn)


def check(name: str, state: str, fix: str = "") -> Check:
    return Check(name, state, f"The {name} was looked at.", fix)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["ok", "ok"], "All is well: 2 checks are ok."),
        (["ok", "warning"], "Nothing is broken, but look at the warning; 1 check is ok."),
        (["warning", "warning"], "Nothing is broken, but look at the 2 warnings; 0 checks are ok."),
        (["fault", "warning", "ok"], "Something is wrong: 1 fault, 1 warning; 1 check is ok."),
    ],
)
def test_all_is_well_is_said_only_when_nothing_was_found(states: list[str], said: str) -> None:
    assert verdict(check(f"place {n}", state) for n, state in enumerate(states)) == said


def test_the_diagnostics_are_a_page_that_says_each_cause_with_what_to_do(make_site: Callable[..., Site]) -> None:
    away = {"api_url": "http://127.0.0.1:9", "api_key": "wrong-key-0123"}
    site = make_site(sync={"target": "syncthing"}, syncthing=away)
    page = site.client().get("/diagnostics").get_data(as_text=True)
    found = site.client().get("/api/sync/diagnostics").json
    assert escape(found["summary"]) in page and found["summary"].startswith("Something is wrong")
    fault = next(one for one in found["checks"] if one["state"] == "fault")
    assert escape(fault["cause"]) in page and escape(fault["fix"]) in page
    assert "✕</span> fault" in page and "wrong-key-0123" not in page
    control = site.client().get("/control").get_data(as_text=True)
    assert 'href="/diagnostics"' in control and 'href="/api/sync/diagnostics"' not in control
    assert "http://localhost/peer" in control


def test_the_diagnostics_without_syncthing_say_that_it_is_not_used(client: FlaskClient) -> None:
    page = client.get("/diagnostics").get_data(as_text=True)
    assert "All is well: 1 check is ok." in page and "sync.target is none" in page


def test_the_diagnostics_of_everything_are_those_of_the_doctor_and_lead_to_no_json(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "PATIENCE_SECONDS", 20.0)
    page, found = client.get("/diagnostics?about=everything").text, client.get("/api/doctor").json
    assert all(escape(one["name"][1:]) in page for one in found["checks"]) and len(found["checks"]) > 5
    assert 'href="/api/' not in page + client.get("/diagnostics").text
    assert '"about" value="everything"' in client.get("/control").text


def test_the_doctor_speaks_even_when_the_settings_are_bad(client: FlaskClient, site: Site) -> None:
    assert client.get("/api/doctor").json["ok"]
    site.config_path.write_text("batch: {max_size_gb: banana}\n")
    found = client.get("/api/doctor")
    assert found.status_code == 200
    assert any("batch.max_size_gb" in check["cause"] for check in found.json["checks"])


def test_a_story_and_the_logs_need_the_key_and_look_nowhere_else(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"api_key": KEY})
    client = site.client()
    for path in ("/api/doctor", "/api/logs", "/api/why?file=1"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"x-api-key": KEY}).status_code == 200
    answers = [
        client.get("/api/why", query_string={"file": path}, headers={"x-api-key": KEY}).json
        for path in ("/etc/passwd", "/etc/there-is-no-such-file")
    ]
    told = {one["told"][0]["text"].replace(one["file"], "X") for one in answers}
    assert len(told) == 1 and "outside every folder" in told.pop()
