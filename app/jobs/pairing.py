"""Asking for a pairing test."""

from __future__ import annotations

from app.db import pairing_tests, runs
from app.errors import BadRequest, RunInProgress
from app.jobs.requests import request_run
from app.model import Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services

MESSAGE = "A pairing test was asked for: a small file goes to the peer, and out of the folder again."


def start_pairing_test(services: Services, trigger: Trigger) -> Run:
    """Ask for a small file to be sent to every required peer, proven there, and removed again.

    Raises BadRequest when nothing is delivered through Syncthing, and RunInProgress while another run is at work or
    a pairing test still waits for the peer.
    """
    if services.config.sync_target != "syncthing":
        raise BadRequest("A pairing test needs sync.target: syncthing; nothing is delivered through Syncthing now.")
    run = find_waiting_test(services)
    if run is not None:
        raise RunInProgress(run.id, run.status)
    return request_run(services, RunKind.PAIRING, trigger, (Stage.PAIRING,), MESSAGE)


def find_waiting_test(services: Services) -> Run | None:
    """The run of the pairing test that still waits for the peer, or None."""
    with services.db.reading() as conn:
        last = pairing_tests.find(conn)
        run = runs.find(conn, last.run_id) if last is not None else None
    return run if run is not None and run.status is RunStatus.WAITING else None
