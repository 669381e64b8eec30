"""What the journal is told of the folder and its peers: each change once, and of one that flaps only so many.

What was told last is remembered in the facts table, so that neither a restart here nor one there tells it again, and
what changed meanwhile is told when it is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection

from app.db import facts, journal
from app.db.clock import later, now
from app.model import Batch
from app.syncthing.seen import PeerSeen, Seen

FACT = "sync_told"
#: Of one thing that comes and goes, so many changes are told within an hour.
MOST_AN_HOUR = 6
HOUR_SECONDS = 3600
ENOUGH = " It comes and goes; for an hour no more of this is told."
#: So many batches are remembered as told to have been caught up with.
BATCHES_REMEMBERED = 50


@dataclass(frozen=True)
class News:
    """One change: `subject` is the thing that may flap."""

    subject: str
    kind: str
    message: str
    level: str = "info"
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """What the journal has been told. `peers` by device ID: whether connected, whether paused."""

    folder_id: str = ""
    paused: bool = False
    fault: str = ""
    lost: str = ""
    peers: dict[str, dict[str, bool]] = field(default_factory=dict)
    recent: dict[str, list[str]] = field(default_factory=dict)
    caught_up: list[str] = field(default_factory=list)


def load(conn: Connection) -> Told:
    """What the journal has been told so far."""
    text = facts.find(conn, FACT)
    return Told(**json.loads(text)) if text else Told()


def _save(conn: Connection, told: Told) -> None:
    facts.put(conn, FACT, json.dumps(asdict(told)))


def tell_state(conn: Connection, seen: Seen) -> None:
    """Tell what has changed since the last time. A folder or peer that is new is only remembered."""
    told = load(conn)
    before = asdict(told)
    if told.folder_id != seen.folder_id:
        told = Told(seen.folder_id, seen.paused, seen.fault, told.lost, caught_up=told.caught_up)
    told.peers = {device: told.peers.get(device) or _of(peer) for device, peer in seen.peers.items()}
    for news in _changes(told, seen):
        _tell(conn, told, news)
    if asdict(told) != before:
        _save(conn, told)


def _of(peer: PeerSeen) -> dict[str, bool]:
    return {"connected": peer.connected, "paused": peer.paused}


def _changes(told: Told, seen: Seen) -> Iterator[News]:
    """Each change that may be told now; what is yielded is remembered as told."""
    if told.paused != seen.paused and _may_tell(told, "folder:paused"):
        told.paused = seen.paused
        yield _folder_news(seen, "paused" if seen.paused else "resumed")
    if bool(told.fault) != bool(seen.fault) and _may_tell(told, "folder:fault"):
        told.fault = seen.fault
        yield _fault_news(seen)
    for device, peer in seen.peers.items():
        yield from _peer_changes(told, device, peer)


def _peer_changes(told: Told, device: str, peer: PeerSeen) -> Iterator[News]:
    known = told.peers[device]
    for aspect, value in (("paused", peer.paused), ("connected", peer.connected)):
        if aspect == "connected" and peer.paused:
            # That a paused peer is not connected goes without saying; that it is again, does not.
            known["connected"] = False
        elif known[aspect] != value and _may_tell(told, f"{device}:{aspect}"):
            known[aspect] = value
            yield _peer_news(device, peer, aspect)


def _may_tell(told: Told, subject: str) -> bool:
    horizon = later(-HOUR_SECONDS)
    told.recent = {name: kept for name, at in told.recent.items() if (kept := [a for a in at if a > horizon])}
    return len(told.recent.get(subject, ())) < MOST_AN_HOUR


def _tell(conn: Connection, told: Told, news: News) -> None:
    recent = told.recent.setdefault(news.subject, [])
    recent.append(now())
    enough = ENOUGH if len(recent) == MOST_AN_HOUR else ""
    level = "warning" if enough else news.level
    journal.record(conn, news.kind, news.message + enough, level=level, detail=news.detail)


def _folder_news(seen: Seen, what: str) -> News:
    kind = "folder.paused" if what == "paused" else "folder.resumed"
    message = f"The folder {seen.folder_id} was {what} in Syncthing."
    return News("folder:paused", kind, message, detail={"folder_id": seen.folder_id})


def _fault_news(seen: Seen) -> News:
    detail = {"folder_id": seen.folder_id}
    if seen.fault:
        return News("folder:fault", "folder.failed", seen.fault, "warning", detail)
    message = f"Syncthing works on the folder {seen.folder_id} again."
    return News("folder:fault", "folder.recovered", message, detail=detail)


def _peer_news(device: str, peer: PeerSeen, aspect: str) -> News:
    kinds = {
        ("connected", True): ("peer.connected", f"{peer.name} is connected to Syncthing."),
        ("connected", False): ("peer.disconnected", f"{peer.name} is not connected to Syncthing any more."),
        ("paused", True): ("peer.paused", f"{peer.name} was paused in Syncthing."),
        ("paused", False): ("peer.resumed", f"{peer.name} was resumed in Syncthing."),
    }
    kind, message = kinds[aspect, _of(peer)[aspect]]
    return News(f"{device}:{aspect}", kind, message, detail={"device_id": device, "peer": peer.name})


def caught_up_mark(batch: Batch, device_id: str) -> str:
    """How it is remembered that this device was told to ask for nothing more of this batch."""
    return f"{batch.id}:{device_id}"


def tell_caught_up(
    conn: Connection, batches: list[Batch], device_id: str, peer: str, folder_id: str, index_updates: int
) -> None:
    """Tell that a peer asks for nothing more while these batches are delivered to it; remembers that it was told."""
    told = load(conn)
    for batch in batches:
        journal.record(
            conn,
            "peer.caught_up",
            f"{peer} asks for nothing more of the folder {folder_id}; whether it has each file of batch {batch.name} "
            "is proven next.",
            batch_id=batch.id,
            detail={"device_id": device_id, "peer": peer, "index_updates": index_updates},
        )
    marks = [caught_up_mark(batch, device_id) for batch in batches]
    told.caught_up = [*told.caught_up, *marks][-BATCHES_REMEMBERED:]
    _save(conn, told)


def tell_lost(conn: Connection, reason: str, poll_seconds: int) -> None:
    """Tell that Syncthing's events cannot be heard: once, until they are heard again or the reason is another."""
    told = load(conn)
    if told.lost == reason or not _may_tell(told, "syncthing"):
        return
    told.lost = reason
    message = f"Syncthing cannot be listened to: {reason} Deliveries are looked at every {poll_seconds} s meanwhile."
    _tell(conn, told, News("syncthing", "syncthing.lost", message, "warning"))
    _save(conn, told)


def tell_heard(conn: Connection) -> None:
    """Tell that Syncthing's events are heard again, when it was told that they were not."""
    told = load(conn)
    if not told.lost:
        return
    told.lost = ""
    _tell(conn, told, News("syncthing", "syncthing.found", "Syncthing is listened to again."))
    _save(conn, told)
