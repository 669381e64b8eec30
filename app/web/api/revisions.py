"""Kept revisions of the settings: what changed, by whom, and back to one of them."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag

from app.config.history import history, revision_details
from app.errors import BadRequest
from app.web.api.config import affected_by, answer_saved, expected_revision, read_json_object
from app.web.context import actor, container
from app.web.models import RevisionPath, responses
from app.web.unknown import refuse_keys

api = APIBlueprint(
    "revisions", __name__, url_prefix="/api/config", abp_tags=[Tag(name="config", description="Settings")]
)

WANTED = RequestBody.model_validate(
    {
        "description": "The revision to go back to, as GET /api/config/history names it.",
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"revision": {"type": "string"}}, "required": ["revision"]},
                "example": {"revision": "5ca43129"},
            }
        },
        "required": True,
    }
)


@api.get("/history", responses=responses(503), summary="The last revisions")
def index() -> Response:
    """Newest first: when, by whom, what changed (secrets as ********), and which one is in force."""
    return jsonify({"revisions": history(container().store)})


@api.get("/history/<revision>", responses=responses(404, 503), summary="One revision")
def show(path: RevisionPath) -> Response:
    """Its text with secrets masked, and what going back to it would change now."""
    return jsonify(revision_details(container().store, path.revision))


@api.post("/rollback", responses=responses(400, 404, 412, 422), request_body=WANTED, summary="Go back to a revision")
def roll_back() -> Response:
    """Saves the text of a kept revision again, checked as any other; the revision left is kept in turn."""
    sent = read_json_object()
    refuse_keys(sent, ["revision"])
    wanted = sent.get("revision")
    if not isinstance(wanted, str):
        raise BadRequest('The body must name the revision, as in {"revision": "5ca43129..."}.')
    store, expected = container().store, expected_revision()
    verdict = store.check_revision(wanted)
    affected = affected_by(verdict)
    snapshot = store.roll_back(wanted, actor=actor(), expected_revision=expected)
    return answer_saved(snapshot, verdict, "The settings went back to an earlier revision", affected)
