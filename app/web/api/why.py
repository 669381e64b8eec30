"""Why is this file where it is? The whole story of one file, in sentences."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app.overview.why import explain
from app.web.context import services
from app.web.models import responses

api = APIBlueprint("why", __name__, url_prefix="/api/why", abp_tags=[Tag(name="why", description="Why is it so?")])


class WhyQuery(BaseModel):
    """The file that is meant."""

    file: str = Field(
        min_length=1,
        max_length=4096,
        pattern=r"^[^\x00]+$",
        description="An id, a path (absolute, or relative to a folder of the installation) or a bare name.",
    )


@api.get("", responses=responses(), summary="Tell the whole story of a file")
def show(query: WhyQuery) -> Response:
    """What it is, where it is and was, why its date, its batch, its proof, what comes next. `known` is false for a
    file that no row knows; `told` then says why."""
    return jsonify(explain(services(), query.file))
