"""What holds up a delivery or a release is told once per cause, and its code is kept for whoever asks."""

from __future__ import annotations

import pytest

from app.db import batches, journal
from app.model import Batch
from app.pipeline.delays import DELIVERY, RELEASE, note_delays
from app.services import Services
from app.syncthing import notes
from app.syncthing.troubles import Trouble

PAUSED = Trouble("folder_paused", "The folder photos is paused in Syncthing; resume it there.")
REFUSED = [Trouble("files_refused", f"{name} cannot be delivered: its name.") for name in ("a.jpg", "b.jpg")]
AWAY = [
    Trouble("peer_offline", f"Waiting for phone: it is not connected, last seen 10:0{minute}.", False, 0, device)
    for device in ("PHONE", "LAPTOP")
    for minute in (1, 2)
]


@pytest.fixture
def batch(services: Services) -> Batch:
    with services.db.transaction() as conn:
        return batches.reserve(
            conn, naming_pattern="batch_{index:03d}", allow_parallel=True, target="syncthing", transfer_mode="copy",
            peer_policy="release", device_id="PHONE",
        )  # fmt: skip


def note(services: Services, batch: Batch, kind: str, *found: Trouble) -> str:
    """One look that found these; returns the code that is kept."""
    with services.db.transaction() as conn:
        remembered = notes.load(conn, batch.id)
        note_delays(conn, batch, remembered, found, kind=kind, run_id=None)
        notes.save(conn, batch.id, remembered)
        return notes.load(conn, batch.id).trouble


def told(services: Services, kind: str) -> list[tuple[str, str, str | None]]:
    with services.db.reading() as conn:
        events = journal.list_events(conn, kind_prefix=kind)
    return [(event.level, event.detail["cause"], event.detail.get("device_id")) for event in reversed(events)]


@pytest.mark.parametrize("kind", [DELIVERY, RELEASE])
def test_a_warning_is_told_once_and_again_when_its_words_change(services: Services, batch: Batch, kind: str) -> None:
    for found in (PAUSED, PAUSED, *REFUSED, PAUSED, REFUSED[0]):
        note(services, batch, kind, found)
    assert [cause for _, cause, _ in told(services, kind)] == ["folder_paused", "files_refused", "files_refused"]
    assert {level for level, _, _ in told(services, kind)} == {"warning"}


@pytest.mark.parametrize("kind", [DELIVERY, RELEASE])
def test_a_peer_that_is_away_is_told_once_per_device_however_long_it_is(
    services: Services, batch: Batch, kind: str
) -> None:
    for found in AWAY:
        note(services, batch, kind, found)
    assert told(services, kind) == [("info", "peer_offline", "PHONE"), ("info", "peer_offline", "LAPTOP")]


def test_what_held_the_delivery_up_is_told_of_the_release_as_well(services: Services, batch: Batch) -> None:
    for kind in (DELIVERY, RELEASE, DELIVERY, RELEASE):
        note(services, batch, kind, PAUSED, AWAY[0])
    assert len(told(services, DELIVERY)) == len(told(services, RELEASE)) == 2


@pytest.mark.parametrize("kind", [DELIVERY, RELEASE])
def test_the_code_of_the_first_trouble_is_kept_until_nothing_is_in_the_way(
    services: Services, batch: Batch, kind: str
) -> None:
    assert note(services, batch, kind, PAUSED, AWAY[0]) == "folder_paused"
    assert note(services, batch, kind) == ""
