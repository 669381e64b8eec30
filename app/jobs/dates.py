"""Deciding about dates: accept, set, put into a zone or shift the dates of one file, of many, or of a camera.

A decision is about a group, whose members share one date; it is kept as a claim that wins over all that files tell.
Nothing is written into files. Those that wait are filed by it; those in the archive stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.db import capture_records, date_decisions, doubtful_dates
from app.db.connection import Connection
from app.db.dated_groups import list_others
from app.db.doubtful_dates import DATED, DateFilter
from app.errors import BadRequest, Conflict, NotFound, printable
from app.files.capture_time.choose import SIBLING
from app.files.capture_time.decision import Decision, read_decision
from app.filing.group_values import came_as, kind_rank
from app.filing.numbering import group_key
from app.jobs.date_changes import Change, DateWish, change_of, tells_instant, write
from app.jobs.unread_contents import read_contents
from app.model import Asset, AssetStatus
from app.model.counting import counted
from app.services import Services

#: More would hold up everybody else for too long; a filter names fewer.
MAX_FILES = 20_000
#: So many changes are shown, so many refused files are named.
SHOWN = 10


@dataclass
class Decided:
    """What was decided, or would be: how many files have another date now, and where they are."""

    action: str
    value: str
    dry_run: bool
    files: int = 0
    waiting: int = 0
    in_archive: int = 0
    refused: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    def in_words(self) -> str:
        """A sentence or two."""
        would = "would have" if self.dry_run else "have"
        words = f"{counted(self.files, 'file', 'files')} {would} the date that was decided"
        words += f"; {self.in_archive} of them lie in the archive and stay where they are" if self.in_archive else ""
        return words + (f"; {self.refused} refused." if self.refused else ".")


def decide_dates(services: Services, wish: DateWish, by: str, *, dry_run: bool = False) -> Decided:
    """Decide about the dates of files and of all that belong to them; all of it at once, or nothing.

    Raises BadRequest for a value that is none, or a date that cannot be; NotFound; Conflict when too many are meant.
    """
    decision = _read(wish)
    if not dry_run:
        with services.db.reading() as conn:
            named = _named(conn, wish)
        read_contents(services, [asset for asset in named if _is_dated(asset)])
    with services.db.reading() if dry_run else services.db.transaction() as conn:
        named = _named(conn, wish)
        meant = [asset for asset in named if _is_dated(asset)]
        groups = _groups(conn, meant)
        ids = [asset.id for members in groups.values() for asset in members]
        decided, records = date_decisions.list_of(conn, ids), capture_records.list_of(conn, ids)
        chosen = _targets(meant)
        changes = []
        for key, members in groups.items():
            is_instant = tells_instant(chosen[key], members, decided, records)
            changes.append(change_of(services.config.zone, chosen[key], members, decision, is_instant))
        if not dry_run and changes:
            write(conn, wish, changes, records, by)
    return _told(wish, dry_run, changes, [asset for asset in named if not _is_dated(asset)])


def _read(wish: DateWish) -> Decision:
    if not wish.asset_ids and wish.only == DateFilter() and not wish.doubtful:
        raise BadRequest("Say which files: by id, or by camera, folder or reason.")
    try:
        return read_decision(wish.action, wish.value)
    except ValueError as error:
        raise BadRequest(f"{error}.") from None


# --- which files


def _named(conn: Connection, wish: DateWish) -> list[Asset]:
    if wish.asset_ids:
        found = doubtful_dates.list_assets(conn, sorted(set(wish.asset_ids)))
        unknown = set(wish.asset_ids) - {asset.id for asset in found}
        if unknown:
            raise NotFound("asset", min(unknown))
        return found
    ids = doubtful_dates.list_ids(conn, wish.only, doubtful=wish.doubtful, limit=MAX_FILES + 1)
    if len(ids) > MAX_FILES:
        raise Conflict(f"More than {MAX_FILES:,} files are meant; decide about fewer at once, folder by folder.")
    return doubtful_dates.list_assets(conn, ids)


def _is_dated(asset: Asset) -> bool:
    return asset.status in DATED and asset.taken_local is not None


def _groups(conn: Connection, meant: Sequence[Asset]) -> dict[int, list[Asset]]:
    others, groups = list_others(conn, meant), dict[int, list[Asset]]()
    for asset in meant:
        groups.setdefault(group_key(asset), []).append(asset)
    return {key: [*members, *others.get(key, ())] for key, members in groups.items()}


def _targets(meant: Sequence[Asset]) -> dict[int, Asset]:
    """By group, the member that the decision is written of."""
    ranked = sorted(meant, key=lambda a: (kind_rank(came_as(a)), a.taken_from == SIBLING, came_as(a), a.id))
    return {group_key(asset): asset for asset in reversed(ranked)}


def _told(wish: DateWish, dry_run: bool, changes: Sequence[Change], refused: Sequence[Asset]) -> Decided:
    members = [asset for change in changes for asset in change.members]
    decided = Decided(wish.action, wish.value, dry_run, files=len(members), refused=len(refused))
    decided.in_archive = sum(a.status in (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE) for a in members)
    decided.waiting = len(members) - decided.in_archive
    decided.changes = [
        {"id": c.target.id, "path": printable(c.target.path), "before": c.target.taken_local, "after": c.taken_local}
        for c in changes[:SHOWN]
    ]
    decided.refusals = [{"id": a.id, "path": printable(a.path), "reason": _why_refused(a)} for a in refused[:SHOWN]]
    return decided


def _why_refused(asset: Asset) -> str:
    if asset.status is AssetStatus.DUPLICATE:
        return f"it is a duplicate; decide about its original, file {asset.original_id}"
    return "it has no date yet" if asset.taken_local is None else f"it is {asset.status.replace('_', ' ')}"
