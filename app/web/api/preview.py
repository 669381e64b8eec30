"""Previews: what a run would do, without doing it."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app import jobs
from app.model import AssetStatus
from app.overview.preview import list_batches, list_duplicates, list_files, preview_summary
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import MAX_ID, RunPath, Started, responses

api = APIBlueprint(
    "preview",
    __name__,
    url_prefix="/api/preview",
    abp_tags=[Tag(name="preview", description="What a run would do, without touching a file")],
)


class InIdOrder(BaseModel):
    """A page of a list in id order."""

    after_id: int = Field(0, ge=0, le=MAX_ID, description="Show what comes after this id.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class PreviewFilesQuery(InIdOrder):
    """Which files of a preview."""

    status: AssetStatus | None = Field(None, description="Only files that would have this status.")
    batch_id: int | None = Field(None, ge=1, le=MAX_ID, description="Only files of this batch.")
    only_weak: bool = Field(False, description="Only files that would be archived with a doubtful date.")


@api.post("", responses=responses(ok=Started, ok_status=202), summary="Rehearse a run")
def start() -> Response:
    """Starts a run that plays the whole workflow on a copy of the database. No file is touched."""
    return answer_start(lambda: jobs.start_preview(services(), trigger()), "A preview was started")


@api.get("", responses=responses(404), summary="The newest preview")
def newest() -> Response:
    """The newest preview that has ended well: counts, batches, folders, room and warnings."""
    return jsonify(preview_summary(services()))


@api.get("/<int:run_id>", responses=responses(404), summary="One preview")
def show(path: RunPath) -> Response:
    """A preview by its run; `summary` is null until it is finished."""
    return jsonify(preview_summary(services(), path.run_id))


@api.get("/<int:run_id>/files", responses=responses(404), summary="The files of a preview")
def files(path: RunPath, query: PreviewFilesQuery) -> Response:
    """Where each file is, what would become of it, in which batch and folder, and why its date is what it is."""
    found = list_files(
        services(),
        path.run_id,
        status=query.status.value if query.status is not None else None,
        batch_id=query.batch_id,
        only_weak=query.only_weak,
        after_id=query.after_id,
        limit=query.limit,
    )
    return jsonify(found)


@api.get("/<int:run_id>/duplicates", responses=responses(404), summary="The duplicates of a preview")
def duplicates(path: RunPath, query: InIdOrder) -> Response:
    """Each duplicate with the file that it repeats."""
    return jsonify(list_duplicates(services(), path.run_id, after_id=query.after_id, limit=query.limit))


@api.get("/<int:run_id>/batches", responses=responses(404), summary="The batches of a preview")
def batches(path: RunPath, query: InIdOrder) -> Response:
    """The batches that would be made or carried on, and what happens to each at the peer."""
    return jsonify(list_batches(services(), path.run_id, after_id=query.after_id, limit=query.limit))
