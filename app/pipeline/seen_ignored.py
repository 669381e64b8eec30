"""How far looks have come in seeing that Syncthing ignores a batch, file by file.

Each look has its time; the next one goes on where it was over, as long as nothing has changed on which the earlier
ones rest: the folder, its ignore list to the letter, and the files that are asked for.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db import facts
from app.pipeline import turns
from app.services import Services
from app.syncthing import ignores, troubles
from app.syncthing.client import SyncthingClient
from app.syncthing.troubles import Trouble


@dataclass(frozen=True)
class Hidden:
    """A batch that is on the ignore list, all of whose lines are in `lines`; `files` are paths in batch_dir with their
    names in the folder, and `announced` those that a peer may have."""

    batch_id: int
    folder_id: str
    line: str
    lines: Sequence[str]
    files: Sequence[tuple[bytes, str]]
    announced: Collection[bytes]

    def digest(self) -> str:
        """Another one when anything of it is another."""
        named = [name.encode("utf-8", "surrogateescape") for name in (self.folder_id, self.line, *self.lines)]
        parts = [*named, b"", *(path for path, _ in self.files), b"", *sorted(self.announced)]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def see_ignored(services: Services, client: SyncthingClient, hidden: Hidden) -> Trouble | None:
    """Ask for each file; None when every one of them was seen to be ignored, a trouble when the time was over before.

    Raises SyncthingError for a file that is not ignored.
    """
    start, ends_at = _position(services, hidden), time.monotonic() + turns.ASK_SECONDS
    left = hidden.files[start:]
    views = client.files(hidden.folder_id, [name for _, name in left])
    for number, ((path, _), view) in enumerate(zip(left, views, strict=True), start=1):
        ignores.require_kept(view, path, hidden.folder_id, hidden.line, path in hidden.announced)
        if number < len(left) and time.monotonic() >= ends_at:
            _remember(services, hidden, start + number)
            return troubles.slow_answers(number, len(left))
    if start:
        _remember(services, hidden, 0)
    return None


def _position(services: Services, hidden: Hidden) -> int:
    with services.db.reading() as conn:
        known = facts.find(conn, _name(hidden))
    digest, number = json.loads(known) if known else ("", 0)
    return int(number) if digest == hidden.digest() else 0


def _remember(services: Services, hidden: Hidden, number: int) -> None:
    with services.db.transaction() as conn:
        facts.put(conn, _name(hidden), json.dumps([hidden.digest(), number]))


def _name(hidden: Hidden) -> str:
    return f"seen_ignored:{hidden.batch_id}"
