"""The activity table: how many files were first seen, delivered and archived in each quarter of an hour.

Written in the same transaction as the totals, so that a chart never disagrees with the balance sheet. Days are added up
when they are asked for: where a day begins depends on the zone in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from sqlalchemy import Connection

from app.db.clock import now
from app.model import AssetStatus

SEEN = "seen"
#: What is counted beside files seen for the first time: the statuses that they come to.
REACHED = (AssetStatus.DELIVERED, AssetStatus.ARCHIVED)
KINDS = (SEEN, *(status.value for status in REACHED))
SLOT_MINUTES = 15

ADD = (
    "INSERT INTO activity (at, what, file_count, size_bytes) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (at, what) DO UPDATE SET file_count = activity.file_count + excluded.file_count, "
    "size_bytes = activity.size_bytes + excluded.size_bytes"
)


@dataclass(frozen=True)
class Sum:
    """Files and bytes of one kind within a span of time."""

    files: int = 0
    bytes: int = 0


def note(conn: Connection, changes: Mapping[str, tuple[int, int]]) -> None:
    """Count what a change of the totals, (files, bytes) by status, says of files: new ones, and those that arrived."""
    new = sum(files for files, _ in changes.values())
    found = [(SEEN, new, sum(size for _, size in changes.values()))]
    found += [(status.value, *changes[status]) for status in REACHED if status in changes]
    rows = [(slot_of(now()), what, files, size) for what, files, size in found if files > 0]
    if rows:
        conn.exec_driver_sql(ADD, rows)


def slot_of(instant: str) -> str:
    """The quarter of an hour of a stored instant, as the table has it: `2026-11-23T15:45`."""
    minute = int(instant[14:16])
    return f"{instant[:14]}{minute - minute % SLOT_MINUTES:02d}"


def sums_between(conn: Connection, edges: Sequence[datetime]) -> list[dict[str, Sum]]:
    """The sums between each two neighbours of these instants, which must ascend; every kind is present."""
    ends = [slot_of(edge.astimezone(UTC).isoformat(timespec="microseconds")) for edge in edges]
    spans = list(pairwise(ends))
    found: list[dict[str, Sum]] = [dict.fromkeys(KINDS, Sum()) for _ in spans]
    if not spans:
        return found
    values = ", ".join(["(?, ?, ?)"] * len(spans))
    query = (
        f"WITH spans (number, since, until) AS (VALUES {values}) "
        "SELECT spans.number, a.what, SUM(a.file_count), SUM(a.size_bytes) FROM spans "
        "CROSS JOIN activity AS a WHERE a.at >= spans.since AND a.at < spans.until GROUP BY spans.number, a.what"
    )
    bound = tuple(value for number, span in enumerate(spans) for value in (number, *span))
    for number, what, files, size in conn.exec_driver_sql(query, bound):
        found[number][what] = Sum(int(files), int(size))
    return found


def began_at(conn: Connection) -> str | None:
    """The first quarter of an hour of which anything is known, or None."""
    found: str | None = conn.exec_driver_sql("SELECT MIN(at) FROM activity").scalar()
    return found
