"""After a worker was cut off: its open moves are finished or undone, its run is queued again.

Only the process that holds the mover's lock may call these: then nobody else moves files or executes runs.
"""

from __future__ import annotations

from app.db import confirmation, journal, runs
from app.db.connection import Connection
from app.files.recover import recover
from app.log import get_logger
from app.model import Report, Run, RunStatus, StepStatus
from app.pipeline.execution import fail_run
from app.services import Services

#: A run that is cut off this often without ending one step is given up.
MAX_ATTEMPTS = 10


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
    for step in runs.list_steps(conn, run.id):
        if step.status is StepStatus.RUNNING:
            report = Report("done", "The worker was cut off in this step.", batch_id=step.batch_id)
            runs.end_step(conn, step.id, StepStatus.CANCELLED, report)
    runs.change(conn, run, RunStatus.QUEUED, attempts=run.attempts + 1)
    message = f"Run {run.id} was cut off and goes on from where it was."
    journal.record(conn, "run.interrupted", message, level="warning", run_id=run.id, batch_id=run.batch_id)
