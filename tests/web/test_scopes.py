"""Several keys, each with a scope: what each may do, who did it, and what becomes of a browser's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.db import batches, journal, runs
from app.model import BatchStatus, RunKind, RunStatus, Stage, Trigger
from app.web.auth import ADMIN_ENDPOINTS, OPEN_ENDPOINTS, READ_ENDPOINTS, opens, scope_needed
from tests.web.conftest import KEY, Site
from tests.web.test_auth import urls

READ_KEY = "READ-0123456789-abcdef"
RUN_KEY = "RUN-0123456789-abcdef"
ADMIN_KEY = "ADMIN-0123456789-abcdef"
KEYS = [
    {"name": "wall-display", "key": READ_KEY, "scope": "read"},
    {"name": "home-assistant", "key": RUN_KEY, "scope": "run"},
    {"name": "anna", "key": ADMIN_KEY, "scope": "admin"},
]
BY_SCOPE = {"read": READ_KEY, "run": RUN_KEY, "admin": ADMIN_KEY}
MASK = "********"


@pytest.fixture
def shared(make_site: Callable[..., Site]) -> Site:
    """An application with a key for each scope, beside the main one."""
    return make_site(auth={"api_key": KEY, "keys": KEYS})


def last_request(site: Site) -> dict[str, Any]:
    with site.services.db.reading() as conn:
        return dict(journal.list_events(conn, kind_prefix="run.requested", limit=1)[0].detail)


@pytest.mark.parametrize("scope", ["read", "run", "admin"])
def test_each_route_opens_for_its_scope_and_answers_403_below_it(shared: Site, scope: str) -> None:
    client = shared.client()
    for endpoint, method, path in urls(shared):
        needed = scope_needed(endpoint, method)
        if endpoint in OPEN_ENDPOINTS or (scope == "admin" and endpoint in ADMIN_ENDPOINTS):
            continue
        answer = client.open(path, method=method, headers={"x-api-key": BY_SCOPE[scope]})
        allowed = ["read", "run", "admin"].index(scope) >= ["read", "run", "admin"].index(needed)
        assert (answer.status_code != 403) == allowed, (method, path, needed)


def test_the_tables_name_routes_that_exist(shared: Site) -> None:
    endpoints = {endpoint for endpoint, _, _ in urls(shared)}
    assert endpoints >= ADMIN_ENDPOINTS | READ_ENDPOINTS


def test_a_refusal_names_the_scope_that_is_needed_and_the_key_that_was_sent(shared: Site) -> None:
    answer = shared.client().put("/api/config", json={"batch": {"max_files": 1}}, headers={"x-api-key": RUN_KEY})
    assert answer.status_code == 403
    assert answer.json["detail"] == "This needs a key with the scope admin; the key home-assistant has the scope run."
    assert answer.content_type == "application/problem+json"
    assert shared.services.config.batch.max_files == 0


@pytest.mark.parametrize(
    ("kind", "stage", "needed"),
    [
        (RunKind.UNDO, Stage.UNDO, "admin"),
        (RunKind.REBUILD, Stage.REBUILD, "admin"),
        (RunKind.VERIFY, Stage.VERIFY, "run"),
        (RunKind.STAGE, Stage.DEDUP, "run"),
    ],
)
def test_a_failed_run_is_tried_again_only_by_whoever_may_start_it(
    shared: Site, kind: RunKind, stage: Stage, needed: str
) -> None:
    with shared.services.db.transaction() as conn:
        run = runs.insert_queued(conn, kind, Trigger.API, [stage])
        run = runs.change(conn, runs.change(conn, run, RunStatus.RUNNING), RunStatus.FAILED)
    answer = shared.client().post(f"/api/runs/{run.id}/retry", headers={"x-api-key": RUN_KEY})
    with shared.services.db.reading() as conn:
        after, queued = runs.get(conn, run.id).status, runs.find_in_flight(conn)
    if needed == "run":
        # A verification begins anew as a run of its own; others go on where they stopped.
        assert (answer.status_code, queued.kind if queued else None) == (202, kind)
        return
    assert (answer.status_code, answer.json["scope_needed"], after) == (403, "admin", RunStatus.FAILED)
    # A rebuild has rules of its own as well; the door itself is open for this key.
    assert shared.client().post(f"/api/runs/{run.id}/retry", headers={"x-api-key": ADMIN_KEY}).status_code != 403


@pytest.mark.parametrize(("before", "needed"), [(BatchStatus.UNDOING, "admin"), (BatchStatus.SYNCING, "run")])
def test_a_failed_batch_that_was_being_taken_back_is_taken_on_only_by_an_admin(
    shared: Site, before: BatchStatus, needed: str
) -> None:
    with shared.services.db.transaction() as conn:
        one = batches.reserve(conn, naming_pattern="b{index}", allow_parallel=True, target="none",
                              transfer_mode="move", peer_policy="keep", device_id=None)  # fmt: skip
        begun = batches.change(conn, one, before)
        batches.change(conn, begun, BatchStatus.ERROR, error="the disk was full", error_from=before.value)
    answer = shared.client().post(f"/api/batches/{one.id}/retry", headers={"x-api-key": RUN_KEY})
    if needed == "admin":
        with shared.services.db.reading() as conn:
            assert batches.get(conn, one.id).status is BatchStatus.ERROR
        assert (answer.status_code, answer.json["scope_needed"]) == (403, "admin")
        answer = shared.client().post(f"/api/batches/{one.id}/retry", headers={"x-api-key": ADMIN_KEY})
    assert answer.status_code == 202
    with shared.services.db.reading() as conn:
        assert batches.get(conn, one.id).status is before


def test_keys_of_their_own_close_the_door_without_a_main_key(make_site: Callable[..., Site]) -> None:
    client = make_site(auth={"keys": KEYS}).client()
    assert client.get("/api/runs").status_code == 401
    assert client.get("/api/runs", headers={"x-api-key": ""}).status_code == 401
    assert client.get("/api/runs", headers={"Authorization": f"Bearer {READ_KEY}"}).status_code == 200


def test_the_journal_says_whose_key_asked_for_a_run(shared: Site) -> None:
    client = shared.client()
    client.post("/api/workflow/run", headers={"x-api-key": RUN_KEY, "X-Actor": "phone\x07"})
    assert last_request(shared)["actor"] == "home-assistant (phone)"


def test_without_keys_the_door_is_named(site: Site) -> None:
    site.client().post("/api/workflow/run")
    assert last_request(site)["actor"] == "api"


def test_a_browser_session_has_the_scope_of_its_key(shared: Site) -> None:
    client = shared.client()
    assert client.post("/login", data={"key": READ_KEY}).status_code == 303
    assert client.get("/dashboard").status_code == 200
    refused = client.post("/api/workflow/run", headers={"HX-Request": "true", "Origin": "http://localhost"})
    assert refused.status_code == 403
    assert refused.headers["HX-Retarget"] == "#notices"
    assert "needs a key with the scope run" in refused.get_data(as_text=True)
    assert client.post("/logout").status_code == 303
    assert client.get("/dashboard").status_code == 401


@pytest.mark.parametrize(
    "keys",
    [
        KEYS[1:],
        [{**KEYS[0], "key": "another-0123456789"}, *KEYS[1:]],
        [{**KEYS[0], "name": "display"}, *KEYS[1:]],
    ],
    ids=["removed", "changed", "renamed"],
)
def test_a_session_dies_with_its_key_and_the_others_live(shared: Site, keys: list[dict[str, str]]) -> None:
    gone, other = shared.client(), shared.client()
    gone.post("/login", data={"key": READ_KEY})
    other.post("/login", data={"key": RUN_KEY})
    changed = shared.client().put("/api/config", json={"auth": {"keys": keys}}, headers={"x-api-key": ADMIN_KEY})
    assert changed.status_code == 200, changed.json
    assert gone.get("/api/runs").status_code == 401
    assert other.get("/api/runs").status_code == 200


def test_a_session_cannot_take_on_another_name(shared: Site) -> None:
    client = shared.client()
    cookie = client.post("/login", data={"key": READ_KEY}).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    assert cookie.endswith(".wall-display")
    thief = shared.client()
    for name in ("anna", "main", ""):
        thief.set_cookie("media_pipeline_session", cookie.removesuffix("wall-display") + name)
        assert thief.get("/api/runs").status_code == 401


def test_a_lowered_scope_counts_at_once_for_a_session(shared: Site) -> None:
    client = shared.client()
    client.post("/login", data={"key": RUN_KEY})
    assert client.post("/api/workflow/run").status_code == 202
    lowered = [KEYS[0], {**KEYS[1], "scope": "read", "key": MASK}, KEYS[2]]
    shared.client().put("/api/config", json={"auth": {"keys": lowered}}, headers={"x-api-key": KEY})
    assert client.post("/api/workflow/run").status_code == 403


def test_masked_keys_keep_their_values_by_name_in_any_order(shared: Site) -> None:
    client, headers = shared.client(), {"x-api-key": KEY}
    shown = client.get("/api/config", headers=headers).json
    assert [entry["key"] for entry in shown["auth"]["keys"]] == [MASK] * 3
    turned = {"auth": {"keys": [*reversed(shown["auth"]["keys"])]}}
    assert client.put("/api/config", json=turned, headers=headers).status_code == 200
    kept = {key.name: key.key for key in shared.services.config.auth.keys}
    assert kept == {entry["name"]: entry["key"] for entry in KEYS}


def test_a_mask_under_a_new_name_is_refused(shared: Site) -> None:
    keys = {"auth": {"keys": [{"name": "stranger", "key": MASK, "scope": "admin"}]}}
    answer = shared.client().put("/api/config", json=keys, headers={"x-api-key": KEY})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == "auth.keys.0.key"


def test_the_document_says_the_scope_and_the_security_of_each_operation(shared: Site) -> None:
    document = shared.client().get("/openapi.json", headers={"x-api-key": READ_KEY}).json
    operations = {(path, m): op for path, item in document["paths"].items() for m, op in item.items()}
    assert operations["/health", "get"]["security"] == []
    assert operations["/api/config", "put"]["x-scope"] == "admin"
    assert operations["/api/workflow/run", "post"]["x-scope"] == "run"
    assert operations["/api/runs/{run_id}", "get"]["x-scope"] == "read"
    for route, operation in operations.items():
        assert operation["security"] == [] or operation["x-scope"] in BY_SCOPE, route
    assert opens(shared.services.config.auth.every_key[0], "admin")
