"""One run carried through its waits by a process of its own: what a command does when no service is running."""

from __future__ import annotations

import os
import threading

from app.db import runs
from app.model import RunKind, RunStatus
from app.pipeline import pairing
from app.pipeline.execution import wake
from app.services import ServiceContainer


def wait_over(container: ServiceContainer, run_id: int, stopping: threading.Event) -> bool:
    """Look at the peer until a waiting pairing test has something to do, and queue its run; True when it is queued.

    False when there is nothing to wait for, when somebody else carries the run on, and when this process is to stop or
    the one that started it is gone. Needs no mover's lock, so that a service may start meanwhile.
    """
    asker = os.getppid()
    while os.getppid() == asker and not stopping.wait(pairing.LOOK_EVERY_SECONDS):
        services = container.services
        with services.db.reading() as conn:
            run = runs.get(conn, run_id)
        if run.kind is not RunKind.PAIRING or run.status is not RunStatus.WAITING:
            return run.status is RunStatus.QUEUED
        pairing.look_when_due(services)
        if pairing.may_go_on(services, run_id):
            return wake(services, run, f"Run {run_id} goes on; its wait is over.")
    return False
