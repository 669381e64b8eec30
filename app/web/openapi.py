"""What the OpenAPI document says beyond what the routes declare: examples, the shapes of answers, problems, headers.

The examples are answers that the program gave (openapi_examples.json). The shape of an answer that no model describes
is that of its example. Tests send every request again and compare.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from app.admission.problems import KINDS, MEDIA_TYPE
from app.web.idempotency import HEADER

EXAMPLES_FILE = Path(__file__).with_name("openapi_examples.json")
PROBLEM = {"$ref": "#/components/schemas/Problem"}
ANYTHING = "#/components/schemas/JsonObject"

IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Under the same key the same request is carried out once, however often it is sent.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
UNFIT = "The request has faults. An unknown parameter or key is one; `known` lists what the address knows."
PROBLEM_EXAMPLE = {
    "type": KINDS["illegal-transition"].type,
    "title": KINDS["illegal-transition"].title,
    "status": 409,
    "detail": "Batch batch_003 is SYNCING and cannot become SORTING.",
    "instance": "/api/workflow/sort/3",
    "retryable": False,
}


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """The recorded request and answer of each route, by "METHOD /path"."""
    found: dict[str, dict[str, Any]] = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
    return found


def complete(document: dict[str, Any]) -> None:
    """Add to each operation its example, the shape of its answer, how it tells of problems, and common headers."""
    document["components"]["schemas"]["Problem"]["example"] = PROBLEM_EXAMPLE
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _tell_problems(operation)
            if method == "post" and path.startswith("/api/"):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            example = recorded().get(f"{method.upper()} {path}")
            if example is not None:
                _add_request(operation, example["request"])
                _add_answer(operation, example)


def _tell_problems(operation: dict[str, Any]) -> None:
    """Whatever is no success is a problem; the framework's own shape of a validation error is never sent."""
    problem = {MEDIA_TYPE: {"schema": PROBLEM}}
    operation["responses"]["422"] = {"description": UNFIT, "content": problem}
    operation["responses"]["default"] = {"description": "A problem (RFC 9457); see /problems.", "content": problem}


def _add_request(operation: dict[str, Any], request: dict[str, Any]) -> None:
    given = {**request.get("path", {}), **request.get("query", {})}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] in ("path", "query") and parameter["name"] in given:
            parameter["example"] = given[parameter["name"]]
    content = operation.get("requestBody", {}).get("content", {})
    if "body" in request and request["media_type"] in content:
        content[request["media_type"]]["example"] = request["body"]


def _add_answer(operation: dict[str, Any], example: dict[str, Any]) -> None:
    responses, status = operation["responses"], str(example["status"])
    answer = responses.setdefault(status, {"description": "As in the example."})
    content = answer.setdefault("content", {})
    described = content.get("application/json", {}).get("schema", {})
    if example["media_type"] not in content or described.get("$ref") == ANYTHING:
        content.pop("application/json", None)
        content[example["media_type"]] = {"schema": example["schema"]}
    content[example["media_type"]]["example"] = example["answer"]
