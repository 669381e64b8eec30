"""Asking for a rebuild, and giving the person's word that what it found is right."""

from __future__ import annotations

from app.db import confirmation, journal, rebuild_entries, rebuild_files, runs
from app.errors import Conflict
from app.jobs.control import resume
from app.jobs.requests import request_run
from app.model import Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services


def start_rebuild(services: Services, trigger: Trigger) -> Run:
    """Ask for rows to be compared with manifests and disk; a rebuild that is held up goes on instead.

    Raises Conflict when the database was not prepared for it, RunInProgress when another run is in flight.
    """
    with services.db.reading() as conn:
        if confirmation.awaited_since(conn) is None:
            raise Conflict(
                "The database is in use and no rebuild was prepared. Stop the service; then `media-pipeline rebuild` "
                "says what can be done."
            )
        busy = runs.find_in_flight(conn)
    if busy is not None and busy.kind is RunKind.REBUILD:
        return resume(services, busy.id) if busy.status is RunStatus.PAUSED else busy
    message = "A rebuild from the manifests and the folders was asked for."
    return request_run(services, RunKind.REBUILD, trigger, [Stage.REBUILD], message)


def confirm_rebuild(services: Services) -> None:
    """Files may move again. Raises Conflict when nothing is to be confirmed, or the rebuild has not ended."""
    with services.db.transaction() as conn:
        if confirmation.awaited_since(conn) is None:
            raise Conflict("There is nothing to confirm: no rebuild is waiting for it.")
        busy = runs.find_in_flight(conn)
        if confirmation.report(conn) is None or (busy is not None and busy.kind is RunKind.REBUILD):
            raise Conflict("The rebuild has not ended; `media-pipeline rebuild` goes on with it.")
        confirmation.give(conn)
        rebuild_files.forget_plain(conn)
        rebuild_entries.forget_found(conn)
        journal.record(conn, "rebuild.confirmed", "What the rebuild found was confirmed; files may move again.")
