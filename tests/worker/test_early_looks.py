"""Early looks are bounded, samples are written only when something has changed, and neither invents anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import batch_devices, batches, sync_samples
from app.db.clock import later
from app.model import Batch, BatchStatus
from app.services import Services
from app.syncthing.events import Heard, Need
from app.syncthing.seen import PeerSeen, Seen
from tests.conftest import make_services
from worker import early_looks, sampling
from worker.early_looks import EarlyLooks
from worker.live import Live
from worker.sampling import Sampler

PHONE = "PHONE00-AAAAAAA"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path)
    yield made
    made.close()


class Clock:
    """A monotonic clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(early_looks, "time", made)
    monkeypatch.setattr(sampling, "time", made)
    return made


def syncing(services: Services, files: int = 10) -> Batch:
    """A delivery under way whose next look is an hour away."""
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn, naming_pattern="batch_{index}", allow_parallel=True, target="syncthing", transfer_mode="move",
            peer_policy="keep", device_id=PHONE,
        )  # fmt: skip
        batches.set_columns(conn, batch.id, file_count=files, size_bytes=files * 100, next_look_at=later(3600))
        batch_devices.add(conn, batch.id, [PHONE])
        return batches.change(conn, batches.get(conn, batch.id), BatchStatus.SYNCING)


def put_off(services: Services, batch: Batch) -> None:
    """A look was taken, and the next one is an hour away."""
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, next_look_at=later(3600))


def is_due(services: Services, batch: Batch) -> bool:
    with services.db.reading() as conn:
        due = batches.get(conn, batch.id).next_look_at
    return due is not None and due <= later(0)


def test_a_look_that_nobody_asked_for_is_not_early(services: Services, clock: Clock) -> None:
    batch = syncing(services)
    assert EarlyLooks().make_due(services) == []
    assert not is_due(services, batch)


def test_however_many_events_come_there_is_one_early_look_in_two_seconds(services: Services, clock: Clock) -> None:
    batch, early, looks = syncing(services), EarlyLooks(), 0
    for _ in range(100):
        early.ask(urgent=True)
        looks += len(early.make_due(services))
        put_off(services, batch)
        clock.seconds += 0.1
    assert looks == 5


def test_a_wish_that_came_too_soon_is_heeded_later(services: Services, clock: Clock) -> None:
    batch, early = syncing(services), EarlyLooks()
    early.ask(urgent=False)
    assert early.make_due(services) == [batch.id]
    put_off(services, batch)
    early.ask(urgent=False)
    assert early.make_due(services) == [] and not is_due(services, batch)
    clock.seconds += early_looks.LEAST_SECONDS
    assert early.make_due(services) == [batch.id] and is_due(services, batch)


def test_a_large_batch_is_not_asked_for_again_and_again_unless_it_is_urgent(services: Services, clock: Clock) -> None:
    batch, early, looks = syncing(services, files=10_000), EarlyLooks(), 0
    for _ in range(100):
        early.ask(urgent=False)
        looks += len(early.make_due(services))
        clock.seconds += 1.0
    assert looks == 1
    early.ask(urgent=True)
    assert early.make_due(services) == [batch.id]


def test_the_wish_of_a_batch_that_is_not_due_does_not_bring_another_one_twice(
    services: Services, clock: Clock
) -> None:
    syncing(services, files=10_000)
    early = EarlyLooks()
    early.ask(urgent=False)
    early.make_due(services)
    small = syncing(services)
    early.ask(urgent=False)
    assert early.make_due(services) == [small.id]
    assert early.make_due(services) == []


# --- samples


def picture(live: Live, need: int, *, connected: bool = True) -> None:
    live.put_seen(Seen("photos", "/photos", False, "", {PHONE: PeerSeen("phone", connected, False)}))
    live.put_heard(Heard(needs={PHONE: Need(need, need * 100)}))


def samples(services: Services, batch: Batch) -> list[sync_samples.Sample]:
    with services.db.reading() as conn:
        return sync_samples.newest(conn, batch.id, PHONE, 1000)


def test_only_what_has_changed_is_sampled(services: Services, clock: Clock) -> None:
    batch, live = syncing(services), Live()
    sampler = Sampler(live)
    picture(live, 10)
    for _ in range(5):
        sampler.sample(services)
    assert len(samples(services, batch)) == 1
    picture(live, 4)
    sampler.sample(services)
    picture(live, 4, connected=False)
    sampler.sample(services)
    found = [(s.need_items, s.need_bytes, s.connected) for s in samples(services, batch)]
    assert found == [(10, 1000, True), (4, 400, True), (4, 400, False)]


def test_a_delivery_in_which_nothing_moves_is_sampled_every_ten_minutes(services: Services, clock: Clock) -> None:
    batch, live = syncing(services), Live()
    sampler = Sampler(live)
    for _ in range(13):
        sampler.sample(services)
        clock.seconds += sampling.STILL_SECONDS / 4
    assert len(samples(services, batch)) == 4


def test_what_is_not_heard_for_a_moment_is_as_it_was(services: Services, clock: Clock) -> None:
    batch, live = syncing(services), Live()
    sampler = Sampler(live)
    picture(live, 10)
    sampler.sample(services)
    live.forget()
    sampler.sample(services)
    assert len(samples(services, batch)) == 1


def test_a_worker_that_starts_again_goes_on_where_the_samples_are(services: Services, clock: Clock) -> None:
    batch, live = syncing(services), Live()
    picture(live, 10)
    Sampler(live).sample(services)
    Sampler(live).sample(services)
    assert len(samples(services, batch)) == 1


def test_the_end_of_a_delivery_is_sampled_even_when_it_was_never_seen_under_way(
    services: Services, clock: Clock
) -> None:
    sampler = Sampler(Live())
    batch = syncing(services)
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch.id), BatchStatus.SYNCED)
    sampler.sample(services)
    sampler.sample(services)
    assert len(samples(services, batch)) == 1


def test_an_event_never_cuts_a_grace_time_that_began_after_the_deliveries_were_listed(services: Services) -> None:
    batch = syncing(services)
    with services.db.transaction() as conn:
        delivered = batches.change(conn, batch, BatchStatus.SYNCED)
        batches.set_columns(conn, batch.id, peer_policy="mirror", next_look_at=later(3600))

        batches.bring_looks_forward(conn, [batch.id])

    assert not is_due(services, delivered)


def test_an_event_brings_the_look_at_an_awaited_release_forward(services: Services) -> None:
    batch = syncing(services)
    with services.db.transaction() as conn:
        delivered = batches.change(conn, batch, BatchStatus.SYNCED)
        batches.set_columns(conn, batch.id, peer_policy="release", next_look_at=later(3600))

        batches.bring_looks_forward(conn, [batch.id])

    assert is_due(services, delivered)
