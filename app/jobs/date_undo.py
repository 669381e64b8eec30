"""Taking decisions about dates back: files get the date again that they tell by themselves.

It is told anew from what was recorded of them, in the zone and by the order of now. Nothing is read or moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.db import assets, capture_records, date_decisions, decided_dates, journal
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.db.doubtful_dates import DateFilter, list_assets
from app.errors import BadRequest
from app.filing.numbering import group_key
from app.filing.redating import Redated, as_decided, redate
from app.jobs.date_changes import with_date
from app.jobs.date_files import MAX_FILES, is_dated, list_by_id, list_groups, refuse_too_many, why_refused
from app.jobs.date_parting import Homes, bring_home
from app.jobs.date_results import Dating, Decided, is_weak, tell
from app.model import Asset, AssetStatus
from app.model.counting import counted
from app.services import Services

UNDECIDED = "nobody has decided about its date"
UNRECORDED = "it was never recorded what it tells; `media-pipeline dates read` does that"


@dataclass(frozen=True)
class UndoWish:
    """Whose decisions: those about these files and what belongs to them, or all that a filter finds, of one act (the
    instant that its decisions bear) when it is given."""

    asset_ids: Sequence[int] = ()
    only: DateFilter = field(default_factory=DateFilter)
    decided_at: str | None = None


@dataclass(frozen=True)
class _Return:
    """One group that gets its own date again; `again` is None when it is to be read anew."""

    target: Asset
    members: Sequence[Asset]
    again: Redated | None
    #: By file that a person parted from others, the group to which it goes back.
    moved: Mapping[int, int] = field(default_factory=dict)

    def columns(self, asset: Asset) -> dict[str, str | None]:
        """What is written of a member. Why a file waits is told of those that wait only."""
        if self.again is None:
            return dict.fromkeys(("taken_local", "taken_at", "taken_from", "reason", "inspected_at"))
        written = dict(self.again.columns[asset.id])
        return written if asset.status is AssetStatus.UNIQUE else {n: v for n, v in written.items() if n != "reason"}

    @property
    def after(self) -> list[Asset]:
        """The members with the date that they get."""
        return [with_date(asset, self.columns(asset)) for asset in self.members]


def undo_decisions(services: Services, wish: UndoWish, by: str, *, dry_run: bool = False) -> Decided:
    """Take decisions back; all of it at once, or nothing. Raises BadRequest, NotFound, and Conflict for too many."""
    if not wish.asset_ids and wish.only == DateFilter() and wish.decided_at is None:
        raise BadRequest("Say which files: by id, by camera or folder, or by the instant at which it was decided.")
    with services.db.reading() if dry_run else services.db.transaction() as conn:
        named = _named(conn, wish)
        homes = bring_home(conn, list_groups(conn, [asset for asset in named if is_dated(asset)]))
        groups = homes.groups
        ids = [asset.id for members in groups.values() for asset in members]
        decided, records = date_decisions.list_of(conn, ids), capture_records.list_of(conn, ids)
        returns = _returns(services, homes, set(decided), records)
        if not dry_run and returns:
            _write(conn, returns, by)
    datings = [Dating(r.target, r.members, r.after, was_weak=False, is_weak=_becomes_weak(r)) for r in returns]
    refused = _refused(named, set(decided), groups, {group_key(a) for r in returns for a in r.members})
    return tell(services, Decided("undo", "", dry_run), datings, refused)


def _named(conn: Connection, wish: UndoWish) -> list[Asset]:
    if wish.asset_ids:
        return list_by_id(conn, wish.asset_ids)
    ids = decided_dates.list_ids(conn, wish.only, wish.decided_at, MAX_FILES + 1)
    refuse_too_many(ids)
    return list_assets(conn, ids)


def _returns(
    services: Services, homes: Homes, decided: set[int], records: Mapping[int, CaptureRecord]
) -> list[_Return]:
    found, present = [], datetime.now(UTC)
    for key, members in homes.groups.items():
        moved = {a.id: key for a in members if a.id in homes.moved}
        stands = next((a for a in members if a.id in decided and a.id not in moved and key in homes.visited), None)
        target = next((a for a in members if a.id in decided and a is not stands), None)
        if target is None:
            continue
        if stands is not None:
            guests = [a for a in members if a.id in moved]
            found.append(_Return(target, guests, as_decided(stands, guests, records), moved))
            continue
        again = redate(members, records, services.config.zone, present)
        if again is not None or all(asset.status is AssetStatus.UNIQUE for asset in members):
            found.append(_Return(target, members, again, moved))
    return found


def _refused(
    named: Sequence[Asset], decided: set[int], groups: Mapping[int, Sequence[Asset]], returned: set[int]
) -> list[tuple[Asset, str]]:
    refused = []
    whole = {group_key(asset): members for members in groups.values() for asset in members}
    for asset in named:
        if not is_dated(asset):
            refused.append((asset, why_refused(asset)))
        elif group_key(asset) not in returned:
            is_decided = any(member.id in decided for member in whole[group_key(asset)])
            refused.append((asset, UNRECORDED if is_decided else UNDECIDED))
    return refused


def _becomes_weak(one: _Return) -> bool:
    return one.again is not None and is_weak(one.members, {r.asset_id: r for r in one.again.records})


def _write(conn: Connection, returns: Sequence[_Return], by: str) -> None:
    members = [(one, asset) for one in returns for asset in one.members]
    date_decisions.drop(conn, [asset.id for _, asset in members])
    assets.set_columns(conn, [(asset.id, one.columns(asset)) for one, asset in members])
    assets.set_columns(conn, [(i, {"group_id": to}) for one in returns for i, to in one.moved.items()])
    capture_records.write(conn, [record for one in returns if one.again is not None for record in one.again.records])
    told = [(_sentence(one, asset, by), asset.batch_id, asset.id) for one, asset in members]
    journal.record_of_assets(conn, "asset.date_undone", told)
    words = f"{counted(len(told), 'file', 'files')} got the date back that they tell, by {by}."
    journal.record(conn, "dates.undone", words, detail={"files": len(told), "actor": by})


def _sentence(one: _Return, asset: Asset, by: str) -> str:
    now = one.columns(asset)
    again = f"{now['taken_local']} ({now['taken_from']})" if now["taken_local"] else "it is read again by the next run"
    joined = " It belongs to the files of its name again." if asset.id in one.moved else ""
    words = f"{by} took back what was decided of its date: {again}"
    return f"{words}, before {asset.taken_local} ({asset.taken_from}).{joined}"
