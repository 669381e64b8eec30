"""Samples of deliveries: bounded, thinned the older they are, in pages, and gone after their time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.db import batches, sync_samples
from app.db.clock import later
from app.db.connection import Connection
from app.db.sync_samples import DENSE, MOST_PER_PEER, Moment, Sample
from app.services import Services
from tests.conftest import make_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path)
    yield made
    made.close()


def fill(conn: Connection, count: int, batch_id: int = 1, device_id: str = "PHONE") -> None:
    for n in range(count):
        sync_samples.add(conn, batch_id, device_id, Moment(n, n * 10, None, None, n % 2 == 0), None)


def everything(conn: Connection, **which: object) -> list[Sample]:
    return sync_samples.page(conn, limit=100_000, **which)[0]  # type: ignore[arg-type]


def test_a_sample_comes_back_as_it_was_put_in(services: Services) -> None:
    with services.db.transaction() as conn:
        sync_samples.add(conn, 3, "PHONE", Moment(2, 20, 5, 500, connected=False), 12.5)
        sync_samples.add(conn, 3, "PHONE", Moment(3, 30), None)
        first, second = sync_samples.newest(conn, 3, "PHONE")
    assert (first.moment, first.rate) == (Moment(2, 20, 5, 500, connected=False), 12.5)
    assert (second.moment, second.rate) == (Moment(3, 30, None, None, None), None)


def test_the_number_of_samples_is_bounded_and_the_newest_are_dense(services: Services) -> None:
    with services.db.transaction() as conn:
        fill(conn, 3000)
        fill(conn, 5, device_id="LAPTOP")
        kept = [s.confirmed_files for s in everything(conn, device_id="PHONE")][::-1]
        others = len(everything(conn, device_id="LAPTOP"))
    assert len(kept) <= MOST_PER_PEER
    assert others == 5, "another peer's samples are left alone"
    assert kept[-DENSE:] == list(range(3000 - DENSE, 3000))
    assert kept[0] == 0, "the beginning stays"
    gaps = [b - a for a, b in pairwise(kept)]
    third = len(gaps) // 3
    assert sum(gaps[:third]) > sum(gaps[third : 2 * third]) > sum(gaps[2 * third :]), "the older, the sparser"


def test_pages_hold_every_sample_once_newest_first(services: Services) -> None:
    with services.db.transaction() as conn:
        for batch_id in (1, 2):
            for device_id in ("PHONE", "LAPTOP"):
                fill(conn, 25, batch_id, device_id)
        for which in ({}, {"batch_id": 1}, {"device_id": "LAPTOP"}, {"batch_id": 2, "device_id": "PHONE"}):
            expected = [s.id for s in everything(conn, **which)]
            assert expected == sorted(expected, reverse=True) and expected
            found: list[int] = []
            before_id: int | None = None
            while True:
                page, before_id = sync_samples.page(conn, limit=7, before_id=before_id, **which)  # type: ignore[arg-type]
                found += [s.id for s in page]
                if before_id is None:
                    break
            assert found == expected


def test_since_leaves_out_what_was_before(services: Services) -> None:
    with services.db.transaction() as conn:
        fill(conn, 6)
        samples = everything(conn)
        assert everything(conn, since=samples[2].at) == samples[:3]
        assert everything(conn, since=later(60)) == []


def test_old_samples_go(services: Services) -> None:
    with services.db.transaction() as conn:
        fill(conn, 4)
        newest = everything(conn)[0]
        assert sync_samples.drop_before(conn, newest.at) == 3
        assert everything(conn) == [newest]


def test_bringing_looks_forward_never_puts_one_off(services: Services) -> None:
    with services.db.transaction() as conn:
        made = [
            batches.reserve(
                conn, naming_pattern="batch_{index}", allow_parallel=True, target="syncthing", transfer_mode="move",
                peer_policy="keep", device_id="PHONE",
            )
            for _ in range(3)
        ]  # fmt: skip
        past, future = later(-60), later(3600)
        for batch, due in zip(made, (past, future, None), strict=True):
            batches.set_columns(conn, batch.id, next_look_at=due)
        batches.bring_looks_forward(conn, [batch.id for batch in made])
        due = [batches.get(conn, batch.id).next_look_at for batch in made]
    assert due[0] == past and due[1] is not None and due[1] < future and due[2] is None
