"""Very many rows are written before their indexes, which are the same afterwards, or have never been away."""

from __future__ import annotations

import pytest

from app.db import assets
from app.db.connection import Connection
from app.db.late_indexes import INDEXES, late_indexes
from app.model import AssetStatus, Signature
from app.services import Services

FOUND = [(b"%d.jpg" % n, Signature(1, n, n, 3, 4), None) for n in range(1, 50)]


def indexes(conn: Connection) -> dict[str, str]:
    return {row[0]: row[1] for row in conn.exec_driver_sql(INDEXES, ("assets",))}


def test_indexes_are_the_same_after_rows_that_were_written_without_them(services: Services) -> None:
    root = next(iter(services.roots.values()))[0]
    with services.db.reading() as conn:
        before = indexes(conn)
    with services.db.transaction() as conn:
        with late_indexes(conn, "assets"):
            assert indexes(conn) == {}
            assets.insert_discovered(conn, root.id, FOUND)
        assert indexes(conn) == before
    with services.db.reading() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert assets.count(conn, AssetStatus.DISCOVERED) == len(FOUND)


def test_what_was_cut_off_has_never_been(services: Services) -> None:
    root = next(iter(services.roots.values()))[0]
    with services.db.reading() as conn:
        before = indexes(conn)
    with pytest.raises(KeyError), services.db.transaction() as conn, late_indexes(conn, "assets"):
        assets.insert_discovered(conn, root.id, FOUND)
        raise KeyError
    with services.db.reading() as conn:
        assert indexes(conn) == before
        assert assets.last_id(conn) == 0
