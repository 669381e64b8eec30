"""What the lists of the API may be asked, for validation and for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from app.model import AssetStatus, BatchStatus, RootKind, RunKind, RunStatus
from app.web.models import MAX_ID, NewestFirst

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
#: Text that a database takes: no NUL.
Text = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00]*$")]
Hexadecimal = Annotated[str, StringConstraints(max_length=128, pattern=r"^[0-9A-Fa-f]*$")]
#: A day, or an instant; the beginning of one will do.
Instant = Annotated[
    str, StringConstraints(max_length=40, pattern=r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9:.+Z-]*)?)?)?)?$")
]


class Page(BaseModel):
    """A page of a list in id order."""

    after_id: int = Field(0, ge=0, le=MAX_ID, description="Show what comes after this id.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class MissingQuery(Page):
    """Which files that a device is not proven to have."""

    device_id: Text = Field("", description="The device; may be left out when the batch has only one.")


class RetryQuery(BaseModel):
    """Where to go on with files that are tried again."""

    after_id: int = Field(0, ge=0, le=MAX_ID, description="Only files after this id; see `next_after_id`.")


class AssetQuery(Page):
    """Which assets, in which order."""

    name: Text = Field(
        "", description="How its name, now or when it came, begins, letter case aside, as in `IMG_12`."
    )
    prefix: Text = Field("", description="How its path under its root begins.")
    origin: Text = Field("", description="How the path under the ingest folder began with which it came.")
    digest: Hexadecimal = Field("", description="How its digest or its SHA-256 begins.")
    status: AssetStatus | None = Field(None, description="Only assets of this status.")
    root: RootKind | None = Field(None, description="Only files that are under a root of this kind now.")
    batch_id: Id | None = Field(None, description="Only assets of this batch.")
    group_id: Id | None = Field(None, description="Only files that belong together in this group.")
    original_id: Id | None = Field(None, description="Only duplicates of this asset.")
    taken_from: Annotated[str, StringConstraints(max_length=40)] = Field(
        "", description="Only files whose date comes from this source, as in `mtime`."
    )
    taken_since: Instant = Field("", description="Taken at or after this local day or time.")
    taken_until: Instant = Field("", description="Taken on this local day or before, or before this time ends.")
    sort: Literal["id", "name", "path", "origin", "taken"] | None = Field(
        None, description="The order; `name` when a name is searched, else `id`."
    )
    order: Literal["asc", "desc"] = Field("asc", description="Which way.")
    cursor: Text = Field("", description="`next_cursor` of the page before, with every filter as it was.")

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> AssetQuery:
        if self.after_id and (self.cursor or self.sort not in (None, "id") or self.order == "desc"):
            raise ValueError("after_id goes with the ascending order of ids alone; use cursor")
        if self.status is AssetStatus.GONE and (self.sort == "path" or self.root is not None):
            raise ValueError("files that are gone have no place; search them by name or origin, in another order")
        return self


class AtQuery(BaseModel):
    """A place."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")] = Field(
        description="An absolute path, or one relative to any root folder."
    )


class FollowQuery(NewestFirst):
    """A page of events, newest first; with `after_id` the oldest after it first."""

    after_id: int | None = Field(None, ge=0, le=MAX_ID, description="Show what came after this id, oldest first.")


class JournalQuery(FollowQuery):
    """Which events: newest first, or with `after_id` the oldest after it first (for polling)."""

    kind: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="Only kinds that begin so, as in `batch.`."
    )
    level: Literal["info", "warning", "error"] | None = Field(None, description="Only this level.")
    text: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = Field(
        "", description="Only events whose sentence has these words, letter case aside."
    )
    since: Instant = Field("", description="At this instant (UTC) or after.")
    until: Instant = Field("", description="At this instant (UTC) or before; a day means the whole of it.")
    run_id: Id | None = Field(None, description="Only events of this run.")
    batch_id: Id | None = Field(None, description="Only events of this batch.")
    asset_id: Id | None = Field(None, description="Only events of this asset.")


class SyncHistoryQuery(BaseModel):
    """Which samples of deliveries, newest first, and how many days of what was received."""

    batch_id: Id | None = Field(None, description="Only samples of this batch.")
    device_id: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = Field(
        "", description="Only what concerns this device."
    )
    since: Instant = Field("", description="Only samples at this instant (UTC) or after.")
    before_id: Id | None = Field(None, description="Show what came before this id.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many samples.")
    days: int = Field(7, ge=0, le=90, description="So many days in `daily`, today included; 0 leaves it empty.")


class BatchAssetsQuery(Page):
    """Which files of a batch."""

    status: AssetStatus | None = Field(None, description="Only files of this status.")
    cursor: Text = Field("", description="`next_cursor` of the page before.")


class BatchQuery(NewestFirst):
    """Which batches, newest first."""

    status: BatchStatus | None = Field(None, description="Only batches of this status.")
    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = Field(
        "", description="Only names that begin so."
    )


class RunQuery(NewestFirst):
    """Which runs, newest first."""

    kind: RunKind | None = Field(None, description="Only runs of this kind.")
    status: RunStatus | None = Field(None, description="Only runs of this status.")
    batch_id: Id | None = Field(None, description="Only runs for this batch.")


class MoveQuery(Page):
    """Which moves, in the order in which they were planned; by a run only together with a batch or an asset."""

    asset_id: Id | None = Field(None, description="Only moves of this asset.")
    batch_id: Id | None = Field(None, description="Only moves of this batch.")
    run_id: Id | None = Field(None, description="Only moves of this run, with `batch_id` or `asset_id`.")

    @model_validator(mode="after")
    def _refuse_a_run_alone(self) -> MoveQuery:
        if self.run_id is not None and self.asset_id is None and self.batch_id is None:
            raise ValueError("ask for the moves of a run together with batch_id or asset_id")
        return self


class LeftQuery(Page):
    """Which names that were left in place."""

    reason: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = Field(
        "", description="Only reasons that begin so."
    )


class DuplicatesQuery(Page):
    """A page of sets, in the order of their originals' ids."""

    limit: int = Field(50, ge=1, le=200, description="At most so many sets.")
    in_reference: bool = Field(False, description="Of originals in reference folders, instead of all others.")


class ManifestQuery(BaseModel):
    """In which form."""

    format: Literal["json", "sha256sums"] = Field(
        "json", description="The manifest itself, or lines for `sha256sum -c`."
    )
