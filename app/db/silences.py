"""What has been silent for too long: since when, and when that was told last. One JSON value in the facts table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from app.db import facts

SILENCES = "silences"
PEERS_SEEN = "peers_seen"


@dataclass(frozen=True)
class Silence:
    """One thing that is silent. `subject` tells it from others; `told_at` is when the journal last got it."""

    subject: str
    kind: str
    since: str
    message: str
    told_at: str


def list_all(conn: Connection) -> list[Silence]:
    """Everything that is silent for too long now, as the last look found it."""
    return [Silence(**kept) for kept in json.loads(facts.find(conn, SILENCES) or "[]")]


def replace_all(conn: Connection, found: list[Silence]) -> None:
    """From now on this is what is silent."""
    facts.put(conn, SILENCES, json.dumps([asdict(silence) for silence in found]))


def peers_seen(conn: Connection) -> dict[str, dict[str, str]]:
    """By device ID: `name`, and `seen_at`, when it was last connected or, if it never was, first looked for."""
    return dict(json.loads(facts.find(conn, PEERS_SEEN) or "{}"))


def note_peers(conn: Connection, seen: dict[str, dict[str, str]]) -> None:
    """Replace what is known of when each required peer was last seen."""
    facts.put(conn, PEERS_SEEN, json.dumps(seen))
