"""Who may reach the server: host names, other sites' pages, sizes, and the headers of every answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.admission.guard import MAX_BODY_BYTES, is_allowed_host
from app.db import batches, runs
from app.model import BatchStatus
from tests.browser import rows
from tests.web.conftest import Site

ALLOWED = [
    *("localhost", "localhost:8080", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.1:8080", "192.168.1.20"),
    *("10.0.0.5:80", "[::1]", "[::1]:8080", "[fe80::1]:80", "nas", "nas:8080", "NAS", "nas.local", "nas.local:8080"),
    *("my-nas.lan", "box.home", "box.home.arpa", "app.internal", "photos.example.org", "photos.example.org:443"),
    socket.gethostname(),
]
REFUSED = [
    *("", "evil.com", "evil.com:8080", "127.0.0.1.evil.com", "localhost.evil.com", "nas.local.evil.com", "evil.com."),
    *(".local", "local.evil", "photos.example.org.evil.com", "a, b", "localhost, evil.com", "evil.com/localhost"),
    *("localhost@evil.com", "user:pw@localhost", "[::1", "::1", "[evil.com]", "local host", "localhost:port"),
    *("localhost:", "nas\t", "\u0131.local", "http://localhost", "localhost#", "evil.com?localhost", "*"),
    *("127.0.0.1:8080:9090", "example.org", "xphotos.example.org"),
]


@pytest.mark.parametrize("host", ALLOWED)
def test_own_names_are_let_through(host: str) -> None:
    assert is_allowed_host(host, ["photos.example.org"])


@pytest.mark.parametrize("host", REFUSED)
def test_foreign_names_are_refused(host: str) -> None:
    assert not is_allowed_host(host, ["photos.example.org"])


def test_every_route_checks_the_host(client: FlaskClient, site: Site) -> None:
    paths = [re.sub(r"<[^>]*>", "1", rule.rule) for rule in site.app.url_map.iter_rules()]
    for path in [*paths, "/static/app.css"]:
        answer = client.get(path, headers={"Host": "evil.com"})
        assert answer.status_code == 421, path
        assert "system.allowed_hosts" in answer.get_data(as_text=True)


def test_a_host_allowed_by_a_saved_setting_counts_at_once(client: FlaskClient) -> None:
    assert client.get("/health", headers={"Host": "photos.example.org"}).status_code == 421
    client.put("/api/config", json={"system": {"allowed_hosts": ["photos.example.org"]}})
    assert client.get("/health", headers={"Host": "photos.example.org"}).status_code == 200


FOREIGN = [
    {"Origin": "http://evil.com"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost.evil.com"},
    {"Origin": "http://localhost:9999"},
    {"Origin": "file://localhost"},
    {"Origin": "http://[bad"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]


def test_another_sites_page_cannot_start_anything(client: FlaskClient, site: Site) -> None:
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
        for headers in FOREIGN:
            answer = client.post("/api/workflow/run", headers=headers, content_type=content_type)
            assert answer.status_code == 403, headers
    with site.services.db.reading() as conn:
        assert runs.list_recent(conn) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_own_pages_and_programs_may_start_a_run(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/api/workflow/run", headers=headers).status_code == 202


def test_no_get_route_changes_anything(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        writes = {"POST", "PUT", "DELETE", "PATCH"} & (rule.methods or set())
        assert not (writes and "GET" in (rule.methods or set())), rule.rule


def test_every_answer_carries_the_security_headers(client: FlaskClient, site: Site) -> None:
    paths = [
        rule.rule for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    for path in [*paths, "/static/app.css", "/nothing-here", "/api/nothing", "/api/batches/7"]:
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "script-src 'self';" in policy, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert "Access-Control-Allow-Origin" not in headers, path


def test_a_body_over_the_cap_is_refused_unread(client: FlaskClient) -> None:
    answer = client.put("/api/config", data=b"x" * (MAX_BODY_BYTES + 1), content_type="application/json")
    assert answer.status_code == 413


def test_a_body_without_a_length_is_not_read_past_the_cap(client: FlaskClient) -> None:
    class Endless:
        read_bytes = 0

        def read(self, size: int = -1) -> bytes:
            self.read_bytes += 65536 if size < 0 else size
            return b"x" * (65536 if size < 0 else size)

    body = Endless()
    answer = client.put(
        "/api/config",
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status_code in (400, 413)
    assert body.read_bytes <= MAX_BODY_BYTES + 1_000_000


ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*"))
PYTHON = sorted([*(ROOT / "app" / "web").rglob("*.py"), *(ROOT / "app" / "overview").rglob("*.py")])


def test_templates_are_html_so_that_names_are_escaped() -> None:
    assert len(TEMPLATES) > 5
    assert [path for path in TEMPLATES if path.is_file() and path.suffix != ".html"] == []


def test_pages_hold_no_inline_script_or_style() -> None:
    for path in TEMPLATES:
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe", text), path


def test_no_template_is_made_from_text() -> None:
    for path in PYTHON:
        assert "render_template_string" not in path.read_text(), path


def test_hostile_names_are_shown_as_text(make_site: Callable[..., Site]) -> None:
    hostile = "<img src=x onerror=alert(1)>{{7*7}}%s{0.__class__}"
    site = make_site()
    with site.services.db.transaction() as conn:
        batch = rows.reserve(conn)
        batches.set_columns(conn, batch.id, name=hostile, device_id="<b>")
        batches.change(conn, batches.get(conn, batch.id), BatchStatus.ERROR, error=hostile, error_from="PENDING")
    for path in ("/dashboard", "/control"):
        page = site.client().get(path).get_data(as_text=True)
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}%s{0.__class__}" in page
        assert "<b>" not in page


def test_ids_and_names_cannot_lead_elsewhere(client: FlaskClient) -> None:
    paths = [
        *(
            "/api/batches/..%2f..%2fetc",
            "/api/batches/%00",
            "/api/batches/%252e",
            "/api/batches/-1",
            "/api/batches/1.5",
        ),
        *("/api/batches/0", "/api/batches/9223372036854775808", "/api/batches/\u0661", "/api/runs/1'--"),
        *("/docs/assets/..%2f..%2f__init__.py", "/docs/assets//etc/passwd", "/static/..%2f..%2fcontext.py"),
        "/static/vendor/../../context.py",
    ]
    for path in paths:
        assert client.get(path, follow_redirects=True).status_code in (404, 422), path


def test_an_unforeseen_error_leaves_only_an_id(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("app.web.api.dashboard.dashboard", fail)
    answer = site.client().get("/api/dashboard")
    assert answer.status_code == 500
    assert set(answer.json) == {"type", "title", "status", "detail", "instance", "retryable", "id"}
    assert "secret" not in answer.get_data(as_text=True)
    assert answer.json["id"] in answer.json["detail"]
