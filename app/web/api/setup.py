"""Setting up the folders that the configuration names."""

from __future__ import annotations

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.errors import printable
from app.files.roots import add_missing_roots
from app.model.counting import counted
from app.overview.roots import forget
from app.web.answers import done
from app.web.context import services
from app.web.models import responses

api = APIBlueprint(
    "setup", __name__, url_prefix="/api/setup", abp_tags=[Tag(name="setup", description="Folders and first start")]
)


@api.post("/roots", responses=responses(503), summary="Set up the folders")
def roots() -> Response:
    """Makes each configured folder that is not known yet, with its marker file; touches no other folder."""
    found = services()
    made = add_missing_roots(found.db, found.config)
    forget()
    listed = [{"id": root.id, "kind": root.kind.value, "path": printable(root.path)} for root in made]
    return done({"roots": listed}, f"{counted(len(listed), 'folder is', 'folders are')} set up.")
