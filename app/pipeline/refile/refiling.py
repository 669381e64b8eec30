"""What is known while a plan that files the archive anew is carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.db import assets
from app.db.connection import Connection
from app.db.refile_entries import Entry
from app.files.move import Moved
from app.model import AssetStatus, Failure, RootKind
from app.pipeline.filing import REVIEW_REASON
from app.pipeline.step import StepContext
from app.services import Services

PURPOSE = "refile"
#: Files planned and moved between two safe points, or a little more: no group is parted.
SLICE = 256


@dataclass
class Refiling:
    """One plan being carried out."""

    services: Services
    step: StepContext
    total: int
    done: int = 0
    done_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)
    folders: set[tuple[int, bytes]] = field(default_factory=set)
    #: Files of groups that could not get to their places and do not lie where the run found them, and why each failed.
    away: list[Entry] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.archive = self.services.root(RootKind.ARCHIVE)
        self.run_id = self.step.run_id


def in_slices(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries, which come group by group, a few hundred at a time."""
    part: list[Entry] = []
    for _, group in groupby(entries, key=lambda entry: entry.group_key):
        part += group
        if len(part) >= SLICE:
            yield part
            part = []
    if part:
        yield part


def say_why_aside(conn: Connection, moved: Sequence[Moved]) -> None:
    """What waits for a review says so; what came from there says nothing any more."""
    changed = [m.move for m in moved if m.move.status_after is not m.move.asset.status]
    reasons = {AssetStatus.SET_ASIDE: REVIEW_REASON}
    assets.set_columns(conn, [(m.asset.id, {"reason": reasons.get(m.status_after)}) for m in changed if m.status_after])
