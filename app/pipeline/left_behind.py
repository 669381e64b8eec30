"""What comes to lie in the folder of a batch that has ended: told by name, also when no run takes place any more.

A peer may change a file after it was archived, and in a folder that both sides write to, the change comes here. It may
be the only copy of that change: nothing removes it.
"""

from __future__ import annotations

import os

from app.db import batches, confirmation, facts, kept_copies, left_in_place, runs
from app.db.clock import later, now
from app.errors import RootUnavailable
from app.files.roots import check_roots
from app.files.walk import list_names
from app.model import Root, RootKind
from app.pipeline.finished_folders import ENDED
from app.pipeline.kept_edits import look_at_some
from app.pipeline.orphans import list_unknown, note, with_reasons
from app.pipeline.peer_edits import EDITED
from app.services import Services

LOOK_EVERY_SECONDS = 60
LOOKED_AT = "left_behind_looked_at"


def look_when_due(services: Services) -> None:
    """The tick's part: about once a minute, while no run moves files."""
    with services.db.reading() as conn:
        last = facts.find(conn, LOOKED_AT)
        is_busy = runs.find_in_flight(conn) is not None or confirmation.awaited_since(conn) is not None
    if is_busy or (last is not None and last > later(-LOOK_EVERY_SECONDS)):
        return
    try:
        tell_left_behind(services, None)
    except (RootUnavailable, OSError):
        return  # the folder is away, of which others tell; the next tick tries again


def tell_left_behind(services: Services, run_id: int | None) -> list[bytes]:
    """Note what lies in such folders and no row knows, tell of what is new, and forget what is gone; returns the paths.

    In folders in which copies are kept on purpose these copies alone are looked at, some at a time; the rest is left to
    the clean-up of everything. Raises RootUnavailable, and OSError when the disk gives no answer.
    """
    root = services.root(RootKind.BATCH)
    check_roots(services.db, [root])
    ended = _ended(services, root)
    there = [name for name in list_names(root, b"") if name in ended]
    unknown = list(list_unknown(services, root, there)) if there else []
    listed = with_reasons(services, root, unknown, there) if there else []
    paths = [path for path, _ in listed]
    edited, unchanged = look_at_some(services, root)
    with services.db.transaction() as conn:
        facts.put(conn, LOOKED_AT, now())
        before = {path for path in left_in_place.paths_of(conn, root.id) if path.partition(b"/")[0] in ended}
        left_in_place.forget(conn, root.id, [*sorted(before - set(paths)), *unchanged])
        note(conn, root, [*listed, *((path, EDITED) for path in edited)], run_id)
    return [*paths, *edited]


def _ended(services: Services, root: Root) -> set[bytes]:
    """The names of batches that have ended, without those whose copies are kept in the batch folder."""
    with services.db.reading() as conn:
        ended = {os.fsencode(batch.name) for batch in batches.list_by_status(conn, ENDED)}
        return ended - {path.partition(b"/")[0] for _, path in kept_copies.list_places(conn, root.id)}
