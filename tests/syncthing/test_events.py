"""What Syncthing's events are taken for: a reason to look, told of in the journal once for each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.db import facts, journal
from app.model import Event
from app.services import Services
from app.syncthing import telling
from app.syncthing.events import EventsClient, Need, SyncthingEvent, has_gap, sort_out
from app.syncthing.seen import PeerSeen, Seen, look_around
from tests.conftest import make_services
from tests.syncthing.pair import FOLDER, KEY, Pair, wait_for

PHONE = "PHONE00-AAAAAAA"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = make_services(tmp_path)
    yield made
    made.close()


def event(kind: str, **data: Any) -> SyncthingEvent:
    return SyncthingEvent(1, kind, data)


def told(services: Services) -> list[Event]:
    with services.db.reading() as conn:
        found = journal.list_events(conn, limit=1000)
    return [e for e in reversed(found) if e.kind.split(".")[0] in ("peer", "folder", "syncthing")]


def tell(services: Services, *states: Seen) -> None:
    for state in states:
        with services.db.transaction() as conn:
            telling.tell_state(conn, state)


def seen(*, connected: bool = True, paused: bool = False, folder_paused: bool = False, fault: str = "") -> Seen:
    return Seen(FOLDER, "/photos", folder_paused, fault, {PHONE: PeerSeen("phone", connected, paused)})


# --- sorting out what is heard


def test_events_of_another_folder_say_nothing() -> None:
    others = [
        event("FolderCompletion", folder="music", device=PHONE, needItems=3),
        event("RemoteIndexUpdated", folder="music", device=PHONE),
        event("RemoteDownloadProgress", folder="music", device=PHONE, state={"a": 1}),
        event("FolderPaused", id="music"),
        event("StateChanged", folder="music", **{"from": "idle", "to": "error"}),
        event("StateChanged", folder=FOLDER, **{"from": "idle", "to": "scanning"}),
    ]
    assert sort_out(others, FOLDER).is_empty


@pytest.mark.parametrize(
    "heard",
    [
        event("DeviceConnected", id=PHONE),
        event("DeviceDisconnected", id=PHONE),
        event("ConfigSaved", folders=[]),
        event("ClusterConfigReceived", device=PHONE),
        event("FolderPaused", id=FOLDER),
        event("FolderErrors", folder=FOLDER, errors=[]),
        event("StateChanged", folder=FOLDER, **{"from": "error", "to": "idle"}),
    ],
)
def test_what_may_have_changed_the_folder_or_a_peer_is_a_reason_to_look_around(heard: SyncthingEvent) -> None:
    assert sort_out([heard], FOLDER).has_new_state


def test_the_last_word_of_a_device_counts_and_its_updates_are_counted() -> None:
    heard = sort_out(
        [
            event("FolderCompletion", folder=FOLDER, device=PHONE, needItems=9, needBytes=900, sequence=4),
            event("RemoteIndexUpdated", folder=FOLDER, device=PHONE),
            event("RemoteDownloadProgress", folder=FOLDER, device=PHONE, state={"a.mp4": 7}),
            event("RemoteIndexUpdated", folder=FOLDER, device=PHONE),
            event("RemoteDownloadProgress", folder=FOLDER, device=PHONE, state={}),
            event("FolderCompletion", folder=FOLDER, device=PHONE, needItems=0, needBytes=0, sequence=5),
        ],
        FOLDER,
    )
    assert heard.needs == {PHONE: Need(0, 0, 5)}
    assert heard.index_updates == {PHONE: 2}
    assert heard.downloads == {PHONE: {}}
    assert not heard.has_new_state


def test_a_device_that_has_said_nothing_of_what_it_holds_is_not_taken_to_need_nothing() -> None:
    assert Need(0, 0, 5).is_nothing
    assert not Need(0, 0, 0).is_nothing
    assert not Need(2, 0, 5).is_nothing, "empty files are bytes of nothing"


def test_a_gap_between_events_is_noticed() -> None:
    events = [SyncthingEvent(n, "ConfigSaved", {}) for n in (7, 8)]
    assert (has_gap(events, 6), has_gap(events, 4), has_gap([], 4)) == (False, True, False)


# --- what the journal is told


def test_each_change_is_told_once_however_often_it_is_seen(services: Services) -> None:
    away, back = seen(connected=False), seen()
    tell(services, back, back, away, away, away, back, back)
    assert [e.kind for e in told(services)] == ["peer.disconnected", "peer.connected"]
    assert told(services)[0].detail == {"device_id": PHONE, "peer": "phone"}


def test_what_changed_while_nobody_listened_is_told_when_it_is_seen(services: Services) -> None:
    tell(services, seen(), seen(connected=False, folder_paused=True))
    assert [e.kind for e in told(services)] == ["folder.paused", "peer.disconnected"]


def test_a_peer_and_a_folder_that_are_new_are_only_remembered(services: Services) -> None:
    tell(services, seen(connected=False), replace(seen(folder_paused=True), folder_id="other"))
    assert told(services) == []


def test_a_paused_peer_is_paused_and_not_lost_as_well(services: Services) -> None:
    tell(services, seen(), seen(connected=False, paused=True), seen(connected=False), seen())
    assert [e.kind for e in told(services)] == ["peer.paused", "peer.resumed", "peer.connected"]


def test_a_folder_that_syncthing_has_stopped_is_told_with_its_reason(services: Services) -> None:
    tell(services, seen(), seen(fault="The disk is gone."), seen(fault="The disk is still gone."), seen())
    assert [(e.kind, e.level) for e in told(services)] == [("folder.failed", "warning"), ("folder.recovered", "info")]
    assert told(services)[0].message == "The disk is gone."


def test_a_peer_that_flaps_does_not_fill_the_journal(services: Services) -> None:
    tell(services, *[seen(connected=n % 2 == 1) for n in range(1, 1001)])
    events = told(services)
    assert len(events) == telling.MOST_AN_HOUR
    assert {e.level for e in events[:-1]} == {"info"}
    assert events[-1].level == "warning" and "comes and goes" in events[-1].message
    with services.db.reading() as conn:
        assert len(facts.find(conn, telling.FACT) or "") < 2000


def test_after_an_hour_a_flapping_peer_is_told_of_as_it_is_then(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(services, *[seen(connected=n % 2 == 1) for n in range(1, 101)])
    before = len(told(services))
    last = told(services)[-1].kind == "peer.connected"
    monkeypatch.setattr(telling, "HOUR_SECONDS", -1)
    tell(services, seen(connected=not last))
    assert len(told(services)) == before + 1


def test_silence_is_told_once_for_each_reason_and_once_when_it_is_over(services: Services) -> None:
    for reason in ("The key is wrong.", "The key is wrong.", "It is gone."):
        with services.db.transaction() as conn:
            telling.tell_lost(conn, reason, 60)
    for _ in range(2):
        with services.db.transaction() as conn:
            telling.tell_heard(conn)
    assert [e.kind for e in told(services)] == ["syncthing.lost", "syncthing.lost", "syncthing.found"]


# --- a real Syncthing


@pytest.fixture
def listening(module_pair: Pair) -> Iterator[EventsClient]:
    with EventsClient(module_pair.ours.url, KEY) as client:
        yield client


@pytest.mark.syncthing
def test_events_come_from_the_first_question_on_and_none_twice(module_pair: Pair, listening: EventsClient) -> None:
    since = listening.last_event_id()
    module_pair.ours.change_folder(label="a new name")
    events = listening.events(since, 60)
    assert events[0].id == since + 1 and "ConfigSaved" in {e.kind for e in events}
    newest = events[-1].id
    module_pair.ours.change_folder(label="another one")
    assert listening.events(newest, 60)[0].id == newest + 1
    module_pair.ours.change_folder(label="")


@pytest.mark.syncthing
def test_the_folder_and_its_peers_are_seen_as_they_are(module_pair: Pair, listening: EventsClient) -> None:
    found = look_around(listening, FOLDER)
    assert (found.path, found.paused, found.fault) == (str(module_pair.ours.folder), False, "")
    assert found.peers == {module_pair.peer.device_id: PeerSeen("peer", connected=True, paused=False)}
    module_pair.ours.change_folder(paused=True)
    assert look_around(listening, FOLDER).paused
    module_pair.ours.change_folder(paused=False)
    device = f"config/devices/{module_pair.peer.device_id}"
    module_pair.ours.rest("PATCH", device, json={"paused": True})
    wait_for(lambda: not look_around(listening, FOLDER).peers[module_pair.peer.device_id].connected, "it is gone")
    assert look_around(listening, FOLDER).peers[module_pair.peer.device_id].paused
    module_pair.ours.rest("PATCH", device, json={"paused": False})
    module_pair.wait_connected()
