"""One run at work: it is claimed, takes its steps, and ends; every change of its row and its steps' rows is here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.db import batches, journal, root_waits, runs
from app.db.connection import Connection
from app.errors import Conflict, MediaPipelineError, RootUnavailable
from app.log import get_logger, working_on
from app.model import Batch, Report, Run, RunStatus, Stage, StepStatus, went_on_without
from app.pipeline.away import begin_waiting
from app.pipeline.step import STOPPING, StepContext, Stopped
from app.services import Services

StageFunction = Callable[[Services, StepContext], Report]

#: What a run in debug mode wishes after a step: a pause until someone resumes it.
DEBUG = "debug"

#: How a step ends for what its stage reported.
STEP_STATUS = {
    "done": StepStatus.DONE,
    "idle": StepStatus.SKIPPED,
    "waiting": StepStatus.WAITING,
    "blocked": StepStatus.WARNING,
    "failed": StepStatus.FAILED,
}
#: Step statuses after which a stage need not run again in the same run.
ENDED_WELL = (StepStatus.DONE, StepStatus.SKIPPED, StepStatus.WARNING)


class StepFailed(Exception):
    """A step failed, and with it the run; `str()` is the sentence for the user."""


class Waits(Exception):
    """A folder that a step needs is away, and the run waits for it."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(ending.message)


@dataclass(frozen=True)
class Ending:
    """How a run leaves the worker: DONE or WAITING, and why in one sentence."""

    status: RunStatus
    message: str
    level: str = "info"
    batch_id: int | None = None


def claim(services: Services, run_id: int) -> Run | None:
    """Take a queued run as one's own, under this configuration; None when it is not queued (any more).

    A message delivered twice, or to two workers, thus has one effect.
    """
    with services.db.transaction() as conn:
        run = runs.find(conn, run_id)
        if run is None or run.status is not RunStatus.QUEUED:
            return None
        if run.started_at is None:
            detail = {"config_revision": services.revision}
            message = f"Run {run.id} ({run.kind}) began."
            journal.record(conn, "run.started", message, run_id=run.id, batch_id=run.batch_id, detail=detail)
        root_waits.end(conn, run_id)
        return runs.change(conn, run, RunStatus.RUNNING, config_revision=services.revision, error=None)


def fail_run(services: Services, run_id: int, message: str) -> None:
    """End a run, and the step it is in, as failed. Does nothing to one that is neither running nor queued."""
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status not in (RunStatus.RUNNING, RunStatus.QUEUED):
            return
        for step in runs.list_steps(conn, run_id):
            if step.status is StepStatus.RUNNING:
                report = Report("failed", message, batch_id=step.batch_id)
                runs.end_step(conn, step.id, StepStatus.FAILED, report, message)
                words = f"{step.stage.capitalize()} failed: {message}"
                journal.record(conn, "step.failed", words, level="error", run_id=run_id, batch_id=step.batch_id)
        runs.change(conn, run, RunStatus.FAILED, error=message, wish=None)
        batches.drop_reserved_by(conn, run)
        words = f"Run {run_id} failed: {message}"
        journal.record(conn, "run.failed", words, level="error", run_id=run_id, batch_id=run.batch_id)


class Execution:
    """A claimed run in this process. Between two steps, and at safe points inside them, it heeds wishes."""

    def __init__(
        self, services: Services, run: Run, stopping: threading.Event, stages: Mapping[Stage, StageFunction]
    ) -> None:
        self.services = services
        self.run = run
        self._stopping = stopping
        self._stages = stages
        self._did_something = False

    def step(self, stage: Stage, batch_id: int | None = None) -> Report:
        """Run one stage as a step of this run and return its report.

        Raises Stopped when the run has to stop here, StepFailed when the stage failed, and Waits when it waits for a
        folder that is away.
        """
        self._heed_wishes()
        with self.services.db.transaction() as conn:
            step_id = runs.start_step(conn, self.run.id, stage, batch_id)
        context = StepContext(
            self.services, self.run.id, step_id, batch_id, self._stopping, self.run.arguments
        )
        wait = None
        try:
            report = self._work(stage, context)
        except Stopped:
            self._end_stopped(context)
            raise
        except Conflict as conflict:
            report = Report("blocked", str(conflict), batch_id=batch_id)
        except MediaPipelineError as error:
            wait = self.wait_for_root(error, batch_id) if isinstance(error, RootUnavailable) else None
            report = Report("failed", str(error), batch_id=batch_id, detail={"retryable": error.retryable})
        if wait is not None:
            report = Report("waiting", wait.message, batch_id=batch_id)
        # Steps that found nothing to do are not worth a pause, and a pause after each would lead to them again.
        self._did_something = self._did_something or report.outcome != "idle"
        self._end_step(stage, context, report)
        if report.outcome == "failed":
            raise StepFailed(report.message)
        if wait is not None:
            raise Waits(wait)
        return report

    def _work(self, stage: Stage, context: StepContext) -> Report:
        """Let the stage do its work; every line that is logged meanwhile says for which run, stage and batch."""
        with working_on(run_id=self.run.id, stage=stage.value, batch_id=context.batch_id):
            get_logger().info("the step begins")
            try:
                report = self._stages[stage](self.services, context)
            except (Stopped, MediaPipelineError) as error:
                get_logger().info("the step ends early", why=str(error))
                raise
            get_logger().info("the step ends", outcome=report.outcome, report=report.message)
        return report

    def wait_for_root(self, error: RootUnavailable, batch_id: int | None) -> Ending | None:
        """How the run ends when it waits for a folder that is away; None when it does not wait.

        The journal is told once of a folder that comes and goes.
        """
        wait = begin_waiting(self.services, self.run, error)
        if wait is None or not wait.times:
            with self.services.db.transaction() as conn:
                journal.record(conn, "root.unavailable", str(error), level="error", run_id=self.run.id,
                               batch_id=batch_id)
        return Ending(RunStatus.WAITING, wait.words, "warning", batch_id) if wait is not None else None

    def has_done(self, stage: Stage) -> bool:
        """Whether this run, in this or an earlier stint, has taken the stage's step to its end."""
        with self.services.db.reading() as conn:
            steps = runs.list_steps(conn, self.run.id)
        return any(s.stage is stage and s.status in ENDED_WELL for s in steps)

    def was_cut_off(self, stage: Stage) -> bool:
        """Whether the newest step of this stage in this run was stopped, or its worker killed, before its end."""
        with self.services.db.reading() as conn:
            steps = [s for s in runs.list_steps(conn, self.run.id) if s.stage is stage]
        return bool(steps) and steps[-1].status in (StepStatus.CANCELLED, StepStatus.RUNNING)

    def batch(self, batch_id: int) -> Batch | None:
        """The batch as it stands now, or None when it is gone."""
        with self.services.db.reading() as conn:
            return batches.find(conn, batch_id)

    def end(self, ending: Ending) -> None:
        """Leave the run done or waiting. Raises Stopped when it was cancelled in the last moment before a wait."""
        kind = "run.waited" if ending.status is RunStatus.WAITING else "run.finished"
        with self.services.db.transaction() as conn:
            run = runs.get(conn, self.run.id)
            if run.wish == "cancel" and ending.status is RunStatus.WAITING:
                raise Stopped("cancel")
            if ending.batch_id is not None:
                runs.attach_batch(conn, run.id, ending.batch_id)
            # A wish to pause outlives the wait: it is heeded when the run wakes up.
            wish = run.wish if ending.status is RunStatus.WAITING else None
            runs.change(conn, run, ending.status, wish=wish)
            batch_id = ending.batch_id or run.batch_id
            journal.record(conn, kind, ending.message, level=ending.level, run_id=run.id, batch_id=batch_id)

    def stop(self, wish: str) -> None:
        """Leave the run as it was wished: paused, cancelled, or queued for the next start of the worker."""
        status, kind, message = {
            "pause": (RunStatus.PAUSED, "run.paused", "was paused"),
            DEBUG: (RunStatus.PAUSED, "run.paused", "pauses after a step (workflow.debug.enabled)"),
            "cancel": (RunStatus.CANCELLED, "run.cancelled", "was cancelled"),
            STOPPING: (RunStatus.QUEUED, "run.interrupted", "stopped with the worker and goes on when it starts again"),
        }[wish]
        with self.services.db.transaction() as conn:
            run = runs.get(conn, self.run.id)
            runs.change(conn, run, status, wish=self._wish_kept(run, wish))
            if status is RunStatus.CANCELLED:
                batches.drop_reserved_by(conn, run)
            journal.record(conn, kind, f"Run {run.id} {message}.", run_id=run.id, batch_id=run.batch_id)

    @staticmethod
    def _wish_kept(run: Run, wish: str) -> str | None:
        if wish == DEBUG:
            return DEBUG
        return run.wish if wish == STOPPING else None

    def _heed_wishes(self) -> None:
        if self._stopping.is_set():
            raise Stopped(STOPPING)
        with self.services.db.reading() as conn:
            wish = runs.wish_of(conn, self.run.id)
        if wish is not None:
            raise Stopped(wish)
        debug = self.services.config.workflow.debug
        if self._did_something and debug.enabled and not debug.auto_advance:
            raise Stopped(DEBUG)

    def _end_step(self, stage: Stage, context: StepContext, report: Report) -> None:
        status = STEP_STATUS[report.outcome]
        if status is StepStatus.DONE and report.failures:
            status = StepStatus.WARNING
        if report.batch_id is None:
            report.batch_id = context.batch_id
        error = report.message if report.outcome == "failed" else None
        with self.services.db.transaction() as conn:
            if context.progress is not None:
                runs.progress(conn, context.step_id, *context.progress)
            runs.end_step(conn, context.step_id, status, report, error)
            runs.set_attempts(conn, self.run.id, 0)
            self._tell_of_trouble(conn, stage, report)

    def _tell_of_trouble(self, conn: Connection, stage: Stage, report: Report) -> None:
        run_id, batch_id = self.run.id, report.batch_id
        if report.outcome == "failed":
            words = f"{stage.capitalize()} failed: {report.message}"
            journal.record(conn, "step.failed", words, level="error", run_id=run_id, batch_id=batch_id)
        elif report.failures:
            first, files = report.failures[0], len(report.failures)
            words = went_on_without(stage, files, first.path, first.reason)
            detail = {"files": files}
            journal.record(
                conn, "step.limited", words, level="warning", run_id=run_id, batch_id=batch_id, detail=detail
            )

    def _end_stopped(self, context: StepContext) -> None:
        report = Report("done", "The step was stopped at a safe point.", batch_id=context.batch_id)
        with self.services.db.transaction() as conn:
            if context.progress is not None:
                runs.progress(conn, context.step_id, *context.progress)
            runs.end_step(conn, context.step_id, StepStatus.CANCELLED, report)


def wake(services: Services, run: Run, message: str) -> bool:
    """Queue a waiting or paused run again; False when another run is at work or the run changed meanwhile."""
    try:
        with services.db.transaction() as conn:
            runs.change(conn, run, RunStatus.QUEUED, wish=None if run.wish == DEBUG else run.wish)
            journal.record(conn, "run.resumed", message, run_id=run.id, batch_id=run.batch_id)
    except Conflict:
        return False
    return True
