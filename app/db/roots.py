"""The roots table: every folder that holds media, with the id its marker file must show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import roots
from app.errors import NotFound
from app.model import Root, RootKind


def _root(row: Sequence[Any]) -> Root:
    return build(Root, row, {"kind": RootKind})


def add(conn: Connection, kind: RootKind, path: bytes, marker_id: str, label: str = "") -> Root:
    """Insert a root and return it."""
    values = {"kind": kind.value, "label": label, "path": path, "marker_id": marker_id, "created_at": now()}
    key = conn.execute(insert(roots).values(**values)).inserted_primary_key
    assert key is not None
    return get(conn, int(key[0]))


def get(conn: Connection, root_id: int) -> Root:
    """The root. Raises NotFound."""
    row = conn.execute(select(*columns_for(roots, Root)).where(roots.c.id == root_id)).first()
    if row is None:
        raise NotFound("root", root_id)
    return _root(row)


def find(conn: Connection, kind: RootKind, path: bytes) -> Root | None:
    """The root of this kind at this path, or None."""
    query = select(*columns_for(roots, Root)).where(roots.c.kind == kind.value, roots.c.path == path)
    row = conn.execute(query).first()
    return _root(row) if row else None


def list_all(conn: Connection) -> list[Root]:
    """Every root ever known, in id order."""
    return [_root(row) for row in conn.execute(select(*columns_for(roots, Root)).order_by(roots.c.id))]
