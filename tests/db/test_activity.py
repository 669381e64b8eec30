"""What the charts are made from: files counted when they are seen, delivered and archived, and the days of any zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic import command

from app.db import activity, assets, migrate, room_samples, totals
from app.db.activity import Sum
from app.db.connection import Connection, Database
from app.db.room_samples import Room
from app.model import AssetStatus, RootKind, Signature
from app.services import Services
from tests.conftest import make_services
from tests.db.test_group_keys_migration import write_before
from tests.db.test_migrate import upgrade_to


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path)
    yield made
    made.close()


def take_in(conn: Connection, services: Services, first: int, count: int) -> None:
    root = services.root(RootKind.INGEST)
    found = [(b"%d.jpg" % n, Signature(1, n + 1, 10, 1, 1), None) for n in range(first, first + count)]
    assets.insert_discovered(conn, root.id, found)


def bring(conn: Connection, before: AssetStatus, *way: AssetStatus) -> None:
    for status in way:
        assets.mark(conn, assets.list_by_status(conn, before), status)
        before = status


def today(conn: Connection) -> dict[str, Sum]:
    moment = datetime.now(UTC)
    return activity.sums_between(conn, [moment - timedelta(hours=1), moment + timedelta(hours=1)])[0]


def test_files_are_counted_when_they_are_seen_delivered_and_archived(services: Services) -> None:
    with services.db.transaction() as conn:
        take_in(conn, services, 0, 5)
        take_in(conn, services, 5, 2)
        bring(conn, AssetStatus.DISCOVERED, AssetStatus.UNIQUE, AssetStatus.BATCHED, AssetStatus.DELIVERED)
        assert today(conn) == {"seen": Sum(7, 70), "delivered": Sum(7, 70), "archived": Sum()}
        bring(conn, AssetStatus.DELIVERED, AssetStatus.ARCHIVED)
        assert today(conn)["archived"] == Sum(7, 70)


def test_what_comes_back_or_only_grows_is_not_seen_anew(services: Services) -> None:
    with services.db.transaction() as conn:
        take_in(conn, services, 0, 3)
        bring(conn, AssetStatus.DISCOVERED, AssetStatus.FAILED, AssetStatus.DISCOVERED)
        totals.add(conn, {AssetStatus.DISCOVERED: (0, 500)})
        totals.recount(conn)
        assert today(conn) == {"seen": Sum(3, 30), "delivered": Sum(), "archived": Sum()}


@pytest.mark.parametrize(
    ("zone", "days"), [("UTC", [1, 2]), ("Asia/Kolkata", [0, 3]), ("America/St_Johns", [3, 0]), ("Asia/Tokyo", [0, 3])]
)
def test_a_day_is_that_of_the_zone(services: Services, zone: str, days: list[int]) -> None:
    at = {"2026-03-01T23:45": 1, "2026-03-02T00:00": 1, "2026-03-02T00:15": 1}
    firsts = [datetime(2026, 3, day, tzinfo=ZoneInfo(zone)) for day in (1, 2, 3)]
    with services.db.transaction() as conn:
        for slot, files in at.items():
            conn.exec_driver_sql(activity.ADD, (slot, "seen", files, 10 * files))
        assert [found["seen"].files for found in activity.sums_between(conn, firsts)] == days


def test_the_days_before_are_filled_in_from_the_rows(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0022")
    db = Database(path)
    with db.transaction() as conn:
        write_before(conn, {1: ("a", "x")}, dict.fromkeys(range(1, 5), (1, "x.jpg", "unique")))
        for n, time in enumerate(("03:14:59", "03:15:00", "03:29:59", "03:59:59"), 1):
            at = f"2026-01-02T{time}.000000+00:00"
            conn.exec_driver_sql("UPDATE assets SET first_seen_at = ? WHERE id = ?", (at, n))
        conn.exec_driver_sql(
            "INSERT INTO batches (name, status, target, transfer_mode, peer_policy, created_at, file_count, "
            "size_bytes, synced_at, sorted_at) VALUES ('one', 'SORTED', 'none', 'move', 'keep', 'x', 3, 30, ?, ?), "
            "('two', 'CANCELLED', 'none', 'move', 'keep', 'x', 9, 90, ?, NULL)",
            ("2026-01-02T04:00:01.000000+00:00",) * 3,
        )
        config = migrate._alembic_config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0023")
        rows = conn.exec_driver_sql("SELECT at, what, file_count, size_bytes FROM activity ORDER BY at, what").all()
    db.close()
    assert [tuple(row) for row in rows] == [
        ("2026-01-02T03:00", "seen", 1, 1), ("2026-01-02T03:15", "seen", 2, 2), ("2026-01-02T03:45", "seen", 1, 1),
        ("2026-01-02T04:00", "archived", 3, 30), ("2026-01-02T04:00", "delivered", 3, 30),
    ]  # fmt: skip


def test_one_sample_of_the_room_is_kept_a_day_and_old_ones_go(services: Services) -> None:
    root = services.root(RootKind.ARCHIVE)
    with services.db.transaction() as conn:
        conn.exec_driver_sql(room_samples.PUT, (root.id, "2020-01-01", "2020-01-01T00:00", 1, 2, 0, 0))
        room_samples.put(conn, [Room(root.id, 500, 1_000)], {})
        room_samples.put(conn, [Room(root.id, 400, 1_000)], {root.id: (3, 30)})
        (found,) = room_samples.list_since(conn, "2000-01-01")[root.id]
    assert (found.free_bytes, found.total_bytes, found.own_files, found.own_bytes) == (400, 1_000, 3, 30)
