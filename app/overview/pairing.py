"""The last pairing test, as the API, the pages and the CLI show it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from app.db import pairing_tests, runs
from app.db.connection import Connection
from app.model.pairing import ENDED_EARLY, UNDER_WAY, PairingTest

NONE_YET = "No pairing test was made yet. It sends a small file to the peer before any photo goes there."
LEFT = "The test ended early; its file leaves the folder with the next cleanup, or the next test."


def pairing_overview(conn: Connection) -> dict[str, Any]:
    """`state` is none, sending, releasing, arrived, passed, cancelled or failed; `detail` says it in one sentence."""
    test = pairing_tests.find(conn)
    if test is None:
        nothing = dict.fromkeys(field.name for field in fields(PairingTest))
        return {**nothing, "state": "none", "detail": NONE_YET, "confirmed": {}, "file": None}
    found = test.as_json()
    run = runs.find(conn, test.run_id)
    if test.state in UNDER_WAY and run is not None and run.status in ENDED_EARLY:
        found["state"] = ENDED_EARLY[run.status].value
        found["detail"] = f"{run.error} {LEFT}" if run.error else LEFT
    return found
