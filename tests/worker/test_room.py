"""The worker writes down how full the disks are, and counts what is ours anew when something has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import assets, room_samples
from app.model import RootKind, Signature
from app.overview import roots as root_looks
from app.services import Services
from tests.conftest import make_services
from worker.room import RoomSampler


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    root_looks.forget()
    made = make_services(tmp_path)
    yield made
    made.close()


def own_of(services: Services, kind: RootKind) -> tuple[int, int]:
    with services.db.reading() as conn:
        found = room_samples.list_since(conn, "2000-01-01")[services.root(kind).id][-1]
    assert 0 < found.free_bytes < found.total_bytes
    return found.own_files, found.own_bytes


def test_every_root_has_a_sample_and_new_files_are_counted(services: Services) -> None:
    sampler, root = RoomSampler(), services.root(RootKind.INGEST)
    sampler.sample(services)
    assert own_of(services, RootKind.INGEST) == own_of(services, RootKind.ARCHIVE) == (0, 0)
    with services.db.transaction() as conn:
        assets.insert_discovered(conn, root.id, [(b"a.jpg", Signature(1, 1, 700, 1, 1), None)])
    sampler._recount_at = 0.0
    sampler.sample(services)
    assert own_of(services, RootKind.INGEST) == (1, 700)


def test_nothing_is_written_while_nothing_changes(services: Services) -> None:
    sampler = RoomSampler()
    sampler.sample(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("DELETE FROM room_samples")
    sampler.sample(services)
    with services.db.reading() as conn:
        assert room_samples.list_since(conn, "2000-01-01") == {}
    sampler._due_at = 0.0
    sampler.sample(services)
    assert own_of(services, RootKind.ARCHIVE) == (0, 0)
