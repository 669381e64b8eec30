"""What becomes of one group when a person decides about its date, and writing that down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from app.db import alone, assets, capture_records, date_decisions, journal
from app.db.capture_records import CaptureRecord, Told
from app.db.clock import now
from app.db.connection import Connection
from app.db.date_decisions import DateDecision
from app.db.doubtful_dates import DateFilter
from app.errors import BadRequest, printable
from app.files.capture_time.choose import SIBLING
from app.files.capture_time.decision import PERSON, Decision, Present
from app.files.capture_time.judge import Candidate, Claim, judge
from app.jobs.date_parting import write_parted
from app.model import Asset, AssetStatus
from app.model.counting import counted

#: A clock may be ahead by a time zone.
LATEST = timedelta(days=1)


@dataclass(frozen=True)
class DateWish:
    """What is wanted (accept, set, zone or shift, with its value) for which files: these, or all that a filter finds,
    of which `doubtful` leaves only those with a doubtful date. `sidecars`: other programs are to be told of it, by an
    XMP file beside each. `alone`: each of these files does not belong to the others of its name, and leaves them."""

    action: str
    value: str = ""
    asset_ids: Sequence[int] = ()
    only: DateFilter = field(default_factory=DateFilter)
    doubtful: bool = False
    sidecars: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Change:
    """One group, the member that the decision is written of, and the date that all get; `leaves`: they are part of a
    group so far, and leave it."""

    target: Asset
    members: Sequence[Asset]
    claim: Claim
    taken_local: str
    taken_at: str
    leaves: bool = False

    @property
    def after(self) -> list[Asset]:
        """The members with the date that they get."""
        return [with_date(asset, _columns(self, asset)) for asset in self.members]


def with_date(asset: Asset, columns: Mapping[str, str | None]) -> Asset:
    """An asset as it is once these columns of its date are written."""
    return replace(
        asset,
        taken_local=columns["taken_local"],
        taken_at=columns["taken_at"],
        taken_from=columns["taken_from"],
    )


# --- which date


def tells_instant(
    target: Asset, members: Sequence[Asset], decided: Mapping[int, DateDecision], records: Mapping[int, CaptureRecord]
) -> bool:
    """Whether the date of a group was told as an instant (UTC, or with an offset) rather than as a wall time."""
    last_set = next((decided[a.id] for a in members if a.id in decided and decided[a.id].action == "set"), None)
    if last_set is not None:
        return last_set.zone != "local"
    teller = next((a for a in members if a.taken_from not in (SIBLING, PERSON)), target)
    if teller.id not in records:
        return teller.taken_from == "mtime"
    best = next((t for t in records[teller.id].candidates if not t.rejected and t.source != PERSON), None)
    return best is None or best.zone != "local"


def change_of(
    zone: tzinfo, target: Asset, members: Sequence[Asset], decision: Decision, is_instant: bool
) -> Change:
    """The date that a group gets. Raises BadRequest when it cannot be."""
    present_at = datetime.now(UTC)
    local = datetime.fromisoformat(target.taken_local or "")
    at = datetime.fromisoformat(target.taken_at) if target.taken_at else local.replace(tzinfo=zone).astimezone(UTC)
    try:
        claim = decision(Present(local, at, is_instant))
        taken = judge(claim, zone, present_at)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{printable(target.path)}: {error}. Nothing was decided.") from None
    _refuse_impossible(target, taken, present_at)
    assert taken.taken_local is not None
    assert taken.taken_at is not None
    return Change(target, members, claim, taken.taken_local.isoformat(), taken.taken_at.isoformat())


def _refuse_impossible(target: Asset, taken: Candidate, present_at: datetime) -> None:
    fault = taken.rejected or ("lies in the future" if taken.taken_at and taken.taken_at > present_at + LATEST else "")
    if fault:
        words = f"{taken.claim.text} {fault}" if fault not in taken.rejected else f"its date {fault}"
        raise BadRequest(f"{printable(target.path)}: {words}. Nothing was decided.")


# --- writing it


def write(
    conn: Connection, wish: DateWish, changes: Sequence[Change], records: Mapping[int, CaptureRecord], by: str
) -> str:
    """Keep the decisions, and let them take effect. Returns the instant that all of them bear."""
    at = now()
    date_decisions.drop(conn, [a.id for change in changes for a in change.members])
    parted = alone.list_left(conn, [c.target.group_id for c in changes])
    decisions = [
        DateDecision(c.target.id, wish.action, c.claim.text, c.claim.zone, by, at,
                     alone=c.leaves or c.target.group_id in parted)
        for c in changes
    ]  # fmt: skip
    date_decisions.write(conn, decisions)
    for change in (c for c in changes if c.leaves):
        write_parted(conn, change.target, change.members)
    assets.set_columns(conn, [(a.id, _columns(change, a)) for change in changes for a in change.members])
    waiting = [a for change in changes for a in change.members if a.status is AssetStatus.UNIQUE]
    assets.set_columns(conn, [(asset.id, {"reason": None}) for asset in waiting])
    capture_records.write(
        conn, [_record(change, records[a.id]) for change in changes for a in change.members if a.id in records]
    )
    _tell(conn, wish, changes, by, at)
    return at


def _columns(change: Change, asset: Asset) -> dict[str, str]:
    taken_from = PERSON if asset.id == change.target.id else SIBLING
    return {"taken_local": change.taken_local, "taken_at": change.taken_at, "taken_from": taken_from}


def _record(change: Change, before: CaptureRecord) -> CaptureRecord:
    """As an inspection would write it that knows of the decision."""
    own = [told for told in before.candidates if told.source != PERSON]
    if before.asset_id == change.target.id:
        own = [Told(PERSON, change.claim.text, change.claim.zone), *(t for t in own if t.source != "mtime")]
    return before._replace(candidates=tuple(own), confidence="sure")


def _parting(change: Change, by: str) -> str:
    return f"{by} parted it from the other files of its name. " if change.leaves else ""


def _tell(conn: Connection, wish: DateWish, changes: Sequence[Change], by: str, at: str) -> None:
    told = [
        (f"{_parting(c, by)}{by} decided its date: {c.taken_local}, before {a.taken_local} ({a.taken_from}).",
         a.batch_id, a.id)
        for c in changes for a in c.members
    ]  # fmt: skip
    journal.record_of_assets(conn, "asset.date_decided", told)
    words = f"{counted(len(told), 'file', 'files')} got another date: {wish.action} {wish.value}".rstrip()
    journal.record(conn, "dates.decided", f"{words}, by {by}.",
                   detail={"action": wish.action, "value": wish.value, "files": len(told), "actor": by,
                           "decided_at": at})
