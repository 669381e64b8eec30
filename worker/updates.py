"""Tells that another version of the program runs than the last time."""

from __future__ import annotations

from app import __version__
from app.db import facts, journal
from app.services import Services

PROGRAM_VERSION = "program_version"


def note_version(services: Services) -> None:
    """Write down which version runs, and tell when it is another one."""
    with services.db.transaction() as conn:
        before = facts.find(conn, PROGRAM_VERSION)
        if before == __version__:
            return
        facts.put(conn, PROGRAM_VERSION, __version__)
        if before is not None:
            message = f"Media Pipeline {__version__} runs now; it was {before}."
            journal.record(conn, "program.updated", message, detail={"from": before, "to": __version__})
