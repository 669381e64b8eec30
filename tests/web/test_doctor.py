"""The doctor, the logs and a file's story over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from app.db import totals
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
