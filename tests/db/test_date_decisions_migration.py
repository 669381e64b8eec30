"""The migration that makes room for decisions notes the doubtful dates of which nothing was noted yet."""

from __future__ import annotations

from pathlib import Path

from app.db.connection import Database
from app.db.migrate import migrate
from tests.db.test_migrate import upgrade_to

FILES = {
    1: (b"a.jpg", "mtime"),
    2: (b"b.jpg", "exif"),
    3: (b"c\xff.JPG", "folder"),
    4: (b"c\xff.JPG.xmp", "folder"),
    5: (b"d.jpg", "mtime"),
    6: (b"e.jpg", None),
}


def test_doubtful_dates_of_before_are_listed_and_records_that_are_there_stay(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0015")
    db = Database(path)
    with db.transaction() as conn:
        conn.exec_driver_sql("INSERT INTO roots VALUES (1, 'ingest', '', x'2f', 'm', 'now')")
        conn.exec_driver_sql(
            "INSERT INTO assets (id, root_id, path, taken_from, status, size_bytes, mtime_ns, ctime_ns, device, inode, "
            "attempts, first_seen_at, updated_at) VALUES (?, 1, ?, ?, 'unique', 1, 1, 1, 1, 1, 0, 'now', 'now')",
            [(asset_id, *one) for asset_id, one in FILES.items()],
        )
        conn.exec_driver_sql("INSERT INTO capture_records VALUES (5, '[[\"mtime\"]]', 'Canon', NULL, 'weak')")
    db.close()
    migrate(path)
    db = Database(path)
    with db.reading() as conn:
        found = conn.exec_driver_sql("SELECT asset_id, candidates, camera_make, confidence FROM capture_records")
        rows = sorted(tuple(row) for row in found)
    db.close()
    assert rows == [(1, "[]", None, "weak"), (3, "[]", None, "weak"), (5, '[["mtime"]]', "Canon", "weak")]
