"""The date_decisions table: what a person decided about the date of a file. It wins over all that files tell.

A decision is about what the file holds: it counts no more once that is something else. A group has one date, so at
most one of its members has a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from app.db import date_sidecars, decision_notes
from app.db.tables import assets, date_decisions

#: Ids asked for in one statement.
CHUNK = 5_000

WRITE = (
    "INSERT OR REPLACE INTO date_decisions (asset_id, action, text, zone, decided_by, decided_at, alone, sha256) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT sha256 FROM assets WHERE id = ?))"
)
UNREAD = "SELECT asset_id FROM date_decisions WHERE sha256 IS NULL AND asset_id IN ({marks})"
TAKE_CONTENT = "UPDATE date_decisions SET sha256 = ? WHERE asset_id = ?"


class DateDecision(NamedTuple):
    """What was decided (accept, set, zone or shift), the wall time that follows and its zone ("local", "utc" or an
    offset), by whom, when; `alone`: the file does not belong to the others of its name."""

    asset_id: int
    action: str
    text: str
    zone: str
    decided_by: str
    decided_at: str
    alone: bool = False


def write(conn: Connection, decisions: Iterable[DateDecision]) -> None:
    """Write these, in place of what was decided of the same assets before."""
    rows = [(*decision, decision.asset_id) for decision in decisions]
    if rows:
        conn.exec_driver_sql(WRITE, rows)
        decision_notes.note(conn, [row[0] for row in rows])


def take_contents(conn: Connection, contents: Mapping[int, str]) -> None:
    """What was decided of files before they were read is about what they hold (SHA-256 by asset), and is noted now: it
    could not be kept beside the archive before."""
    ids = list(contents)
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found = conn.exec_driver_sql(UNREAD.format(marks=", ".join("?" * len(part))), tuple(part))
        decided = [row[0] for row in found]
        if decided:
            conn.exec_driver_sql(TAKE_CONTENT, [(contents[asset_id], asset_id) for asset_id in decided])
            decision_notes.note(conn, decided)


def list_of(conn: Connection, asset_ids: Sequence[int]) -> dict[int, DateDecision]:
    """The decisions about these assets as they are now, by asset."""
    c = date_decisions.c
    joined = date_decisions.join(assets, assets.c.id == c.asset_id)
    is_same = c.sha256.is_not_distinct_from(assets.c.sha256)
    found: dict[int, DateDecision] = {}
    for start in range(0, len(asset_ids), CHUNK):
        part = c.asset_id.in_(asset_ids[start : start + CHUNK])
        query = select(*(c[name] for name in DateDecision._fields)).select_from(joined).where(part, is_same)
        found.update({row[0]: DateDecision(*row) for row in conn.execute(query)})
    return found


def drop(conn: Connection, asset_ids: Iterable[int]) -> None:
    """Forget what was decided of these: another decision stands for their group."""
    rows = [(asset_id,) for asset_id in asset_ids]
    if rows:
        decision_notes.note_forgotten(conn, [row[0] for row in rows])
        conn.exec_driver_sql("DELETE FROM date_decisions WHERE asset_id = ?", rows)
        date_sidecars.look_again(conn, [row[0] for row in rows])
