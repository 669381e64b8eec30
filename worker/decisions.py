"""Keeping what people decided about dates beside the archive too, soon after the rows have it."""

from __future__ import annotations

from app.errors import FileError, RootUnavailable
from app.files.decision_log import write_pending
from app.log import get_logger
from app.model import RootKind
from app.services import Services


def keep_decisions(services: Services) -> int:
    """Write what is not written yet, and return how many lines that were. While the archive is away, or has no room,
    it stays noted: the next tick tries again."""
    archives = services.roots.get(RootKind.ARCHIVE, ())
    try:
        return sum(write_pending(services.db, archive) for archive in archives)
    except (FileError, RootUnavailable) as error:
        get_logger().debug("decisions about dates cannot be written beside the archive now", why=str(error))
        return 0
