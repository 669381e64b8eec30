"""Why the date of a file is doubtful, in words, from what was recorded of it and of its group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.db import capture_records, dated_groups, doubtful_dates
from app.db.connection import Connection
from app.errors import printable
from app.files.capture_time.choose import DOUBTS, SIBLING, WEAK_SOURCES
from app.files.capture_time.judge import written_in
from app.filing.dating import APART
from app.model import Asset

DISAGREE = "the dates of its group disagree"
#: Of a photo that tells no date, beside another one of its name.
ALIKE = "it tells no capture date, and may share no more than the name with the photo whose date it has"
#: Either of these.
IN_GROUP = f"{DISAGREE}, or it tells none and has that of another photo of its name"
#: So many files that tell another date are named.
NAMED = 3


def why_doubtful(conn: Connection, asset: Asset) -> str:
    """Why the date of this file, which is known to be doubtful, is so."""
    (found,) = doubtful_dates.list_named(conn, [asset.id])
    if found.reason in DOUBTS:
        return DOUBTS[found.reason]
    if asset.taken_local is None:
        return DISAGREE
    members = [asset, *(one for others in dated_groups.list_others(conn, [asset]).values() for one in others)]
    told = list(_of_other_days(conn, datetime.fromisoformat(asset.taken_local), members))
    more = f" and {len(told) - NAMED:,} more" if len(told) > NAMED else ""
    if not told:
        return ALIKE if asset.taken_from == SIBLING else DISAGREE
    return f"{DISAGREE}: {', '.join(told[:NAMED])}{more}"


def _of_other_days(conn: Connection, taken: datetime, members: Sequence[Asset]) -> Iterator[str]:
    """Which members tell another day than the one that all have."""
    records = capture_records.list_of(conn, [member.id for member in members])
    for member in sorted(members, key=lambda one: one.path):
        won = records[member.id].winner if member.id in records else None
        at = written_in(won.text) if won is not None and won.source not in WEAK_SOURCES else None
        if at is not None and abs(at - taken) > APART:
            name = printable((member.origin_path or member.path).rpartition(b"/")[2])
            yield f"{name} says {at.date().isoformat()}"
