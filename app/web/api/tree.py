"""The tree of the archive, as it is and as another pattern would make it."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app.admission.problems import kind_of_error
from app.errors import ConfigError
from app.overview.tree import Which, archive_tree
from app.web.context import services
from app.web.errors import problem
from app.web.models import responses
from app.web.queries import Text

api = APIBlueprint(
    "tree", __name__, url_prefix="/api/tree", abp_tags=[Tag(name="tree", description="The folders of the archive")]
)


class TreeQuery(BaseModel):
    """Which tree: by the settings in force, or with others in their place."""

    which: Which = Field("all", description="Count files that wait, those that are archived, or all.")
    depth: int = Field(2, ge=1, le=20, description="Folders below this level are counted in the one above.")
    folder_pattern: Text | None = Field(None, description="Instead of sorter.folder_pattern.")
    name_pattern: Text | None = Field(None, description="Instead of sorter.name_pattern.")
    language: Text | None = Field(None, description="Instead of sorter.language.")


@api.get("", responses=responses(422), summary="The folders of the archive, with counts")
def show(query: TreeQuery) -> Response:
    """Where the files go that wait, and where those would lie that are archived; nothing is moved. `elsewhere` counts
    archived files that lie in another folder now. `422` when a pattern has a fault, with its place."""
    patterns = query.model_dump(include={"folder_pattern", "name_pattern", "language"}, exclude_none=True)
    try:
        return jsonify(archive_tree(services(), patterns=patterns, which=query.which, depth=query.depth))
    except ConfigError as error:
        kind = kind_of_error(error)
        listed = [{"path": fault.path, "message": fault.message} for fault in error.problems]
        return problem(kind.status, f"{error}.", kind=kind, errors=listed)
