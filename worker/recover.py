"""After a worker was cut off: its open moves are finished or undone, its run is queued again.

Only the process that holds the mover's lock may call these: then nobody else moves files or executes runs.
"""

from __future__ import annotations

from app.db import confirmation, heartbeat, journal, runs
from app.db.connection import Connection
from app.files.recover import recover
from app.log import get_logger
from app.model import Report, Run, RunStatus, StepStatus
from app.model.instants import instant_in_words
from app.pipeline.execution import fail_run
from app.services import Services

#: A run that is cut off this often without ending one step is given up.
MAX_ATTEMPTS = 10


def tell_cut_off(services: Services) -> None:
    """Write down that the worker before this one ended without signing off, when it was last seen, and what it left.

    To be called once at a start, before the runs that it left are queued again.
    """
    with services.db.transaction() as conn:
        seen = heartbeat.find(conn)
        if not seen:
            return
        interrupted = runs.list_by_status(conn, [RunStatus.RUNNING])
        left = " ".join(f"Run {run.id} was cut off{_where(conn, run)} and is taken up again." for run in interrupted)
        words = f"The worker is back. It was killed or lost, last seen {instant_in_words(seen)}."
        journal.record(conn, "worker.cut_off", f"{words} {left or 'No run was at work.'}", level="warning",
                       run_id=interrupted[0].id if interrupted else None,
                       detail={"last_seen_at": seen, "runs": [run.id for run in interrupted]})  # fmt: skip


def _where(conn: Connection, run: Run) -> str:
    begun = [step for step in runs.list_steps(conn, run.id) if step.status is StepStatus.RUNNING]
    return f" in {begun[-1].stage}" if begun else ""


def recover_files(services: Services) -> bool:
    """Finish or undo every move that was cut off, from the facts on disk. Raises RootUnavailable, StateError.

    False while a rebuild waits to be confirmed: until then no file is touched.
    """
    with services.db.reading() as conn:
        if confirmation.awaited_since(conn) is not None:
            return False
    report = recover(services.db)
    get_logger().info("moves that were cut off are recovered", report=str(report))
    return True


def requeue_interrupted(services: Services) -> list[int]:
    """Queue every run again that is marked running; one that never gets through a step fails. Returns their ids."""
    with services.db.reading() as conn:
        interrupted = runs.list_by_status(conn, [RunStatus.RUNNING])
    requeued = []
    for run in interrupted:
        if run.attempts + 1 >= MAX_ATTEMPTS:
            times = f"the worker was cut off {MAX_ATTEMPTS} times in a row in the same step"
            fail_run(services, run.id, f"Given up: {times}; see its log, then retry the run.")
            continue
        with services.db.transaction() as conn:
            _requeue(conn, run)
        requeued.append(run.id)
    return requeued


def _requeue(conn: Connection, run: Run) -> None:
    where = _where(conn, run)
    for step in runs.list_steps(conn, run.id):
        if step.status is StepStatus.RUNNING:
            report = Report("done", "The worker was cut off in this step.", batch_id=step.batch_id)
            runs.end_step(conn, step.id, StepStatus.CANCELLED, report)
    runs.change(conn, run, RunStatus.QUEUED, attempts=run.attempts + 1)
    message = f"Run {run.id} was cut off{where} and goes on from where it was."
    journal.record(conn, "run.interrupted", message, level="warning", run_id=run.id, batch_id=run.batch_id)
