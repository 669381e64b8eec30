"""Asking for sidecars: XMP files beside archived files, with the dates that people decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.db import date_decisions, date_sidecars, decided_dates
from app.db.clock import now
from app.db.connection import Connection
from app.db.doubtful_dates import DateFilter, list_assets
from app.errors import Conflict
from app.files.walk import is_media
from app.jobs.date_files import MAX_FILES, list_by_id, list_groups, refuse_too_many
from app.jobs.requests import start_stage
from app.model import Asset, Run, Stage, Trigger
from app.model.counting import counted
from app.services import Services


@dataclass(frozen=True)
class SidecarWish:
    """Beside which files: these and what belongs to them, or all with a decided date that a filter finds."""

    asset_ids: Sequence[int] = ()
    only: DateFilter = field(default_factory=DateFilter)


@dataclass(frozen=True)
class Wished:
    """How many photos and videos are to have one, and the run that writes them; None when another run is at work: then
    the worker writes them after that."""

    files: int
    run: Run | None

    def in_words(self) -> str:
        """A sentence."""
        words = counted(self.files, "file with a decided date gets", "files with a decided date get")
        if not self.files:
            return "No file with a decided date was found."
        later = "" if self.run is not None else " when the run that is at work has ended"
        return f"{words} a sidecar{later}, once in the archive."


def start_sidecars(services: Services, wish: SidecarWish, trigger: Trigger, *, dry_run: bool = False) -> Wished:
    """Ask for sidecars beside files whose date a person decided. Those that are as they should be stay.

    Raises NotFound, and Conflict when more files are meant than one request may be about.
    """
    with services.db.reading() if dry_run else services.db.transaction() as conn:
        members = _members(conn, wish)
        if not dry_run:
            want_beside(conn, members)
    files = sum(1 for asset in members if is_media(asset.path))
    return Wished(files, None if dry_run or not files else _request(services, trigger))


def want_beside(conn: Connection, members: Iterable[Asset]) -> None:
    """The photos and videos among these are to have a sidecar as soon as they are in the archive."""
    date_sidecars.want(conn, [asset.id for asset in members if is_media(asset.path)])


def start_due_sidecars(services: Services) -> Run | None:
    """Ask for those that are due; None when another run is at work."""
    return _request(services, Trigger.SCHEDULE)


def is_any_due(services: Services) -> bool:
    """Whether sidecars are to be written, or taken away, now."""
    with services.db.reading() as conn:
        return date_sidecars.is_any_due(conn, now())


def _members(conn: Connection, wish: SidecarWish) -> list[Asset]:
    if wish.asset_ids:
        groups = list_groups(conn, list_by_id(conn, wish.asset_ids))
    else:
        ids = decided_dates.list_ids(conn, wish.only, None, MAX_FILES + 1)
        refuse_too_many(ids)
        groups = list_groups(conn, list_assets(conn, ids))
    decided = date_decisions.list_of(conn, [asset.id for members in groups.values() for asset in members])
    return [a for members in groups.values() if any(a.id in decided for a in members) for a in members]


def _request(services: Services, trigger: Trigger) -> Run | None:
    try:
        return start_stage(services, Stage.SIDECARS, trigger)
    except Conflict:
        return None
