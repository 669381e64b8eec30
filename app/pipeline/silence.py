"""Nothing heard for too long: a peer that was not seen, or no batch delivered, for as many days as the settings say.

Nobody looks at a dashboard that has been well for years. So silence itself is told: once when it is too long, again
after as many days more, and as a warning for as long as it lasts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.db import batches, facts, journal, silences
from app.db.clock import later, now
from app.db.connection import Connection
from app.db.silences import Silence
from app.errors import SyncthingError
from app.model import BatchStatus, RootKind
from app.services import Services
from app.syncthing import look as syncthing
from app.syncthing import place, troubles
from app.syncthing.client import SyncthingClient
from app.syncthing.troubles import Trouble

LISTEN_EVERY_SECONDS = 3600
LISTENED_AT = "listened_at"
DAY_SECONDS = 86_400


def listen_when_due(services: Services) -> None:
    """The tick's part: about once an hour, see who was heard of."""
    with services.db.reading() as conn:
        last = facts.find(conn, LISTENED_AT)
    if last is None or last <= later(-LISTEN_EVERY_SECONDS):
        listen(services)


def listen(services: Services) -> list[Silence]:
    """Find what is silent for too long, and tell what was not told lately; returns all of it."""
    seen = _look_for_peers(services) if services.config.sync_target == "syncthing" else {}
    with services.db.transaction() as conn:
        facts.put(conn, LISTENED_AT, now())
        silences.note_peers(conn, seen)
        told = {silence.subject: silence for silence in silences.list_all(conn)}
        found = [*_unseen(services, seen), *_undelivered(conn, services)]
        found = [_told(conn, silence, told.get(silence.subject), _days_of(services, silence)) for silence in found]
        silences.replace_all(conn, found)
    return found


def _look_for_peers(services: Services) -> dict[str, dict[str, str]]:
    """When each required peer was last seen; as far as it is known while Syncthing itself does not answer."""
    with services.db.reading() as conn:
        known = silences.peers_seen(conn)
    try:
        return _ask(services, known)
    except SyncthingError:
        return known


def _ask(services: Services, known: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    config = services.config
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    with SyncthingClient.from_config(config) as client:
        folder = place.find_folder(client, config, batch_dir)
        wanted = troubles.choose_devices(folder, client.my_id(), config.syncthing.required_ids)
        if isinstance(wanted, Trouble):
            return known
        peers = syncthing.standings_of(client, folder, wanted, b"")
    seen = {}
    for peer in peers:
        before = known.get(peer.device_id, {}).get("seen_at") or now()
        seen_at = now() if peer.connected else peer.last_seen or before
        seen[peer.device_id] = {"name": peer.peer, "seen_at": seen_at}
    return seen


def _unseen(services: Services, seen: dict[str, dict[str, str]]) -> Iterator[Silence]:
    days = services.config.sync.peer_unseen_days
    for device_id, peer in seen.items():
        if days and _is_older(peer["seen_at"], days):
            words = (
                f"{peer['name']} was not seen for {_age_days(peer['seen_at'])} days (last on {peer['seen_at'][:10]}): "
                "nothing can be delivered to it. Switch it on, and see that its Syncthing runs."
            )
            yield Silence(f"peer {device_id}", "peer.missed", peer["seen_at"], words, "")


def _undelivered(conn: Connection, services: Services) -> Iterator[Silence]:
    days = services.config.sync.no_delivery_days
    since = batches.last_delivered_at(conn) or batches.first_created_at(conn)
    if not days or services.config.sync_target == "none" or since is None or not _is_older(since, days):
        return
    waits = batches.list_by_status(conn, [BatchStatus.PENDING, BatchStatus.SYNCING])
    why = "A batch waits for it: see its detail." if waits else "None waits either: see that photos still reach ingest."
    words = f"No batch was delivered for {_age_days(since)} days (since {since[:10]}). {why}"
    yield Silence("delivery", "delivery.missed", since, words, "")


def _told(conn: Connection, silence: Silence, before: Silence | None, days: int) -> Silence:
    """The silence with when it was told: now, unless it was told for this same silence less than `days` ago."""
    if before is not None and before.since == silence.since and not _is_older(before.told_at, days):
        return replace(silence, told_at=before.told_at)
    journal.record(conn, silence.kind, silence.message, level="warning", detail={"since": silence.since})
    return replace(silence, told_at=now())


def _days_of(services: Services, silence: Silence) -> int:
    sync = services.config.sync
    return sync.peer_unseen_days if silence.kind == "peer.missed" else sync.no_delivery_days


def _is_older(instant: str, days: int) -> bool:
    return instant <= later(-days * DAY_SECONDS)


def _age_days(instant: str) -> int:
    return (datetime.now(UTC) - datetime.fromisoformat(instant)) // timedelta(days=1)
