"""The configuration: read it with secrets masked, change it in part or as text, and ask what a change would do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag

from app.config.changes import Change, Verdict, problems_json, saved_json, verdict_json
from app.config.document import place_of
from app.config.schema_json import json_schema
from app.config.store import Snapshot, masked
from app.errors import BadRequest, ConfigError, Problem, RevisionChanged, StateError
from app.model.counting import counted
from app.overview.device_doubts import warnings_of_saved, with_device_doubts
from app.overview.peer_policy import SETTING, affected_batches, affected_words
from app.overview.refile import filing_warnings
from app.web.answers import done
from app.web.context import actor, container, services
from app.web.models import responses

api = APIBlueprint("config", __name__, url_prefix="/api/config", abp_tags=[Tag(name="config", description="Settings")])

#: Names in the answer to GET that are not settings; a client may send them back with its changes.
NOT_SETTINGS = ("path", "warnings", "environment_keys", "fault", "affected_batches")
YAML = "text/yaml"
EXAMPLE_TEXT = "batch:\n  max_size_gb: 20\n"
PARTIAL = {"schema": {"type": "object"}, "example": {"batch": {"max_size_gb": 20}}}
TEXT = {"schema": {"type": "string"}, "example": EXAMPLE_TEXT}
PARTIAL_CONFIG = RequestBody.model_validate(
    {
        "description": "Only the settings to change, as a nested JSON object.",
        "content": {"application/json": PARTIAL},
        "required": True,
    }
)
WHOLE_TEXT = RequestBody.model_validate(
    {"description": "The whole settings file as text.", "content": {YAML: TEXT}, "required": True}
)
EITHER = RequestBody.model_validate(
    {
        "description": "The whole settings file as text, or only the settings to change as a nested JSON object.",
        "content": {YAML: TEXT, "application/json": PARTIAL},
        "required": True,
    }
)


@api.get("", responses=responses(503), summary="Read the configuration")
def show() -> Response:
    """Every setting in force, secrets as ********, with the file's revision (also as ETag).

    `fault` says what is wrong with the file when it has faults and the last good configuration is in force.
    """
    return _answer(container().store.current())


@api.put("", responses=responses(400, 412, 422), request_body=PARTIAL_CONFIG, summary="Change settings")
def change() -> Response:
    """Merges the settings sent into the file. Checked as a whole before anything is saved; in force at once.

    A masked secret keeps its value. With If-Match, or `revision` in the body, a change that someone made meanwhile
    is not overwritten. X-Actor is added to the name of who changes.
    """
    partial = _only_settings(read_json_object())
    expected = expected_revision(partial.pop("revision", None))
    store = container().store
    verdict = store.check_partial(partial)
    affected = affected_by(verdict)
    snapshot = store.save_partial(partial, actor=actor(), expected_revision=expected)
    warnings = problems_json([*warnings_of_saved(snapshot, verdict.changes), *filing_warnings_of(verdict.changes)])
    return _answer(snapshot, {"warnings": warnings, "affected_batches": affected})


@api.get("/schema", responses=responses(503), summary="Every setting, as JSON Schema")
def schema() -> Response:
    """Types, bounds, defaults, descriptions and units; which are secret, need a restart, or come from a variable."""
    return jsonify(json_schema(container().store.current().environment_keys))


@api.get("/raw", responses=responses(503), summary="Read the settings file as text")
def show_text() -> Response:
    """The file to the letter, comments included, secrets as ********; with its revision as ETag."""
    store = container().store
    answer = Response(store.text(), content_type=f"{YAML}; charset=utf-8")
    return with_revision(answer, store.file_revision())


@api.put("/raw", responses=responses(412, 422), request_body=WHOLE_TEXT, summary="Replace the settings file")
def replace_text() -> Response:
    """Saves the text to the letter when it has no faults; else tells each with line and column, and changes nothing.

    A masked secret keeps its value. With If-Match a change that someone made meanwhile is not overwritten.
    """
    store, text = container().store, _read_text()
    expected = expected_revision()
    verdict = store.check_raw(text)
    affected = affected_by(verdict)
    snapshot = store.save_raw(text, actor=actor(), expected_revision=expected)
    return answer_saved(snapshot, verdict, "The settings were saved", affected)


@api.post("/validate", responses=responses(400, 503), request_body=EITHER, summary="What would a change do?")
def validate() -> Response:
    """Says what saving would say, each fault with line and column, and which settings would change; changes nothing."""
    store = container().store
    if request.is_json:
        partial = _only_settings(read_json_object())
        partial.pop("revision", None)
        return _answer_verdict(store.check_partial(partial))
    try:
        text = _read_text()
    except ConfigError as error:
        return _answer_verdict(Verdict(error.problems))
    return _answer_verdict(store.check_raw(text))


def _answer_verdict(verdict: Verdict) -> Response:
    told = with_device_doubts(verdict, container().store)
    return jsonify({**verdict_json(told), "affected_batches": affected_by(verdict)})


def affected_by(verdict: Verdict) -> list[dict[str, Any]]:
    """The batches whose files at the peer would fare otherwise; none while there is no database to ask."""
    if all(change.path != SETTING for change in verdict.changes):
        return []
    try:
        with services().db.reading() as conn:
            return affected_batches(conn, verdict.changes)
    except StateError:
        return []


def filing_warnings_of(changes: Sequence[Change]) -> list[Problem]:
    """What to tell of the archive's files; nothing while there is no database to ask."""
    try:
        return filing_warnings(services(), changes)
    except StateError:
        return []


def answer_saved(snapshot: Snapshot, verdict: Verdict, sentence: str, affected: list[dict[str, Any]]) -> Response:
    """What was saved: the new revision, what changed by it and for which batches, and what is doubtful."""
    count = len(verdict.changes)
    warnings = [*warnings_of_saved(snapshot, verdict.changes), *filing_warnings_of(verdict.changes)]
    body = {**saved_json(snapshot.revision, warnings, verdict.changes), "affected_batches": affected}
    words = f"{sentence}: {counted(count, 'setting changed', 'settings changed')}. {affected_words(affected)}"
    return with_revision(done(body, words.strip()), snapshot.revision)


def with_revision(answer: Response, revision: str) -> Response:
    """The answer with the revision as its ETag; never kept by a cache."""
    answer.set_etag(revision)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(snapshot: Snapshot, told: Mapping[str, Any] | None = None) -> Response:
    store = container().store
    revision = store.file_revision()
    body = {**masked(snapshot.config), "revision": revision, **(told or {})}
    if store.fault is not None:
        body["fault"] = str(store.fault)
    return with_revision(jsonify(body), revision)


def expected_revision(sent: Any = None) -> str | None:
    """The revision that the file must be at, from If-Match or from what was sent. Raises RevisionChanged."""
    if request.if_match and not request.if_match.star_tag:
        wanted = [*request.if_match.as_set()]
        current = container().store.file_revision()
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


def _only_settings(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in NOT_SETTINGS}


def _read_text() -> str:
    """The text in the request's body. Raises ConfigError with the place of what is no text."""
    body = request.get_data(cache=False)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_of(body[: error.start].decode("utf-8", "ignore"))
        raise ConfigError([Problem("", "the text is not UTF-8", *place)]) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
