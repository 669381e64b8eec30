"""Runs about dates: sidecars with those that people decided, and reading what was never recorded."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app import jobs
from app.db.doubtful_dates import DateFilter
from app.jobs import SidecarWish
from app.model import Stage
from app.overview.doubtful import folder_of
from app.web.answers import accepted, answer_start, done
from app.web.context import services, trigger
from app.web.models import MAX_ID, Started, responses
from app.web.queries import Text
from app.web.unknown import read_body

api = APIBlueprint(
    "date_runs", __name__, url_prefix="/api/dates", abp_tags=[Tag(name="dates", description="When was it taken?")]
)

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Words = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class SidecarsBody(BaseModel):
    """Beside which files with decided dates: `asset_ids`, or all that camera and folder find; without any, all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    asset_ids: list[Id] = Field(default=[], max_length=10_000, description="These files, and what belongs to them.")
    camera: Words | None = Field(
        default=None, description="The camera's model, else its make, letter case aside; empty: none is known."
    )
    folder: Text | None = Field(default=None, description="All that came in this folder of ingest, or below it.")
    dry_run: bool = Field(default=False, description="Only tell how many files are meant.")


BODY = RequestBody.model_validate(
    {
        "description": "Beside which files with decided dates; without any, all.",
        "content": {"application/json": {"schema": SidecarsBody.model_json_schema(), "example": {"dry_run": True}}},
    }
)


@api.post(
    "/sidecars", responses=responses(400, 404, 409, 422), request_body=BODY, summary="Write decided dates into sidecars"
)
def sidecars() -> Response:
    """Beside each archived photo and film whose date a person decided, an XMP file tells it to other programs. Photos
    and films stay as they are, and so do sidecars that this program did not write. Those that still wait get theirs
    when they are in the archive."""
    asked = read_body(SidecarsBody)
    wish = SidecarWish(asked.asset_ids, DateFilter(camera=asked.camera, folder=folder_of(asked.folder)))
    wished = jobs.start_sidecars(services(), wish, trigger(), dry_run=asked.dry_run)
    run_id = wished.run.id if wished.run is not None else None
    body = {"started": run_id is not None, "run_id": run_id, "files": wished.files, "dry_run": asked.dry_run}
    return (accepted if run_id is not None else done)(body, wished.in_words())


@api.post("/read", responses=responses(ok=Started, ok_status=202), summary="Read what was never recorded")
def read() -> Response:
    """Starts a run that reads what files tell of their dates that were dated by an older version, or found by a
    rebuild, so that GET /api/why shows it. No date is changed."""
    return answer_start(lambda: jobs.start_stage(services(), Stage.READ_DATES, trigger()), "Reading was started")
