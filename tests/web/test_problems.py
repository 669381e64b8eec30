"""Every refusal is a problem (RFC 9457) of a documented kind, whichever part of the server answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import errors
from app.admission.problems import KINDS, KINDS_OF_ERRORS, KINDS_OF_STATUSES
from app.db import runs
from app.model import RunStatus
from app.web import create_app, entry
from tests.browser import rows
from tests.web.conftest import KEY, Site

API = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
MEMBERS = {"type", "title", "status", "detail", "instance", "retryable"}


def refuse_as(answer: TestResponse, name: str, path: str | None = None) -> dict[str, Any]:
    """The answer is a whole problem of this kind."""
    assert answer.content_type == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json
    kind = KINDS[name]
    assert set(body) >= MEMBERS
    assert (body["type"], body["title"], body["status"]) == (f"/problems/{name}", kind.title, kind.status)
    assert answer.status_code == kind.status
    assert body["detail"].endswith(".") and isinstance(body["retryable"], bool)
    assert path is None or body["instance"] == path
    return body


def test_requests_that_nothing_can_answer(client: FlaskClient) -> None:
    refuse_as(client.get("/api/nothing"), "no-such-route", "/api/nothing")
    refuse_as(client.get("/nothing"), "no-such-route")
    refuse_as(client.post("/api/assets"), "method-not-allowed")
    assert client.post("/api/assets").headers["Allow"]
    refuse_as(client.get("/api/batches/99"), "not-found", "/api/batches/99")
    refuse_as(client.get("/api/assets/99"), "not-found")
    refuse_as(client.get("/api/assets?limit=0"), "invalid-request")
    refuse_as(client.get("/api/assets?cursor=none"), "bad-request")
    refuse_as(client.get("/api/assets?sort=path&status=gone"), "invalid-request")
    refuse_as(client.get("/api/moves?run_id=1"), "invalid-request")
    refuse_as(client.get("/api/journal?since=2026-13-45T99:00:00"), "bad-request")
    refuse_as(client.put("/api/config", data=b"no json"), "bad-request")
    faults = refuse_as(client.put("/api/config", json={"batch": {"max_size_gb": "much"}}), "invalid-settings")
    assert [fault["path"] for fault in faults["errors"]] == ["batch.max_size_gb"]
    refuse_as(client.put("/api/config", json={}, headers={"If-Match": '"another"'}), "revision-changed")


def test_requests_that_may_not_pass(client: FlaskClient, locked: Site) -> None:
    refuse_as(client.get("/health", headers={"Host": "evil.example"}), "other-host", "/health")
    refuse_as(client.post("/api/workflow/run", headers={"Sec-Fetch-Site": "cross-site"}), "other-site")
    refuse_as(client.put("/api/config", data=b"x" * 2_000_000), "body-too-large")
    refuse_as(locked.client().get("/api/runs"), "key-needed")


def test_a_key_that_may_not_do_it_and_one_that_guesses(make_site: Callable[..., Site]) -> None:
    site = make_site(auth={"keys": [{"name": "reader", "key": KEY, "scope": "read"}]})
    client = site.client()
    refuse_as(client.post("/api/workflow/run", headers={"x-api-key": KEY}), "scope-needed")
    for _ in range(30):
        answer = client.get("/api/runs", headers={"x-api-key": "wrong"})
    assert refuse_as(answer, "too-many-wrong-keys")["retryable"] is True
    entry.wrong_keys.seen.clear()


def test_requests_that_do_not_fit_the_state(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    run, _ = rows.start_run(site.services)
    refuse_as(client.post("/api/workflow/sort/99"), "not-found")
    refuse_as(client.post("/api/batches/1/retry"), "illegal-transition")
    refuse_as(client.post(f"/api/runs/{run.id}/retry"), "illegal-transition")
    refuse_as(client.post("/api/workflow/debug/advance"), "conflict")
    with site.services.db.transaction() as conn:
        waiting = runs.change(conn, run, RunStatus.WAITING)
    client.post("/api/cleanup/run")
    body = refuse_as(client.post(f"/api/runs/{waiting.id}/resume"), "run-in-progress")
    assert (body["run_id"], body["retryable"]) == (waiting.id + 1, True)


def test_what_was_not_foreseen_says_only_where_the_log_tells_more(site: Site) -> None:
    site.app.config["PROPAGATE_EXCEPTIONS"] = False

    @site.app.get("/api/broken")
    def broken() -> str:
        raise RuntimeError("a secret path")

    body = refuse_as(site.client().get("/api/broken"), "unexpected")
    assert "secret" not in str(body) and body["id"] in body["detail"]


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("batch: [")
    client = create_app(str(tmp_path / "config.yaml")).test_client()
    refuse_as(client.get("/api/runs"), "settings-unreadable")


def test_people_get_pages_as_before(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_documented_and_its_address_leads_to_its_meaning(client: FlaskClient, name: str) -> None:
    kind = KINDS[name]
    row = re.search(rf"^\| `/problems/{name}` \| (\d+) \| (.+) \|$", API, re.MULTILINE)
    assert row is not None and (int(row[1]), row[2]) == (kind.status, kind.sentence)
    page = client.get(kind.type)
    assert (page.status_code, kind.title in page.text) == (200, True)


def test_all_kinds_stand_on_one_page_and_no_other_is_documented(client: FlaskClient) -> None:
    page = client.get("/problems").text
    assert all(kind.type in page for kind in KINDS.values())
    assert set(re.findall(r"^\| `/problems/([a-z-]+)`", API, re.MULTILINE)) == set(KINDS)


def test_every_error_of_ours_is_of_a_kind_and_every_kind_has_the_status_that_it_says() -> None:
    base = errors.MediaPipelineError
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, base)]
    assert all(any(issubclass(cls, known) for known, _ in KINDS_OF_ERRORS) for cls in classes)
    assert {name for _, name in KINDS_OF_ERRORS} | set(KINDS_OF_STATUSES.values()) <= set(KINDS)
    assert all(KINDS[name].status == status for status, name in KINDS_OF_STATUSES.items())
