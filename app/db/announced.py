"""Which of Syncthing's folders a batch was announced through, and where Syncthing was told to ignore it since."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import facts


class Hidden(NamedTuple):
    """The line of a folder's ignore list that hides a batch."""

    folder_id: str
    line: str


def note_folder(conn: Connection, batch_id: int, folder_id: str) -> None:
    """Remember that the batch was announced through this folder too."""
    known = list_folders(conn, batch_id)
    if folder_id not in known:
        facts.put(conn, f"announced:{batch_id}", json.dumps([*known, folder_id]))


def list_folders(conn: Connection, batch_id: int) -> list[str]:
    """The folders that the batch was announced through; none when that is not known."""
    return [str(folder_id) for folder_id in json.loads(facts.find(conn, f"announced:{batch_id}") or "[]")]


def note_hidden(conn: Connection, batch_id: int, hidden: Hidden) -> None:
    """Remember the line that hides the batch, before it is written."""
    facts.put(conn, f"hidden:{batch_id}", json.dumps(hidden))


def find_hidden(conn: Connection, batch_id: int) -> Hidden | None:
    """The line that hides the batch, or None when none was written for it."""
    text = facts.find(conn, f"hidden:{batch_id}")
    return Hidden(*json.loads(text)) if text else None
