"""A POST that is sent again under the same Idempotency-Key is carried out once, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import jobs
from app.db import batches, idempotency, runs
from app.db.clock import later
from app.db.tables import idempotency_keys
from app.errors import Conflict
from app.model import AssetStatus, RunStatus, Trigger
from app.web import idempotency as door
from tests.browser import rows
from tests.web.conftest import KEY, Site

KEYED = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def run_ids(site: Site) -> list[int]:
    with site.services.db.reading() as conn:
        return [run.id for run in runs.list_recent(conn, 100)]


def end_run(site: Site, run_id: int) -> None:
    with site.services.db.transaction() as conn:
        runs.change(conn, runs.get(conn, run_id), RunStatus.CANCELLED)


def stored(site: Site) -> list[Any]:
    with site.services.db.reading() as conn:
        return list(conn.execute(select(idempotency_keys)))


def test_the_first_answer_is_answered_again_even_after_the_run_has_ended(client: FlaskClient, site: Site) -> None:
    first = client.post("/api/workflow/run", headers=KEYED)
    end_run(site, first.json["run_id"])
    again = client.post("/api/workflow/run", headers=KEYED)
    assert (again.status_code, again.json, again.mimetype) == (202, first.json, "application/json")
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert run_ids(site) == [first.json["run_id"]]
    assert client.post("/api/workflow/run").json["run_id"] != first.json["run_id"]


def test_a_refusal_is_not_kept_and_the_same_key_serves_when_the_way_is_free(client: FlaskClient, site: Site) -> None:
    other = client.post("/api/cleanup/run").json["run_id"]
    assert client.post("/api/workflow/run", headers=KEYED).json["started"] is False
    assert client.post("/api/batches/99/retry", headers={"Idempotency-Key": "b"}).status_code == 404
    assert stored(site) == []
    end_run(site, other)
    assert client.post("/api/workflow/run", headers=KEYED).status_code == 202


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/cleanup/run", b""), ("/api/workflow/run", b"{}"), ("/api/batches/1/undo?without_lost=1", b"")],
)
def test_a_key_under_another_request_is_refused(client: FlaskClient, site: Site, path: str, body: bytes) -> None:
    end_run(site, client.post("/api/workflow/run", headers=KEYED).json["run_id"])
    answer = client.post(path, headers=KEYED, data=body)
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(run_ids(site)) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(client: FlaskClient, site: Site, key: str) -> None:
    answer = client.post("/api/workflow/run", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["type"]) == (400, "/problems/bad-request")
    assert run_ids(site) == []


def test_keys_of_255_characters_serve_and_reading_needs_none(client: FlaskClient, site: Site) -> None:
    assert client.post("/api/workflow/run", headers={"Idempotency-Key": "~" * 255}).status_code == 202
    assert client.get("/api/runs", headers={"Idempotency-Key": "a b"}).status_code == 200


def test_of_many_at_the_same_time_one_is_carried_out_and_the_others_are_told_to_wait_or_get_its_answer(
    site: Site,
) -> None:
    answers: list[Any] = []
    gate = threading.Barrier(8)

    def post() -> None:
        client = site.client()
        gate.wait()
        answers.append(client.post("/api/batch/create", headers=KEYED))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_status = {status: [a for a in answers if a.status_code == status] for status in (202, 409)}
    assert len(by_status[202]) + len(by_status[409]) == 8 and by_status[202]
    assert len({a.json["batch_id"] for a in by_status[202]}) == 1
    assert {a.json["type"] for a in by_status[409]} <= {"/problems/idempotency-key-in-use"}
    assert all(a.json["retryable"] and a.headers["Retry-After"] for a in by_status[409])
    assert len(run_ids(site)) == 1
    with site.services.db.reading() as conn:
        assert len(batches.list_names(conn)) == 1


def test_a_start_that_was_cut_off_before_its_answer_is_known_by_its_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # the process dies after it has done the work and before the answer is written down
        patch.setattr(idempotency, "store", lambda *_: None)
        site.client().post("/api/batch/create", headers=KEYED)
    (run_id,) = run_ids(site)
    end_run(site, run_id)
    again = site.client().post("/api/batch/create", headers=KEYED)
    assert (again.status_code, again.json) == (202, {"started": True, "run_id": run_id})
    assert run_ids(site) == [run_id]


def age(site: Site, seconds: float) -> None:
    with site.services.db.transaction() as conn:
        conn.execute(idempotency_keys.update().values(at=later(-seconds)))


def test_a_request_that_was_cut_off_before_it_did_anything_is_carried_out_after_a_minute(site: Site) -> None:
    client = site.client()
    with site.services.db.transaction() as conn:
        fingerprint = fingerprint_of(site, "/api/workflow/run")
        idempotency.claim(conn, f" {KEYED['Idempotency-Key']}", fingerprint)
    busy = client.post("/api/workflow/run", headers=KEYED)
    assert (busy.status_code, busy.json["type"]) == (409, "/problems/idempotency-key-in-use")
    age(site, idempotency.GIVE_UP_SECONDS + 1)
    assert client.post("/api/workflow/run", headers=KEYED).status_code == 202


def fingerprint_of(site: Site, path: str) -> str:
    with site.app.test_request_context(path, method="POST"):
        return door._fingerprint()


def test_a_request_that_was_given_up_for_dead_can_start_nothing_any_more(site: Site) -> None:
    with site.services.db.transaction() as conn:
        slow = idempotency.claim(conn, "k", "request")
    age(site, idempotency.GIVE_UP_SECONDS + 1)
    with site.services.db.transaction() as conn:
        second = idempotency.claim(conn, "k", "request")
    assert isinstance(slow, idempotency.Claim) and isinstance(second, idempotency.Claim)
    idempotency.work_under(slow)
    with pytest.raises(Conflict, match="taken its place"):
        jobs.start_cleanup(site.services, Trigger.API)
    assert run_ids(site) == []
    idempotency.work_under(second)
    run = jobs.start_cleanup(site.services, Trigger.API)
    idempotency.work_under(None)
    with site.services.db.transaction() as conn:
        idempotency.store(conn, slow, 202, "{}")
        idempotency.release(conn, second)
    (row,) = stored(site)
    assert (row.run_id, row.status) == (run.id, None)


def test_an_answer_is_forgotten_after_a_day(client: FlaskClient, site: Site) -> None:
    first = client.post("/api/workflow/run", headers=KEYED).json["run_id"]
    end_run(site, first)
    age(site, idempotency.KEEP_SECONDS - 60)
    assert client.post("/api/workflow/run", headers=KEYED).json["run_id"] == first
    age(site, idempotency.KEEP_SECONDS + 1)
    assert client.post("/api/workflow/run", headers=KEYED).json["run_id"] != first


def test_a_file_is_retried_once_and_the_repeat_is_told_the_same(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    asset_id = client.get("/api/failed").json["files"][0]["id"]
    first = client.post(f"/api/assets/{asset_id}/retry", headers=KEYED)
    again = client.post(f"/api/assets/{asset_id}/retry", headers=KEYED)
    assert (first.json["status"], again.json) == (AssetStatus.DISCOVERED, first.json)
    assert client.post(f"/api/assets/{asset_id}/retry").status_code == 409


def test_each_access_key_has_idempotency_keys_of_its_own(make_site: Callable[..., Site]) -> None:
    keys = [{"name": name, "key": key, "scope": "run"} for name, key in (("a", KEY), ("b", KEY[::-1]))]
    site = make_site(auth={"keys": keys})
    client = site.client()
    first = client.post("/api/workflow/run", headers={**KEYED, "x-api-key": KEY})
    end_run(site, first.json["run_id"])
    other = client.post("/api/workflow/run", headers={**KEYED, "x-api-key": KEY[::-1]})
    again = client.post("/api/workflow/run", headers={**KEYED, "x-api-key": KEY})
    assert first.json["run_id"] == again.json["run_id"] != other.json["run_id"]
    assert KEY not in str(stored(site))


def test_a_request_without_the_right_key_claims_nothing(locked: Site) -> None:
    assert locked.client().post("/api/workflow/run", headers=KEYED).status_code == 401
    assert stored(locked) == []
