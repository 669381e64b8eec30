"""The decision_notes table: decisions about dates that are still to be written beside the archive.

A note is written in the transaction of its decision and goes when the file has it: none is forgotten in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from app.db.clock import now
from app.db.tables import date_decisions, decision_notes

#: Written in one go.
CHUNK = 5_000
#: The action of a decision that was taken back.
FORGOTTEN = "forgotten"

NOTE = (
    "INSERT INTO decision_notes (sha256, action, text, zone, decided_by, decided_at, alone) "
    "SELECT sha256, action, text, zone, decided_by, decided_at, alone FROM date_decisions "
    "WHERE asset_id = ? AND sha256 IS NOT NULL"
)
NOTE_FORGOTTEN = (
    "INSERT INTO decision_notes (sha256, action, text, zone, decided_by, decided_at) "
    "SELECT sha256, 'forgotten', '', 'local', decided_by, ? FROM date_decisions "
    "WHERE asset_id = ? AND sha256 IS NOT NULL"
)


class DecisionNote(NamedTuple):
    """What was decided about the date of the content with this SHA-256; `alone`: it left the others of its name."""

    sha256: str
    action: str
    text: str
    zone: str
    decided_by: str
    decided_at: str
    alone: bool = False


def note(conn: Connection, asset_ids: Iterable[int]) -> None:
    """Note the decisions that stand about these assets."""
    rows = [(asset_id,) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql(NOTE, rows)


def note_forgotten(conn: Connection, asset_ids: Iterable[int]) -> None:
    """Note that the decisions about these assets, where there are any, are about to be dropped."""
    at = now()
    rows = [(at, asset_id) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql(NOTE_FORGOTTEN, rows)


def list_pending(conn: Connection, limit: int) -> tuple[int, list[DecisionNote]]:
    """The oldest notes, at most `limit`, the last of each content; with the id up to which they are."""
    c = decision_notes.c
    query = select(c.id, *(c[name] for name in DecisionNote._fields)).order_by(c.id).limit(limit)
    rows = conn.execute(query).all()
    last = {row[1]: DecisionNote(*row[1:]) for row in rows}
    return (rows[-1][0] if rows else 0), list(last.values())


def drop(conn: Connection, up_to_id: int) -> None:
    """Forget the notes up to this one: they are written."""
    conn.exec_driver_sql("DELETE FROM decision_notes WHERE id <= ?", (up_to_id,))


def has_pending(conn: Connection) -> bool:
    """Whether a note is still to be written."""
    return conn.execute(select(decision_notes.c.id).limit(1)).first() is not None


def list_standing(conn: Connection, after_id: int, limit: int) -> tuple[int, Sequence[DecisionNote]]:
    """Decisions in the order of their assets' ids after one, at most `limit`, and the id of the last; 0 at the end."""
    c = date_decisions.c
    query = select(c.asset_id, *(c[name] for name in DecisionNote._fields)).where(c.asset_id > after_id)
    rows = conn.execute(query.order_by(c.asset_id).limit(limit)).all()
    return (rows[-1][0] if rows else 0), [DecisionNote(*row[1:]) for row in rows if row[1] is not None]
