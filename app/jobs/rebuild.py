"""Asking for a rebuild, and giving the person's word that what it found is right."""

from __future__ import annotations

from app.db import confirmation, journal, moves, rebuild_entries, rebuild_files, runs
from app.db.clock import now
from app.errors import Conflict, RunInProgress
from app.jobs.control import resume
from app.jobs.requests import request_run
from app.model import Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services


def start_rebuild(services: Services, trigger: Trigger) -> Run:
    """Ask for the rebuild that the database was prepared for; one that is held up goes on instead.

    Raises Conflict when it was not prepared, RunInProgress when another run is in flight.
    """
    with services.db.reading() as conn:
        if confirmation.awaited_since(conn) is None:
            raise Conflict("The database was not prepared for a rebuild; `media-pipeline rebuild` says what to do.")
        busy = runs.find_in_flight(conn)
    if busy is not None and busy.kind is RunKind.REBUILD:
        return resume(services, busy.id) if busy.status is RunStatus.PAUSED else busy
    message = "A rebuild from the manifests and the folders was asked for."
    return request_run(services, RunKind.REBUILD, trigger, [Stage.REBUILD], message)


def start_comparison(services: Services, trigger: Trigger) -> Run:
    """Ask for rows to be put right where they differ from the disk; until that is confirmed, nothing moves.

    Raises RunInProgress while another run is in flight, and Conflict while moves that were cut off wait for their end.
    """
    with services.db.transaction() as conn:
        busy = runs.find_in_flight(conn)
        if busy is not None and busy.kind is not RunKind.REBUILD:
            raise RunInProgress(busy.id, busy.status)
        if confirmation.awaited_since(conn) is None:
            if moves.has_open(conn):
                raise Conflict("Moves that were cut off are not finished yet; start the worker, then try again.")
            confirmation.require(conn, now(), confirmation.COMPARED)
            words = "The rows are compared with every manifest and every file; nothing moves until that is confirmed."
            detail = {"cause": confirmation.COMPARED, "kept_aside": None}
            journal.record(conn, "rebuild.started", words, level="warning", detail=detail)
    return start_rebuild(services, trigger)


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
