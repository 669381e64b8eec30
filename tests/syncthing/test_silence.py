"""A peer that nobody heard of, and deliveries that stopped, are told by themselves; with real Syncthings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.db import batches, facts, journal, silences
from app.db.clock import later
from app.overview import ConfigFacts, overview
from app.overview.warnings import SILENCE_REMEDY
from app.pipeline import silence
from app.services import Services
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import publish

pytestmark = pytest.mark.syncthing

DAY = 86_400


def told(services: Services, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [event.message for event in journal.list_events(conn, kind_prefix=kind)]


def age_peers(services: Services, days: float) -> None:
    """As if the peer had been seen last so many days ago."""
    with services.db.transaction() as conn:
        kept = silences.peers_seen(conn)
        silences.note_peers(conn, {key: {**peer, "seen_at": later(-days * DAY)} for key, peer in kept.items()})


def age_telling(services: Services, days: float) -> None:
    with services.db.transaction() as conn:
        kept = json.loads(facts.find(conn, silences.SILENCES) or "[]")
        facts.put(conn, silences.SILENCES, json.dumps([{**entry, "told_at": later(-days * DAY)} for entry in kept]))


def test_a_connected_peer_is_never_missed(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair, sync={"peer_unseen_days": 1})
    silence.listen(services)
    age_peers(services, 30)

    assert silence.listen(services) == []
    assert told(services, "peer.missed") == []


def test_while_syncthing_is_away_too_the_peer_is_missed_once_and_again_after_as_many_days(
    module_pair: Pair, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair, sync={"peer_unseen_days": 7})
    silence.listen(services)
    age_peers(services, 8)
    module_pair.ours.stop()
    try:
        assert [found.kind for found in silence.listen(services)] == ["peer.missed"]
        silence.listen(services)
        assert len(told(services, "peer.missed")) == 1
        assert told(services, "peer.missed")[0].startswith("peer was not seen for 8 days")
        warning = next(w for w in overview(services, ConfigFacts(path=""))["warnings"] if w["remedy"] == SILENCE_REMEDY)
        assert "nothing can be delivered to it" in warning["message"]

        age_telling(services, 7)
        silence.listen(services)
        assert len(told(services, "peer.missed")) == 2
    finally:
        module_pair.bring_up()
    wait_for(lambda: silence.listen(services) == [], "the peer is heard of again")
    assert not [w for w in overview(services, ConfigFacts(path=""))["warnings"] if w["remedy"] == SILENCE_REMEDY]


def test_no_delivery_for_too_long_is_told_with_whether_a_batch_waits(
    module_pair: Pair, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair, sync={"no_delivery_days": 30})
    assert silence.listen(services) == []
    batch = publish(services, "batch_901", {"a.jpg": b"a" * 100})
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, created_at=later(-40 * DAY))

    assert [found.message for found in silence.listen(services)] == [
        f"No batch was delivered for 40 days (since {later(-40 * DAY)[:10]}). A batch waits for it: see its detail."
    ]
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, synced_at=later(-3 * DAY))
    assert silence.listen(services) == []


def test_nothing_is_told_when_it_is_switched_off(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair, sync={"peer_unseen_days": 0, "no_delivery_days": 0})
    silence.listen(services)
    age_peers(services, 4000)
    module_pair.ours.stop()
    try:
        assert silence.listen(services) == []
    finally:
        module_pair.bring_up()


def test_it_is_listened_for_about_once_an_hour(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair)
    with services.db.transaction() as conn:
        silences.note_peers(conn, {})
        facts.put(conn, silence.LISTENED_AT, later(-10))
    silence.listen_when_due(services)
    with services.db.reading() as conn:
        assert silences.peers_seen(conn) == {}
    with services.db.transaction() as conn:
        facts.put(conn, silence.LISTENED_AT, later(-3601))
    silence.listen_when_due(services)
    with services.db.reading() as conn:
        assert list(silences.peers_seen(conn)) == [module_pair.peer.device_id]
