"""The OpenAPI document: complete, valid, and true under requests that are made from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.web.conftest import Site

PAGES = {"/", "/dashboard", "/control", "/peer", "/diagnostics", "/login", "/logout", "/docs", "/docs/assets/{name}",
         "/openapi.json", "/partials/overview", "/partials/peer", "/problems", "/problems/{name}",
         "/static/{filename}", "/why", "/dates", "/dates/preview", "/dates/decide", "/dates/decided", "/dates/refile",
         "/partials/dates/counts", "/tree", "/partials/tree", "/files", "/files/{asset_id}",
         "/files/{asset_id}/thumbnail", "/partials/files", "/partials/files/{asset_id}", "/duplicates",
         "/partials/duplicates", "/failed", "/failed/retry", "/partials/failed",
         "/settings", "/settings/check", "/settings/fill", "/settings/text", "/settings/text/check",
         "/settings/history", "/settings/history/{revision}", "/partials/settings",
         "/journal", "/partials/journal", "/logs", "/logs/download", "/welcome", "/welcome/{name}",
         "/welcome/folders", "/welcome/target", "/welcome/peer", "/partials/welcome/rehearsal", "/runs",
         "/runs/{run_id}",
         "/partials/runs", "/partials/runs/{run_id}", "/partials/runs/{run_id}/log", "/batches", "/batches/{batch_id}",
         "/batches/{batch_id}/undo", "/batches/{batch_id}/missing", "/partials/batches", "/partials/batches/{batch_id}",
         "/preview",
         "/partials/preview", "/partials/control", "/partials/control/peer", "/partials/control/diagnostics",
         "/partials/control/doctor", "/partials/diagnostics", "/control/batch"}  # fmt: skip

#: An answer that goes on for as long as it was asked to; tests/web/test_log_streams.py reads it.
ENDLESS = {"/api/logs/stream"}


def as_template(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)


def test_every_route_of_the_api_is_in_the_document(client: FlaskClient, site: Site) -> None:
    document = client.get("/openapi.json").json
    served = {
        (as_template(rule.rule), method.lower())
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert {route for route in served if route[0] not in PAGES} == described
    assert document["openapi"] == "3.1.0"


def test_every_operation_says_what_it_does(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    ids = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary"), (path, method)
            assert operation.get("description"), (path, method)
            ids.append(operation["operationId"])
    assert len(ids) == len(set(ids))


def test_the_first_products_broken_routes_answer(client: FlaskClient) -> None:
    assert client.post("/api/workflow/sync/refresh").status_code == 202
    assert client.get("/api/batch/list").status_code == 200
    for method, path in [("get", "/config"), ("get", "/redoc")]:
        assert getattr(client, method)(path).status_code == 404


def test_nothing_that_fits_the_document_makes_the_server_fail(make_site: Callable[..., Site]) -> None:
    site = make_site()
    schema = schemathesis.openapi.from_wsgi("/openapi.json", site.app)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in ENDLESS:
            _exercise(operation)


def _exercise(operation) -> None:  # type: ignore[no-untyped-def]
    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case) -> None:  # type: ignore[no-untyped-def]
        answer = case.call()
        is_told = answer.status_code == 502 and case.formatted_path.startswith("/api/syncthing/")
        assert answer.status_code < 500 or is_told, (case.method, case.formatted_path, answer.status_code, answer.text)

    check()


def test_the_document_has_each_member_of_a_problem_and_says_that_the_unknown_is_refused(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    described = document["components"]["schemas"]["Problem"]["properties"]
    told = client.get("/api/assets?limt=1")
    assert told.status_code == 422 and set(told.json) == set(described)
    assert "`known` lists" in document["paths"]["/api/assets"]["get"]["responses"]["422"]["description"]


@pytest.mark.parametrize("path", ["/api/assets", "/api/journal", "/api/runs", "/api/batches"])
def test_no_query_makes_the_server_fail(path: str, client: FlaskClient) -> None:
    names = st.sampled_from(["after_id", "before_id", "limit", "status", "prefix", "kind", "run_id", "batch_id", "x"])
    described = client.get("/openapi.json").json["paths"][path]["get"]["parameters"]
    known = {parameter["name"] for parameter in described if parameter["in"] == "query"}
    texts = st.one_of(
        st.text(max_size=40), st.integers().map(str), st.sampled_from(["", "-1", "1e9", "\x00", "9" * 30, "%"])
    )

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(st.dictionaries(names, texts, max_size=3))
    def check(query: dict[str, str]) -> None:
        answer = client.get(path, query_string=query)
        assert answer.status_code in (200, 422), query
        if answer.status_code == 422:
            members = {"type", "title", "status", "detail", "instance", "retryable", "errors"}
            assert set(json.loads(answer.data)) == members | ({"known"} if set(query) - known else set())

    check()
