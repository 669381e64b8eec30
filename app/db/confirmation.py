"""The person's word after a rebuild: until it is given nothing moves, whoever asks.

What asks is many; so the word is asked for where every run takes its slot and where every move writes its intent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from app.db import facts
from app.errors import Conflict
from app.model import RunKind

#: The fact that is there, and not empty, while a person has yet to look at what a rebuild found.
UNCONFIRMED = "rebuild_unconfirmed"
#: The fact that holds what the last rebuild found, as JSON.
REPORT = "rebuild_report"
#: The fact that says why: the rows were "rebuilt", or "restored" from a backup, or only "compared" with the disk.
CAUSE = "rebuild_cause"

#: The fact that says when rows were last lost: what was delivered of batches made before may be known no more.
FORGOTTEN = "rows_lost_at"

REBUILT, RESTORED, COMPARED = "rebuilt", "restored", "compared"

#: These look and write rows; they move nothing.
HARMLESS_KINDS = (RunKind.PREVIEW, RunKind.VERIFY, RunKind.REBUILD)

WORDS = {
    REBUILT: "was made anew from the folders",
    RESTORED: "was restored from a backup",
    COMPARED: "was to be compared with the folders",
}


def require(conn: Connection, at: str, cause: str) -> None:
    """From now on nothing moves until `give`; what an earlier rebuild reported is forgotten."""
    facts.put(conn, UNCONFIRMED, at)
    facts.put(conn, CAUSE, cause)
    facts.put(conn, REPORT, "")
    if cause != COMPARED:
        facts.put(conn, FORGOTTEN, at)


def lost_at(conn: Connection) -> str | None:
    """When rows were last made anew or restored, and with that proofs of deliveries lost; None when never."""
    return facts.find(conn, FORGOTTEN)


def give(conn: Connection) -> None:
    """The person has looked: files may move again."""
    facts.put(conn, UNCONFIRMED, "")


def awaited_since(conn: Connection) -> str | None:
    """Since when a confirmation is awaited; None when none is."""
    return facts.find(conn, UNCONFIRMED) or None


def cause(conn: Connection) -> str:
    """Why a person is asked: REBUILT, RESTORED or COMPARED."""
    return facts.find(conn, CAUSE) or REBUILT


def sentence(conn: Connection) -> str | None:
    """What is awaited and how to give it, for people; None when nothing is."""
    at = awaited_since(conn)
    if at is None:
        return None
    happened = f"The database {WORDS[cause(conn)]} at {at[:19].replace('T', ' ')} UTC"
    if report(conn) is None:
        return f"{happened}, and its rows are not checked to their end; `media-pipeline rebuild` goes on with that."
    return (
        f"{happened}. Look at what was found (`media-pipeline rebuild --report`) and confirm it "
        "(`media-pipeline rebuild --confirm`); until then nothing moves."
    )


def refuse_run(conn: Connection, kind: RunKind) -> None:
    """Raise Conflict for a run that might move files while a confirmation is awaited."""
    if kind not in HARMLESS_KINDS:
        refuse_move(conn)


def refuse_move(conn: Connection) -> None:
    """Raise Conflict while a confirmation is awaited."""
    awaited = sentence(conn)
    if awaited is not None:
        raise Conflict(awaited)


def begin_rebuild(conn: Connection) -> None:
    """A rebuild sets out: what an earlier one reported may not be confirmed any more.

    Raises Conflict when no confirmation is awaited: rows would be rewritten and files move without anybody's word.
    """
    refuse_rebuild(conn)
    facts.put(conn, REPORT, "")


def refuse_rebuild(conn: Connection) -> None:
    """Raise Conflict unless a confirmation is awaited."""
    if awaited_since(conn) is None:
        raise Conflict(
            "What an earlier rebuild found is confirmed, and files may move; `media-pipeline rebuild --compare` begins "
            "a new one."
        )


def note_report(conn: Connection, found: Mapping[str, Any]) -> None:
    """Keep what the rebuild found; only now may it be confirmed."""
    facts.put(conn, REPORT, json.dumps(dict(found)))


def report(conn: Connection) -> dict[str, Any] | None:
    """What the last rebuild found; None when there was none, or it is not finished."""
    text = facts.find(conn, REPORT)
    if not text:
        return None
    found: dict[str, Any] = json.loads(text)
    return found
