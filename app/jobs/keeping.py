"""Keeping what people decided about dates beside the archive too, so that it outlives the database."""

from __future__ import annotations

from app.db import decision_notes
from app.errors import FileError, MoverBusy, RootUnavailable
from app.files.decision_log import write_pending
from app.files.lock import mover_lock
from app.log import get_logger
from app.model import RootKind
from app.services import Services


def keep_decisions(services: Services) -> str:
    """Write what is not written yet; returns why something still is not, and "" when all is. It stays noted then: the
    next run, and the worker every few seconds, tries again.

    One process at a time: of two that write about one content, the older line might come last.
    """
    with services.db.reading() as conn:
        if not decision_notes.has_pending(conn):
            return ""
    try:
        with mover_lock(services.state_dir):
            for archive in services.roots.get(RootKind.ARCHIVE, ()):
                write_pending(services.db, archive)
    except (FileError, RootUnavailable, MoverBusy) as error:
        get_logger().debug("decisions about dates cannot be written beside the archive now", why=str(error))
        return str(error)
    return ""
