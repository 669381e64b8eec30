"""Every route has an example in the OpenAPI document, and the program answers as it says when it is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.admission.problems import MEDIA_TYPE
from app.web.openapi import HEADER, recorded
from tests.web.example_requests import EXAMPLES
from tests.web.record_examples import ask
from tests.web.scenario import Scene
from tests.web.shapes import faults, not_shown, shape_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("examples"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = scene.open().get("/openapi.json").json
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_has_a_recorded_example_and_no_other_is_recorded(document: dict[str, Any]) -> None:
    assert set(recorded()) == set(EXAMPLES)
    assert set(EXAMPLES) == set(operations(document))


@pytest.mark.parametrize("route", EXAMPLES)
def test_the_program_answers_an_example_in_the_shape_that_the_document_tells(
    scene: Scene, document: dict[str, Any], route: str
) -> None:
    example = EXAMPLES[route]
    client = scene.open(example.situation)
    scene.is_touched |= not route.startswith("GET")
    answer, _ = ask(client, route, example)
    assert answer.status_code == example.status, answer.text
    described = operations(document)[route]["responses"][str(example.status)]["content"][answer.mimetype]
    assert "example" in described
    if answer.mimetype.endswith("json"):
        components = document["components"]["schemas"]
        assert faults(answer.json, described["schema"], components) == []
        assert faults(described["example"], described["schema"], components) == []
        if not example.is_opaque:
            assert not_shown(answer.json, described["example"]) == []


def test_every_operation_tells_of_problems_and_every_post_of_its_idempotency_key(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        answers = operation["responses"]
        assert {MEDIA_TYPE} == set(answers["default"]["content"]) == set(answers["422"]["content"]), route
        headers = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"]
        assert (HEADER in headers) == route.startswith("POST /api/"), route


def test_every_parameter_of_an_address_has_an_example(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        wanted = [p for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert all("example" in parameter for parameter in wanted), route


def test_no_example_names_the_machine_on_which_it_was_recorded() -> None:
    text = str(recorded())
    assert not any(word in text for word in ("/tmp/", "/home/", "pytest", "installation/"))


@pytest.mark.parametrize(
    ("answer", "example", "lacking"),
    [
        ({"report": {"counts": {"files": 1, "altered": 0}}}, {"report": {"counts": {"files": 1}}},
         ["$.report.counts.altered"]),
        ({"files": [{"id": 1, "note": None}]}, {"files": [{"id": 7}, {"id": 8}]}, ["$.files[].note"]),
        ({"report": {"run": 1}}, {"report": None}, []),
        ({"by_reason": {"moved": 1}, "files": []}, {"by_reason": {}, "files": [{"id": 1}]}, []),
    ],
)  # fmt: skip
def test_a_key_that_an_example_lacks_is_noticed_however_deep_it_lies(
    answer: Any, example: Any, lacking: list[str]
) -> None:
    assert not_shown(answer, example) == lacking


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"id": "7", "files": [], "next_id": None}, "$.id is '7', not of type integer"),
        ({"id": True, "files": [], "next_id": 1}, "$.id is True, not of type integer"),
        ({"files": [], "next_id": 1}, "$.id is missing"),
        ({"id": 1, "files": [{"name": 1}], "next_id": 1}, "$.files[0].name is 1, not of type string"),
        ({"id": 1, "files": [], "next_id": "x"}, "$.next_id is 'x', not of type integer"),
    ],
)
def test_an_answer_of_another_shape_is_noticed(value: Any, fault: str) -> None:
    schema = shape_of({"id": 1, "files": [{"name": "a"}, {"name": "b", "more": 1}], "next_id": 7})
    assert faults(value, schema, {}) == [fault]
    assert faults({"id": 1, "files": [{"name": "a"}], "next_id": None}, schema, {}) == []
