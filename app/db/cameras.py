"""Cameras: which ones took the files, and the files of one. It is called by its model, else by its make."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, select, text

from app.db.paging import Condition
from app.db.tables import assets, capture_records

_r = capture_records.c
#: Spelled out, not bound: only so does SQLite take the partial index.
ONLY_MAKE = text("camera_model IS NULL AND camera_make IS NOT NULL")

#: The next name, again and again: however many files a camera took, its index entries are passed over.
MODELS = text(
    "WITH RECURSIVE found (name) AS ("
    "SELECT MIN(camera_model) FROM capture_records WHERE camera_model > '' "
    "UNION ALL SELECT (SELECT MIN(camera_model) FROM capture_records WHERE camera_model > found.name) FROM found "
    "WHERE found.name IS NOT NULL) SELECT name FROM found WHERE name IS NOT NULL LIMIT :limit"
)
MAKES = text(
    "WITH RECURSIVE found (name) AS ("
    "SELECT MIN(camera_make) FROM capture_records WHERE camera_model IS NULL AND camera_make IS NOT NULL "
    "UNION ALL SELECT (SELECT MIN(camera_make) FROM capture_records WHERE camera_model IS NULL "
    "AND camera_make IS NOT NULL AND camera_make > found.name) FROM found "
    "WHERE found.name IS NOT NULL) SELECT name FROM found WHERE name IS NOT NULL LIMIT :limit"
)

#: Every asset of which a record tells something, with its camera. With the sum, SQLite goes through the records, along
#: the index of a camera, and looks each asset up.
WITH_CAMERA = (
    select(_r.asset_id.label("id"), *(column for column in assets.c if column.name != "id"), _r.camera_model,
           _r.camera_make)
    .select_from(capture_records.join(assets, assets.c.id == _r.asset_id + 0))
    .subquery("with_camera")
)  # fmt: skip


def list_names(conn: Connection, limit: int) -> list[str]:
    """The cameras that took files, by name; quick, however many files there are."""
    found = {row[0] for query in (MODELS, MAKES) for row in conn.execute(query, {"limit": limit})}
    return sorted(found, key=str.casefold)[:limit]


def list_ids(conn: Connection, camera: str, limit: int) -> list[int]:
    """The ids of the first files that a camera took, in no order."""
    query = select(_r.asset_id).where(_is_of(conn, camera)(_r)).limit(limit)
    return list(conn.execute(query).scalars())


def taken_with(conn: Connection, camera: str) -> Condition:
    """The condition that a file was taken with this camera, on rows of assets or of WITH_CAMERA."""
    of_this = _is_of(conn, camera)

    def condition(columns: Any) -> Any:
        if "camera_model" in columns:
            return of_this(columns)
        return select(_r.asset_id).where(_r.asset_id == columns.id, of_this(_r)).exists()

    return condition


def _is_of(conn: Connection, camera: str) -> Condition:
    """By model where a model is called so, else by make."""
    if conn.execute(select(_r.asset_id).where(_r.camera_model == camera).limit(1)).first() is not None:
        return lambda c: c.camera_model == camera
    return lambda c: and_(c.camera_make == camera, ONLY_MAKE)
