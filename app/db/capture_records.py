"""The capture_records table: what each file said of its date and its camera when it was inspected.

Written small, as there is one row for each file. Candidates are JSON: a list of [source, text, zone, why rejected],
in the order in which they were asked, without what is empty at the end, without a zone that is "local", and without a
text that is that of the candidate before. The one that won is the first that was not rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.db.tables import capture_records

#: Ids asked for in one statement.
CHUNK = 5_000
LOCAL = "local"

WRITE = (
    "INSERT INTO capture_records (asset_id, candidates, camera_make, camera_model, confidence) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (asset_id) DO UPDATE SET candidates = excluded.candidates, camera_make = excluded.camera_make, "
    "camera_model = excluded.camera_model, confidence = excluded.confidence"
)
DROP_OF_OTHER = (
    "DELETE FROM capture_records WHERE asset_id = ? "
    "AND EXISTS (SELECT 1 FROM assets WHERE id = ? AND COALESCE(sha256, '') <> ?)"
)
#: Made once: `json.dumps` makes one for each call.
_as_json = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Told(NamedTuple):
    """One date that was found for a file: `zone` is "local", "utc" or an offset; `rejected` says why it cannot be."""

    source: str
    text: str
    zone: str = LOCAL
    rejected: str = ""


class CaptureRecord(NamedTuple):
    """All that was found; `confidence` is sure, likely or weak."""

    asset_id: int
    candidates: tuple[Told, ...]
    camera_make: str | None
    camera_model: str | None
    confidence: str

    @property
    def winner(self) -> Told | None:
        """The candidate that is believed of this file; a group may still have the date of another member."""
        return next((told for told in self.candidates if not told.rejected), None)


def write(conn: Connection, records: Iterable[CaptureRecord]) -> None:
    """Write these, in place of what was known of the same assets."""
    rows = [(r.asset_id, packed(r.candidates), r.camera_make, r.camera_model, r.confidence) for r in records]
    if rows:
        conn.exec_driver_sql(WRITE, rows)


def find(conn: Connection, asset_id: int) -> CaptureRecord | None:
    """What is known of an asset, or None."""
    c = capture_records.c
    query = select(c.asset_id, c.candidates, c.camera_make, c.camera_model, c.confidence)
    row = conn.execute(query.where(c.asset_id == asset_id)).first()
    return CaptureRecord(row[0], unpacked(row[1]), row[2], row[3], row[4]) if row else None


def list_of(conn: Connection, asset_ids: Sequence[int]) -> dict[int, CaptureRecord]:
    """What is known of these assets, of those of which something is."""
    c = capture_records.c
    found: dict[int, CaptureRecord] = {}
    for start in range(0, len(asset_ids), CHUNK):
        query = select(c.asset_id, c.candidates, c.camera_make, c.camera_model, c.confidence)
        for row in conn.execute(query.where(c.asset_id.in_(asset_ids[start : start + CHUNK]))):
            found[row[0]] = CaptureRecord(row[0], unpacked(row[1]), row[2], row[3], row[4])
    return found


def list_cameras(conn: Connection, asset_ids: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
    """Make and model of the camera of those of these assets that are known to have one."""
    c = capture_records.c
    found: dict[int, tuple[str | None, str | None]] = {}
    for start in range(0, len(asset_ids), CHUNK):
        part = c.asset_id.in_(asset_ids[start : start + CHUNK])
        query = select(c.asset_id, c.camera_make, c.camera_model).where(part)
        known = query.where(c.camera_make.is_not(None) | c.camera_model.is_not(None))
        found.update({row[0]: (row[1], row[2]) for row in conn.execute(known)})
    return found


def set_confidence(conn: Connection, asset_ids: Iterable[int], confidence: str) -> None:
    """Write how sure the dates of these are from now on, where something is known of them."""
    rows = [(confidence, asset_id) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql("UPDATE capture_records SET confidence = ? WHERE asset_id = ?", rows)


def drop(conn: Connection, asset_ids: Iterable[int]) -> None:
    """Forget what these said: they hold something else now."""
    rows = [(asset_id,) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql("DELETE FROM capture_records WHERE asset_id = ?", rows)


def drop_of_other_content(conn: Connection, contents: Iterable[tuple[int, str | None]]) -> None:
    """Forget what was said by those assets that hold something else now: (asset id, its sha256 from now on)."""
    rows = [(asset_id, asset_id, sha256 or "") for asset_id, sha256 in contents]
    if rows:
        conn.exec_driver_sql(DROP_OF_OTHER, rows)


def packed(candidates: Iterable[Told]) -> str:
    """As they are stored."""
    stored, before = [], None
    for source, text, zone, rejected in candidates:
        part = [source, "" if text == before else text or " ", "" if zone == LOCAL else zone, rejected]
        while not part[-1]:
            part.pop()
        stored.append(part)
        before = text
    return _as_json(stored)


def unpacked(stored: str) -> tuple[Told, ...]:
    """Out of what is stored."""
    parts: list[list[Any]] = json.loads(stored)
    found: list[Told] = []
    for part in parts:
        source, text, zone, rejected = [*part, "", "", ""][:4]
        told = text.strip(" ") if text else found[-1].text
        found.append(Told(source, told, zone or LOCAL, rejected))
    return tuple(found)
