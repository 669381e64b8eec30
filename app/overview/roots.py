"""Free room and faults of every root, without ever hanging a page on a share that does not answer.

Each root is looked at in a thread of its own. A page waits a moment for the answer; a look that takes longer is
shown as a fault, and its answer is used when it comes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.db import facts
from app.db.migrate import DATABASE_ID
from app.errors import RootUnavailable, printable
from app.files.roots import check_root
from app.model import Root, RootKind
from app.services import Services

#: How long an answer is used before the root is looked at again.
KEEP_SECONDS = 5.0
#: How long a page waits for a root that has not been looked at yet.
WAIT_SECONDS = 0.5


@dataclass
class _Look:
    """The last answer about one root, and the thread that is asking again."""

    answer: dict[str, Any] | None = None
    answered_at: float = float("-inf")
    asking: threading.Thread | None = field(default=None, repr=False)


_looks: dict[tuple[bytes, str], _Look] = {}
_lock = threading.Lock()


def look_at_roots(roots: Iterable[Root], database_id: str) -> list[dict[str, Any]]:
    """One entry per root: kind, path, free_bytes, total_bytes and `fault` (a sentence, or None when all is well)."""
    found = list(roots)
    threads = [_ask(root, database_id) for root in found]
    until = time.monotonic() + WAIT_SECONDS
    for thread in threads:
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
    return [_entry(root) for root in found]


def _entry(root: Root) -> dict[str, Any]:
    answer = _answer(root)
    shown = {name: answer[name] for name in ("free_bytes", "total_bytes", "fault")}
    return {"id": root.id, "kind": root.kind.value, "path": printable(root.path), **shown}


def disks_of(roots: Iterable[Root]) -> dict[int, int]:
    """By root id, the number of the disk that it lies on, as far as earlier looks have told."""
    found = {root.id: _answer(root).get("device") for root in roots}
    return {root_id: device for root_id, device in found.items() if device is not None}


def folders_away(services: Services) -> list[str]:
    """A sentence for each folder without which no work can be done. A delivery waits for its own by itself."""
    with services.db.reading() as conn:
        database_id = facts.find(conn, DATABASE_ID) or ""
    needed = [root for of_kind in services.roots.values() for root in of_kind if root.kind is not RootKind.DELIVERY]
    return [in_words(look) for look in look_at_roots(needed, database_id) if look["fault"]]


def in_words(look: dict[str, Any]) -> str:
    """What is wrong with a root, from its entry in `look_at_roots`."""
    return f"The {look['kind']} folder {look['path']} cannot be used: {look['fault']}."


def forget() -> None:
    """Forget every answer, so that the next page looks afresh; for use after folders were set up."""
    with _lock:
        _looks.clear()


def _ask(root: Root, database_id: str) -> threading.Thread | None:
    with _lock:
        look = _looks.setdefault((root.path, root.marker_id), _Look())
        if look.asking is not None and look.asking.is_alive():
            return look.asking
        if time.monotonic() - look.answered_at < KEEP_SECONDS:
            return None
        look.asking = threading.Thread(target=_store, args=(look, root, database_id), daemon=True)
        look.asking.start()
        return look.asking


def _store(look: _Look, root: Root, database_id: str) -> None:
    answer = inspect_root(root, database_id)
    with _lock:
        look.answer, look.answered_at = answer, time.monotonic()


def _answer(root: Root) -> dict[str, Any]:
    with _lock:
        look = _looks.get((root.path, root.marker_id), _Look())
        silent = look.asking is not None and look.asking.is_alive()
        if look.answer is not None and not silent:
            return look.answer
    return {"free_bytes": None, "total_bytes": None, "fault": "it does not answer; is the share mounted?"}


def inspect_root(root: Root, database_id: str) -> dict[str, Any]:
    """Free room of a root, its disk, and what is wrong with it, if anything. May take long, as file systems do."""
    try:
        check_root(root, database_id)
        room, device = os.statvfs(root.path), os.stat(root.path).st_dev
    except RootUnavailable as error:
        return {"free_bytes": None, "total_bytes": None, "fault": error.reason}
    except OSError as error:
        return {"free_bytes": None, "total_bytes": None, "fault": error.strerror}
    free, total = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    return {"free_bytes": free, "total_bytes": total, "fault": None, "device": device}
