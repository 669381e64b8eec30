"""The last pairing test, kept as one JSON value in the facts table."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from app.db import facts
from app.model.pairing import PairingState, PairingTest

PAIRING_TEST = "pairing_test"


def find(conn: Connection) -> PairingTest | None:
    """The last pairing test, or None when none was made."""
    text = facts.find(conn, PAIRING_TEST)
    if not text:
        return None
    kept = json.loads(text)
    kept.pop("file", None)
    return PairingTest(**{**kept, "state": PairingState(kept["state"])})


def save(conn: Connection, test: PairingTest) -> None:
    """Replace what is known of the last pairing test."""
    facts.put(conn, PAIRING_TEST, json.dumps(test.as_json()))
