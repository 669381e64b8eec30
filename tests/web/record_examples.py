"""Writes down the answers to the requests of example_requests.py: `python -m tests.web.record_examples`."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.openapi import EXAMPLES_FILE
from tests.web.example_requests import EXAMPLES, Example
from tests.web.scenario import Scene
from tests.web.shapes import shape_of

#: Entries of a list that an example shows.
SHOWN = 2
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")
LONGEST_TEXT = 600


def ask(client: FlaskClient, route: str, example: Example) -> tuple[TestResponse, dict[str, Any]]:
    """The answer to an example, and the request as it was sent."""
    method, _, address = route.partition(" ")
    path = {name: filled(client, value) for name, value in example.path.items()}
    body = filled(client, example.body)
    for name, value in path.items():
        address = address.replace(f"{{{name}}}", str(value))
    sent = json.dumps(body) if isinstance(body, (dict, list)) else body
    headers = {"Content-Type": example.media_type} if body is not None else {}
    answer = client.open(address, method=method, query_string=example.query, data=sent, headers=headers)
    request: dict[str, Any] = {"path": path, "query": example.query}
    if body is not None:
        request |= {"body": body, "media_type": example.media_type}
    return answer, {name: value for name, value in request.items() if value}


def filled(client: FlaskClient, value: Any) -> Any:
    """Words in braces stand for what only the installation knows."""
    if isinstance(value, dict):
        return {key: filled(client, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(client, inner) for inner in value]
    found = {
        "{revision}": lambda: client.get("/api/config/history").json["revisions"][-1]["revision"],
        "{backup}": lambda: client.get("/api/backup").json["backups"][0]["name"],
        "{original}": lambda: client.get("/api/duplicates").json["sets"][0]["original"]["id"],
        "{foreign}": lambda: client.get("/api/findings?kind=foreign").json["findings"][0]["id"],
        "{ignored}": lambda: client.get("/api/findings?kind=ignored").json["findings"][0]["id"],
        "{failed}": lambda: client.get("/api/failed").json["files"][0]["id"],
    }
    return found[value]() if isinstance(value, str) and value in found else value


def record(scene: Scene, route: str, example: Example) -> dict[str, Any]:
    """One entry of the file."""
    client = scene.open(example.situation)
    scene.is_touched |= not route.startswith("GET")
    answer, request = ask(client, route, example)
    if answer.status_code != example.status:
        raise SystemExit(f"{route} answered {answer.status_code}: {answer.text[:500]}")
    media_type = answer.mimetype
    is_json = media_type.endswith("json")
    shown = plain(shortened(answer.json), str(scene.base)) if is_json else shown_text(answer, str(scene.base))
    schema = shape_of(answer.json) if is_json else {"type": "string"}
    if example.is_opaque:
        schema, shown = {"type": "object"}, thinned(shown)
    return {
        "request": plain(request, str(scene.base)), "status": answer.status_code, "media_type": media_type,
        "schema": schema, "answer": shown,
    }  # fmt: skip


def shown_text(answer: TestResponse, base: str) -> str:
    """The beginning of an answer that is no JSON."""
    if not answer.mimetype.startswith(("text/", "application/yaml")):
        return "(bytes)"
    return str(plain(answer.text[:LONGEST_TEXT], base))


def shortened(value: Any) -> Any:
    """Long lists with their first entries only."""
    if isinstance(value, list):
        return [shortened(inner) for inner in value[:SHOWN]]
    return {key: shortened(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def thinned(value: Any) -> Any:
    """The first few fields of each object."""
    return {key: thinned(value[key]) for key in [*value][:3]} if isinstance(value, dict) else value


def plain(value: Any, base: str) -> Any:
    """Without the machine's own paths and moments."""
    if isinstance(value, dict):
        return {key: plain(inner, base) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, base) for inner in value]
    if isinstance(value, str):
        return MOMENT.sub("2026-05-06T07:08:09.000000+00:00", value.replace(base, "/photos"))
    return value


def main() -> None:
    """Ask every example of an installation in which everything has happened, and write the answers down."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder))
        entries = {route: record(scene, route, example) for route, example in EXAMPLES.items()}
        scene.close()
    lines = [f"{json.dumps(route)}: {json.dumps(entry, ensure_ascii=False)}" for route, entry in entries.items()]
    EXAMPLES_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
