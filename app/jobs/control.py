"""Steering a run: pause, resume, cancel. A running run reads these wishes at its next safe point."""

from __future__ import annotations

from app.db import batches, journal, runs
from app.errors import IllegalTransition
from app.jobs.wake import wake_worker
from app.model import Run, RunStatus
from app.services import Services

PAUSE = "pause"
CANCEL = "cancel"

ONLY_PAUSED = "only one that has not ended, and is not being cancelled, can be paused"
ONLY_RESUMED = "only one that is paused or waiting can go on"


def pause(services: Services, run_id: int) -> Run:
    """Hold a run: at once when it is queued, at the next safe point when it works, on waking up when it waits.

    Raises NotFound, and IllegalTransition when the run has ended or is being cancelled.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status is RunStatus.QUEUED:
            journal.record(conn, "run.paused", f"Run {run.id} was paused.", run_id=run.id, batch_id=run.batch_id)
            return runs.change(conn, run, RunStatus.PAUSED, wish=None)
        if run.status not in (RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED) or run.wish == CANCEL:
            raise IllegalTransition(f"Run {run.id}", _standing(run), RunStatus.PAUSED, ONLY_PAUSED)
        runs.ask(conn, run.id, PAUSE if run.status is not RunStatus.PAUSED else None)
        return runs.get(conn, run.id)


def _standing(run: Run) -> str:
    return "being cancelled" if run.wish == CANCEL else run.status


def resume(services: Services, run_id: int) -> Run:
    """Let a paused run go on, take a wish to pause back, or look now at what a waiting run waits for.

    Raises NotFound, IllegalTransition when the run has ended, RunInProgress when a waiting run finds another at work.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status in (RunStatus.PAUSED, RunStatus.WAITING):
            run = runs.change(conn, run, RunStatus.QUEUED, wish=None)
            journal.record(conn, "run.resumed", f"Run {run.id} goes on.", run_id=run.id, batch_id=run.batch_id)
        elif run.wish == PAUSE:
            runs.ask(conn, run.id, None)
            run = runs.get(conn, run.id)
        else:
            raise IllegalTransition(f"Run {run.id}", _standing(run), RunStatus.RUNNING, ONLY_RESUMED)
    if run.status is RunStatus.QUEUED:
        wake_worker(services, run.id)
    return run


def cancel(services: Services, run_id: int) -> Run:
    """End a run: at once when it does not work just now, else at its next safe point.

    What it has done stays done; its batch stays as it is and can be carried on by a later run.
    Raises NotFound, and IllegalTransition when the run has ended.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status is RunStatus.RUNNING:
            runs.ask(conn, run.id, CANCEL)
            return runs.get(conn, run.id)
        run = runs.change(conn, run, RunStatus.CANCELLED, wish=None)
        batches.drop_reserved_by(conn, run)
        journal.record(conn, "run.cancelled", f"Run {run.id} was cancelled.", run_id=run.id, batch_id=run.batch_id)
        return runs.get(conn, run.id)
