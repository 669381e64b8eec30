"""What requests may carry and what answers hold, for validation and for the OpenAPI document."""

from __future__ import annotations

from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

#: The largest id that the database can hold.
MAX_ID = 2**63 - 1


class BatchPath(BaseModel):
    """The batch in a path."""

    batch_id: int = Field(ge=1, le=MAX_ID, description="The id of a batch.")


class RunPath(BaseModel):
    """The run in a path."""

    run_id: int = Field(ge=1, le=MAX_ID, description="The id of a run.")


class AssetPath(BaseModel):
    """The asset in a path."""

    asset_id: int = Field(ge=1, le=MAX_ID, description="The id of an asset.")


class RevisionPath(BaseModel):
    """The kept revision in a path."""

    revision: str = Field(max_length=100, description="A revision, as GET /api/config/history names it.")


class PresetPath(BaseModel):
    """The preset in a path."""

    name: str = Field(max_length=100, description="The name of a preset, as in copy-only.")


class NewestFirst(BaseModel):
    """A page of a list that begins with the newest."""

    before_id: int | None = Field(None, ge=1, le=MAX_ID, description="Show what came before this id.")
    limit: int = Field(50, ge=1, le=500, description="At most so many.")


class RequestFault(BaseModel):
    """One fault of a request or of a configuration: where it is, and what is wrong there."""

    path: str
    message: str
    line: int | None = Field(None, description="The line in the configuration file.")
    column: int | None = Field(None, description="The column in the configuration file.")


class Problem(BaseModel):
    """What is wrong, as RFC 9457 problem details; `detail` is a sentence to act on."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    retryable: bool = Field(description="Whether the same request may succeed later without anyone changing anything.")
    errors: list[RequestFault] = Field([], description="With 422: each fault.")
    known: list[str] = Field([], description="After an unknown parameter or key: all that the address knows.")


class Started(BaseModel):
    """Whether a run was started; if not, why, and which run is in flight."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"started": True, "run_id": 12}]},
    )

    started: bool
    run_id: int | None = None
    reason: str | None = None


class BatchCreated(BaseModel):
    """The reserved batch and the run that builds it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"created": True, "batch_id": 3, "batch_name": "batch_003", "run_id": 12, "started": True}]
        },
    )

    created: bool
    batch_id: int | None = None
    batch_name: str | None = None
    run_id: int | None = None
    started: bool = False
    reason: str | None = None


class SetUpDone(BaseModel):
    """What was done, one sentence each; empty when nothing had to be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"done": ["The folder media-pipeline is shared with phone."]}]},
    )

    done: list[str]


class JsonObject(BaseModel):
    """A JSON object; docs/api.md shows one."""

    model_config = ConfigDict(extra="allow")


def responses(*statuses: int, ok: type[BaseModel] = JsonObject, ok_status: int = 200) -> ResponseDict:
    """The `responses` of a route: the good one, and a problem under each of the other statuses."""
    answered: ResponseDict = {str(ok_status): ok}
    for status in statuses:
        answered[str(status)] = {"content": {"application/problem+json": {"schema": PROBLEM_REF}}}
    return answered


PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
