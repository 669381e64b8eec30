"""docs/api.md and the routes that are served are the same set, and its examples are real JSON with real keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.browser import rows
from tests.web.conftest import Site
from tests.web.test_contract import PAGES, as_template

ROOT = Path(__file__).resolve().parents[2]
API = (ROOT / "docs" / "api.md").read_text()
HEADING = re.compile(r"^### `([A-Z]+) (\S+)`$", re.MULTILINE)


def sections() -> dict[tuple[str, str], str]:
    """(method, path) to the text below that heading."""
    found = list(HEADING.finditer(API))
    ends = [match.start() for match in found[1:]] + [len(API)]
    return {(m[1], m[2]): API[m.end() : end] for m, end in zip(found, ends, strict=True)}


def test_every_route_is_documented_and_every_documented_route_is_served(site: Site) -> None:
    served = {
        (method, as_template(rule.rule))
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {route for route in served if route[1] not in PAGES} == set(sections())


def test_every_example_is_json() -> None:
    for block in re.findall(r"```json\n(.*?)```", API, re.DOTALL):
        json.loads(block)


def test_the_answers_have_the_keys_that_the_examples_show(client: FlaskClient, site: Site) -> None:
    rows.fill(site.services)
    rows.add_syncing_batch(site.services)
    rows.start_run(site.services)
    for (method, path), text in sections().items():
        example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
        is_of_a_run = "journal" in path or path.startswith(("/api/preview", "/api/refile/{"))
        if method != "GET" or example is None or is_of_a_run:
            continue
        kept = client.get("/api/config/history").json["revisions"][0]["revision"]
        answer = client.get(asked(path.replace("{revision}", kept))).json
        assert missing(json.loads(example[1]), answer) == [], path


def asked(path: str) -> str:
    """A path with ids that are there, and the query that it cannot do without."""
    ids = {"{batch_id}": "4", "{run_id}": "1", "{asset_id}": "1616", "{name}": "copy-only"}
    for name, value in ids.items():
        path = path.replace(name, value)
    return path + ("?path=001615.jpg" if path.endswith("/at") else "")


def missing(example: Any, answer: Any, where: str = "") -> list[str]:
    """Keys of the example that the answer has not; the first entry stands for a list."""
    if isinstance(example, list) and example and isinstance(answer, list) and answer:
        return missing(example[0], answer[0], where + "[]")
    if not isinstance(example, dict) or not isinstance(answer, dict) or where.endswith(("data", "by_reason")):
        return []
    absent = [f"{where}.{key}" for key in example if key not in answer]
    return absent + [
        name for key in example if key in answer for name in missing(example[key], answer[key], f"{where}.{key}")
    ]
