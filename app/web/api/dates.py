"""Doubtful dates, and what people decide about dates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.db.doubtful_dates import DateFilter
from app.jobs.date_changes import DateWish
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.overview.decided import list_acts, list_decided
from app.overview.doubtful import count_doubtful, folder_of, list_doubtful
from app.web.answers import done
from app.web.context import actor, services
from app.web.models import MAX_ID, responses
from app.web.queries import Instant, Page, Text
from app.web.unknown import read_body

api = APIBlueprint(
    "dates", __name__, url_prefix="/api/dates", abp_tags=[Tag(name="dates", description="When was it taken?")]
)

Reason = Literal["mtime", "folder", "exif_modified", "clock", "disagree"]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Words = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
CAMERA = "The camera's model, else its make, letter case aside; empty: none is known."


class DoubtfulQuery(Page):
    """Which doubtful dates."""

    reason: Reason | None = Field(None, description="Only those that are doubtful for this reason.")
    camera: Words | None = Field(None, description=CAMERA)
    folder: Text | None = Field(None, description="Only files that came in this folder of ingest, or below it.")


class ActsQuery(BaseModel):
    """Which decisions, newest first."""

    before: Instant = Field("", description="Only those before this instant; see `next_before`.")
    limit: int = Field(50, ge=1, le=1000, description="At most so many.")


class DecidedQuery(Page):
    """Which files with a date that a person decided."""

    decided_at: Instant = Field("", description="Only those of the decisions that bear this instant.")
    camera: Words | None = Field(None, description=CAMERA)
    folder: Text | None = Field(None, description="Only files that came in this folder of ingest, or below it.")


class UndoBody(BaseModel):
    """Whose decisions are taken back: those of `asset_ids`, or all that camera, folder and `decided_at` find."""

    model_config = ConfigDict(extra="forbid", strict=True)

    asset_ids: list[Id] = Field(default=[], max_length=10_000, description="These files.")
    camera: Words | None = Field(default=None, description=CAMERA)
    folder: Text | None = Field(default=None, description="All that came in this folder of ingest, or below it.")
    decided_at: Instant | None = Field(default=None, description="All of the decisions that bear this instant.")
    dry_run: bool = Field(default=False, description="Only tell what would become of the dates.")


class DecisionBody(BaseModel):
    """What is decided, and for which files: `asset_ids`, or all that reason, camera and folder find."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Literal["accept", "set", "zone", "shift"] = Field(description="What is decided.")
    value: Words = Field(
        default="",
        description="set: a date, as in 2019-07-14 15:30, with an offset if it is known; zone: as in Europe/Berlin or "
        "+02:00; shift: hours, as in -1, 5.5 or -1:30.",
    )
    asset_ids: list[Id] = Field(default=[], max_length=10_000, description="These files.")
    reason: Reason | None = Field(default=None, description="All whose date is doubtful for this reason.")
    camera: Words | None = Field(default=None, description=CAMERA)
    folder: Text | None = Field(default=None, description="All that came in this folder of ingest, or below it.")
    only_doubtful: bool = Field(default=False, description="Of these only those with a doubtful date.")
    alone: bool = Field(default=False, description="These files do not belong to the others of their name.")
    sidecars: bool = Field(default=False, description="Tell other programs too, by an XMP file beside each.")
    dry_run: bool = Field(default=False, description="Only tell what would become of the dates.")


EXAMPLE = {"action": "shift", "value": "-1", "camera": "Canon EOS R6", "only_doubtful": False, "dry_run": True}
UNDO_EXAMPLE = {"camera": "Canon EOS R6", "dry_run": True}
UNDO_BODY = RequestBody.model_validate(
    {
        "description": "Whose decisions are taken back.",
        "content": {"application/json": {"schema": UndoBody.model_json_schema(), "example": UNDO_EXAMPLE}},
        "required": True,
    }
)
BODY = RequestBody.model_validate(
    {
        "description": "What is decided, and for which files.",
        "content": {"application/json": {"schema": DecisionBody.model_json_schema(), "example": EXAMPLE}},
        "required": True,
    }
)


@api.get("", responses=responses(400), summary="Files with a doubtful date")
def index(query: DoubtfulQuery) -> Response:
    """In id order, each with the reason of the doubt and its camera. A page may be shorter than its limit and still
    have another one after it: follow `next_after_id` until that is null."""
    only = DateFilter(query.reason, query.camera, folder_of(query.folder))
    with services().db.reading() as conn:
        return jsonify(list_doubtful(conn, only, query.after_id, query.limit))


@api.get("/counts", responses=responses(), summary="How many dates are doubtful")
def counts() -> Response:
    """All, and by reason, by camera and by the folder that the files came in; the 100 with most files of each."""
    with services().db.reading() as conn:
        return jsonify(count_doubtful(conn))


@api.post(
    "/decisions", responses=responses(400, 404, 409, 422), request_body=BODY, summary="Decide about dates"
)
def decide() -> Response:
    """Accept the date that files have, set another one, say the time zone, or shift by hours. All that belongs to a
    file gets its date. Nothing is written into files, and it is all done at once, or not at all.

    Files that wait are filed by what was decided; those in the archive stay where they are, and `elsewhere` counts
    those whose date leads to another folder now.
    """
    asked = read_body(DecisionBody)
    only = DateFilter(asked.reason, asked.camera, folder_of(asked.folder))
    wish = DateWish(asked.action, asked.value, asked.asset_ids, only, asked.only_doubtful, asked.sidecars,
                    asked.alone)
    decided = decide_dates(services(), wish, actor(), dry_run=asked.dry_run)
    return done(asdict(decided), decided.in_words())


@api.get("/decisions", responses=responses(), summary="What was decided about dates, newest first")
def decisions(query: ActsQuery) -> Response:
    """Each in one go, as far as it stands: which action, by whom, about how many files (one of each group), the first
    of them, and what was typed in, as long as the journal tells it."""
    with services().db.reading() as conn:
        return jsonify(list_acts(conn, query.before or None, query.limit))


@api.get("/decided", responses=responses(400), summary="Files with a date that a person decided")
def decided(query: DecidedQuery) -> Response:
    """In id order, one of each group, with who decided what and when."""
    only = DateFilter(camera=query.camera, folder=folder_of(query.folder))
    with services().db.reading() as conn:
        return jsonify(list_decided(conn, only, query.decided_at or None, query.after_id, query.limit))


@api.post(
    "/decisions/undo", responses=responses(400, 404, 409, 422), request_body=UNDO_BODY, summary="Take decisions back"
)
def undo() -> Response:
    """Files, and all that belongs to them, get the date back that they tell by themselves, from what was recorded when
    they were inspected. It is all done at once, or not at all. Nothing is moved: files in the archive stay where they
    are, and `elsewhere` counts those whose date leads to another folder now.
    """
    asked = read_body(UndoBody)
    only = DateFilter(camera=asked.camera, folder=folder_of(asked.folder))
    wish = UndoWish(asked.asset_ids, only, asked.decided_at or None)
    undone = undo_decisions(services(), wish, actor(), dry_run=asked.dry_run)
    return done(asdict(undone), undone.in_words())
