"""A run at work, from its row to its end: the whole workflow in its order, or the stages that the run names.

A run of any kind but workflow takes the stages that it names, once each. All state is in rows, so a run that was
paused, cut off or woken simply begins again here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from app.db import date_sidecars
from app.errors import RootUnavailable
from app.model import BatchStatus, Report, RunKind, RunStatus, Stage
from app.pipeline import holding, order, pairing, preview, recording, sidecars, sync, undo, verify
from app.pipeline.execution import Ending, Execution, StageFunction, StepFailed, Waits, claim, fail_run
from app.pipeline.rebuild import run as rebuild
from app.pipeline.refile import run as refile
from app.pipeline.step import StepContext, Stopped
from app.services import Services


def undo_with_peer_kept(services: Services, step: StepContext) -> Report:
    """Taking a batch back; before a file leaves the batch folder, the peer is told to keep its copies. What held the
    files meanwhile goes when they are back, and so do the sidecars that we wrote beside them."""
    holding.adopt_unknown(services)
    with services.db.reading() as conn:
        described = date_sidecars.list_of_batch(conn, step.batch_id) if step.batch_id is not None else []
    report = undo.run(services, step, sync.retain_at_peer)
    sidecars.take_away_of_returned(services, step, described)
    holding.drop_finished(services)
    return report


#: Every stage that a run can name.
STAGES: Mapping[Stage, StageFunction] = {
    **order.STAGES,
    Stage.REBUILD: rebuild.run,
    Stage.PREVIEW: preview.run,
    Stage.UNDO: undo_with_peer_kept,
    Stage.VERIFY: verify.run,
    Stage.PAIRING: pairing.run,
    Stage.REFILE: refile,
    Stage.SIDECARS: sidecars.run,
    Stage.READ_DATES: recording.run,
}


def execute(services: Services, run_id: int, stopping: threading.Event) -> None:
    """Take a queued run as far as it goes now; a run that is not queued is left alone.

    Afterwards the run is done, waiting, failed, paused or cancelled, or queued again when `stopping` was set.
    Must be called under the mover's lock. Raises only what nobody foresaw; then the run is still running.
    """
    run = claim(services, run_id)
    if run is None:
        return
    execution = Execution(services, run, stopping, STAGES)
    try:
        execution.end(_take(execution))
    except Stopped as stopped:
        execution.stop(stopped.wish)
    except StepFailed as failed:
        fail_run(services, run.id, str(failed))


def let_wait(services: Services, run_id: int, error: RootUnavailable, stopping: threading.Event) -> bool:
    """Let a queued run wait for a folder without which it cannot even begin; False when it is to fail instead."""
    run = claim(services, run_id)
    if run is None:
        return True
    execution = Execution(services, run, stopping, STAGES)
    ending = execution.wait_for_root(error, run.batch_id)
    if ending is None:
        return False
    try:
        execution.end(ending)
    except Stopped as stopped:
        execution.stop(stopped.wish)
    return True


def _take(execution: Execution) -> Ending:
    try:
        return order.take_all(execution) if execution.run.kind is RunKind.WORKFLOW else _named_stages(execution)
    except Waits as waits:
        return waits.ending


def _named_stages(execution: Execution) -> Ending:
    run = execution.run
    message = "There was nothing to do."
    for stage in run.stages:
        if execution.has_done(stage):
            continue
        report = execution.step(stage, run.batch_id)
        message = report.message or message
        if report.outcome == "waiting":
            return Ending(RunStatus.WAITING, message, batch_id=run.batch_id or report.batch_id)
        if report.outcome == "blocked":
            raise StepFailed(message)
        if stage in (Stage.BATCH, Stage.SYNC) and _has_come_to_nothing(execution):
            return Ending(RunStatus.DONE, message, "warning")
    return Ending(RunStatus.DONE, message)


def _has_come_to_nothing(execution: Execution) -> bool:
    """Whether the batch that the run is to carry ended early: nothing is left of it to deliver or to sort."""
    batch_id = execution.run.batch_id
    built = execution.batch(batch_id) if batch_id is not None else None
    return built is not None and built.status is BatchStatus.CANCELLED
