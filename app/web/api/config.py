"""The configuration: read it with secrets masked, change part of it."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag

from app.config.store import Snapshot, masked
from app.errors import BadRequest, RevisionChanged
from app.web.context import container
from app.web.models import responses

api = APIBlueprint("config", __name__, url_prefix="/api/config", abp_tags=[Tag(name="config", description="Settings")])

#: Names in the answer to GET that are not settings; a client may send them back with its changes.
NOT_SETTINGS = ("path", "warnings", "environment_keys")
PARTIAL_CONFIG = RequestBody.model_validate(
    {
        "description": "Only the settings to change, as a nested JSON object.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"batch": {"max_size_gb": 20}}}},
        "required": True,
    }
)


@api.get("", responses=responses(503), summary="Read the configuration")
def show() -> Response:
    """Every setting in force, secrets as ********, with its revision (also as ETag)."""
    return _answer(container().store.current())


@api.put("", responses=responses(400, 412, 422), request_body=PARTIAL_CONFIG, summary="Change settings")
def change() -> Response:
    """Merges the settings sent into the file. Checked as a whole before anything is saved; in force at once.

    A masked secret keeps its value. With If-Match, or `revision` in the body, a change that someone made meanwhile
    is not overwritten. X-Actor names who changes.
    """
    partial = read_json_object()
    expected = _expected_revision(partial.pop("revision", None))
    for name in NOT_SETTINGS:
        partial.pop(name, None)
    actor = request.headers.get("X-Actor", "")[:100] or "api"
    return _answer(container().store.save_partial(partial, actor=actor, expected_revision=expected))


def _answer(snapshot: Snapshot) -> Response:
    answer = jsonify({**masked(snapshot.config), "revision": snapshot.revision})
    answer.set_etag(snapshot.revision)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _expected_revision(sent: Any) -> str | None:
    if request.if_match and not request.if_match.star_tag:
        wanted = [*request.if_match.as_set()]
        current = container().store.current().revision
        if current not in wanted:
            raise RevisionChanged(wanted[0] if wanted else "", current)
        return current
    if sent is not None and not isinstance(sent, str):
        raise BadRequest("`revision` must be the text that GET /api/config answered.")
    return sent


def read_json_object() -> dict[str, Any]:
    """The JSON object in the request's body. Raises BadRequest, whatever else was sent."""
    try:
        found = json.loads(request.get_data(cache=False), parse_constant=_refuse_constant)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object with the settings to change.") from error
    if not isinstance(found, dict):
        raise BadRequest('The body must be a JSON object, as in {"batch": {"max_size_gb": 20}}.')
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
