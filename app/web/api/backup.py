"""Backups: make one, list them, fetch one. Restoring needs the service stopped, so there is no route for it."""

from __future__ import annotations

from flask import Response, jsonify, send_file
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app.backup.making import make_backup
from app.backup.shelf import Backup, find_backup, list_backups
from app.web.answers import done
from app.web.context import container, services
from app.web.models import responses

api = APIBlueprint(
    "backup", __name__, url_prefix="/api/backup",
    abp_tags=[Tag(name="backup", description="Configuration, database and manifests as one file")],
)  # fmt: skip


class BackupPath(BaseModel):
    """The backup in a path."""

    name: str = Field(max_length=100, description="The name of a backup, as GET /api/backup lists it.")


@api.post("", responses=responses(503, ok_status=201), summary="Make a backup")
def make() -> Response:
    """Writes configuration, database and manifests to one file among the backups; it holds keys and passwords."""
    made = make_backup(services(), container().store.path)
    answer = done({**_summary(made), "sha256": made.sha256}, f"The backup {made.name} was made.")
    if answer.status_code == 200 and answer.mimetype == "application/json":
        answer.status_code = 201
    return answer


@api.get("", responses=responses(), summary="List backups, newest first")
def index() -> Response:
    """The backups in the folder for them."""
    return jsonify({"backups": [_summary(one) for one in list_backups(services())]})


@api.get("/<string:name>", responses=responses(404), summary="Fetch a backup")
def download(path: BackupPath) -> Response:
    """The file itself. It holds keys and passwords: keep it where only you can read it."""
    found = find_backup(services(), path.name)
    answer = send_file(found.path, "application/gzip", as_attachment=True, download_name=found.name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _summary(one: Backup) -> dict[str, str | int]:
    return {"name": one.name, "size_bytes": one.size_bytes, "made_at": one.made_at}
