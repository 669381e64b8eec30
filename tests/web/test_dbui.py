"""The database browser reads, and nothing else; the same doors guard it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from app.dbui import create_app
from tests.browser import rows
from tests.web.conftest import KEY, Site

ROOT = Path(__file__).resolve().parents[2]
WRITES = [
    "INSERT INTO facts VALUES ('a', 'b')",
    "UPDATE facts SET value = 'x'",
    "DELETE FROM facts",
    "DROP TABLE facts",
    "ATTACH DATABASE '{other}' AS other",
    "VACUUM INTO '{other}'",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 99",
]


def browse(site: Site) -> Client:
    return Client(create_app(site.container.store.path), Response, use_cookies=False)


def query(client: Client, sql: str) -> Response:
    return client.post("/query/", data={"sql": sql}, headers={"Host": "localhost"})


def test_tables_can_be_looked_at(site: Site) -> None:
    rows.add_syncing_batch(site.services)
    client = browse(site)
    assert client.get("/").status_code == 200
    assert "batch_001" in client.get("/batches/content/").get_data(as_text=True)
    assert "batch_001" in query(client, "SELECT name FROM batches").get_data(as_text=True)


def test_nothing_can_be_written(site: Site, tmp_path: Path) -> None:
    client = browse(site)
    other = tmp_path / "other.sqlite"
    dump = site.services.db.engine.raw_connection()
    before = list(dump.driver_connection.iterdump())  # type: ignore[union-attr]
    for sql in WRITES:
        query(client, sql.format(other=other))
    client.post("/facts/insert/", data={"name": "a", "value": "b"})
    client.post("/facts/drop/")
    client.post("/load/", data={"filename": str(other)})
    assert list(dump.driver_connection.iterdump()) == before  # type: ignore[union-attr]
    dump.close()
    assert not other.exists()


def test_no_other_file_can_be_opened(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "state" / "queue.sqlite"
    answer = query(browse(site), f"ATTACH DATABASE '{other}' AS q")
    assert "not authorized" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/batches/content/", "/query/", "/static/css/bootstrap.min.css"])
def test_foreign_hosts_and_other_sites_are_refused(site: Site, path: str) -> None:
    client = browse(site)
    assert client.get(path, headers={"Host": "evil.com"}).status_code == 421
    assert client.post(path, headers={"Host": "localhost", "Origin": "http://evil.com"}).status_code == 403
    assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]


def test_the_key_is_asked_for_and_the_pages_cookie_is_enough(locked: Site) -> None:
    client = browse(locked)
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"x-api-key": "wrong"}).status_code == 401
    assert client.get("/", headers={"x-api-key": KEY}).status_code == 200
    pages = locked.client()
    cookie = pages.post("/login", data={"key": KEY}).headers["Set-Cookie"].split(";")[0]
    assert client.get("/", headers={"Cookie": cookie}).status_code == 200


def test_until_somebody_asks_it_holds_neither_pages_nor_database_layer(site: Site) -> None:
    program = "import sys; from app.dbui import create_app; create_app(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", program, str(site.config_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert "app.dbui" in said
    assert {"app.web", "app.services", "app.db", "flask", "sqlite_web", "sqlalchemy", "rich"}.isdisjoint(said)


def test_a_setting_switches_it_off(make_site: Callable[..., Site]) -> None:
    answer = browse(make_site(system={"dbui_enabled": False})).get("/")
    assert answer.status_code == 404
    assert "system.dbui_enabled" in answer.get_data(as_text=True)


def test_no_secret_lies_in_the_database(make_site: Callable[..., Site]) -> None:
    site = make_site(
        auth={"api_key": KEY}, syncthing={"api_key": "CANARY-77", "folder_id": "f"}, sync={"target": "syncthing"}
    )
    client = site.client()
    client.put("/api/config", json={"batch": {"max_files": 3}}, headers={"x-api-key": KEY})
    client.post("/api/workflow/run", headers={"x-api-key": KEY})
    state = site.config_path.parent / "state"
    for path in state.rglob("*"):
        if path.is_file() and path.suffix in (".sqlite", ".sqlite-wal", ".log"):
            content = path.read_bytes()
            assert b"CANARY-77" not in content, path
            assert KEY.encode() not in content, path
