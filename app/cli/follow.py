"""Following a run: a bar while a step works, its report when it ends, until the run ends or waits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app import jobs
from app.cli.context import Cli
from app.db import runs
from app.errors import StateError
from app.model import Run, RunStatus, Step, StepStatus
from app.overview.runs import run_with_steps, step_summary

LOOK_EVERY_SECONDS = 0.3
#: How long a queued run may stand before the command line looks for a worker again.
PATIENCE_SECONDS = 10.0
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)
RESTING = (*ENDED, RunStatus.WAITING, RunStatus.PAUSED)


def follow_run(cli: Cli, run: Run) -> int:
    """Show a run until it ends, waits for a delivery, or is paused; returns the exit code.

    When no worker runs, one is started for just this run; it is stopped with this program.
    """
    own_worker = None if jobs.worker_alive(cli.services) else _start_worker(cli, run)
    try:
        run = _watch(cli, run, own_worker)
    except KeyboardInterrupt:
        cli.say(f"No longer following run {run.id}." + ("" if own_worker else " It goes on in the worker."))
        raise
    finally:
        _stop_worker(own_worker)
    return _finish(cli, run)


def _start_worker(cli: Cli, run: Run) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MEDIA_PIPELINE_CONFIG": cli.config_path}
    command = [sys.executable, "-m", "worker", "--run", str(run.id)]
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.Popen(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def _stop_worker(own_worker: subprocess.Popen[bytes] | None) -> None:
    if own_worker is None:
        return
    if own_worker.poll() is None:
        own_worker.terminate()
    own_worker.communicate()


def _watch(cli: Cli, run: Run, own_worker: subprocess.Popen[bytes] | None) -> Run:
    display = _Display(cli)
    with display.progress:
        while True:
            worker_ended = own_worker is not None and own_worker.poll() is not None
            with cli.services.db.reading() as conn:
                run = runs.get(conn, run.id)
                steps = runs.list_steps(conn, run.id)
            display.show(steps)
            if run.status in RESTING:
                return run
            if worker_ended:
                _explain_dead_worker(cli, run, own_worker)
                return run
            time.sleep(LOOK_EVERY_SECONDS)


def _explain_dead_worker(cli: Cli, run: Run, own_worker: subprocess.Popen[bytes] | None) -> None:
    if jobs.worker_alive(cli.services):
        return
    said = b"" if own_worker is None or own_worker.stderr is None else own_worker.stderr.read()
    last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
    raise StateError(f"The worker for run {run.id} stopped before the run ended: {''.join(last) or 'it said nothing'}")


class _Display:
    """The bars and reports of one followed run."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=cli.console,
            transient=True,
            disable=cli.as_json,
        )
        self.bars: dict[int, TaskID] = {}
        self.reported: set[int] = set()

    def show(self, steps: list[Step]) -> None:
        """Bring the bars up to date and print the reports of steps that have ended since the last look."""
        for step in steps:
            if step.id in self.reported:
                continue
            if step.status is StepStatus.RUNNING:
                self._move_bar(step)
            else:
                self._report(step)

    def _move_bar(self, step: Step) -> None:
        if step.id not in self.bars:
            self.bars[step.id] = self.progress.add_task(step.stage.value, total=None)
        self.progress.update(self.bars[step.id], completed=step.progress_done, total=step.progress_total or None)

    def _report(self, step: Step) -> None:
        self.reported.add(step.id)
        if step.id in self.bars:
            self.progress.remove_task(self.bars.pop(step.id))
        if not self.cli.as_json:
            summary = step_summary(step)
            self.cli.print_json({"step": summary["name"], "status": summary["status"], **_shown(summary)})


def _shown(summary: dict[str, Any]) -> dict[str, Any]:
    return {"message": summary["message"], "data": summary["data"]}


def _finish(cli: Cli, run: Run) -> int:
    if cli.as_json:
        with cli.services.db.reading() as conn:
            cli.print_json(run_with_steps(conn, runs.get(conn, run.id)))
    sentences = {
        RunStatus.DONE: f"Run {run.id} is done.",
        RunStatus.FAILED: f"Run {run.id} failed: {run.error}",
        RunStatus.CANCELLED: f"Run {run.id} was cancelled.",
        RunStatus.PAUSED: f"Run {run.id} is paused.",
        RunStatus.WAITING: f"Run {run.id} waits for a delivery; a running worker carries it on by itself.",
    }
    cli.say(sentences.get(run.status, f"Run {run.id} is {run.status}."))
    return 0 if run.status in (RunStatus.DONE, RunStatus.WAITING, RunStatus.PAUSED) else 1
