"""Verification: is every file still what it was?"""

from __future__ import annotations

from typing import Annotated

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app import jobs
from app.jobs.verify import MOST_DAYS, MOST_MB_PER_SECOND, MOST_MINUTES
from app.overview.verification import verification_status
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import Started, responses
from app.web.unknown import read_body

api = APIBlueprint(
    "verify", __name__, url_prefix="/api/verify", abp_tags=[Tag(name="verify", description="Is every file as it was?")]
)

Name = Annotated[str, StringConstraints(pattern="^(archive|batch|duplicates|ingest)$")]


class VerifyBody(BaseModel):
    """What to verify; each may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    roots: list[Name] | None = Field(
        default=None, min_length=1, max_length=4, description="Which folders; left out: archive, batch and duplicates."
    )
    max_mb_per_second: float | None = Field(
        default=None,
        ge=0,
        le=MOST_MB_PER_SECOND,
        description="Most MB read in a second; 0: no cap; left out: as the settings say.",
    )
    max_minutes: float | None = Field(
        default=None,
        ge=0,
        le=MOST_MINUTES,
        description="Minutes after which other runs may go first; 0: no limit; left out: as the settings say.",
    )
    older_than_days: int | None = Field(
        default=None, ge=0, le=MOST_DAYS, description="Only files not verified for so many days; left out: all."
    )


BODY = RequestBody.model_validate(
    {
        "description": "May be left out.",
        "content": {
            "application/json": {
                "schema": VerifyBody.model_json_schema(),
                "example": {"roots": ["archive"], "max_mb_per_second": 50, "older_than_days": 30},
            }
        },
        "required": False,
    }
)


@api.post("", responses=responses(422, ok=Started, ok_status=202), request_body=BODY, summary="Verify files")
def start() -> Response:
    """Starts a run that reads files again and compares each with what it should hold. No file is touched.

    Without a body everything in the archive, in batches and among the duplicates is read. One that let other runs go
    first, and was asked for in the same words, goes on where it stopped.
    """
    wanted = read_body(VerifyBody)
    return answer_start(
        lambda: jobs.start_verify(
            services(),
            trigger(),
            roots=wanted.roots,
            max_mb_per_second=wanted.max_mb_per_second,
            max_minutes=wanted.max_minutes,
            older_than_days=wanted.older_than_days,
        ),
        "A verification was started",
    )


@api.get("", responses=responses(), summary="The last verification, and how much was verified when")
def show() -> Response:
    """The last verification with its result, what was found and waits for a person, and how old the proof is."""
    return jsonify(verification_status(services()))
