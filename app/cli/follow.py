"""Following a run: a bar while a step works, its report when it ends, until the run ends or waits."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app import jobs
from app.cli.context import Cli
from app.db import root_waits, runs
from app.errors import StateError
from app.model import Run, RunKind, RunStatus, Stage, Step, StepStatus
from app.overview.runs import run_with_steps, step_summary

LOOK_EVERY_SECONDS = 0.3
HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: More steps than this cannot end between two looks.
STEPS_WATCHED = 100
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)
RESTING = (*ENDED, RunStatus.WAITING, RunStatus.PAUSED)


def start_and_follow(cli: Cli, begin: Callable[[], Run]) -> int:
    """Ask for a run and follow it. Raises RunInProgress and whatever else refuses it."""
    run = begin()
    cli.say(f"Run {run.id} was asked for.")
    return follow_run(cli, run)


@dataclass(frozen=True)
class Patience:
    """How long a run is followed while it waits, and what it waits for, in words that may change meanwhile."""

    seconds: float
    words: Callable[[], str]


def follow_run(cli: Cli, run: Run, *, tell: bool = True, patience: Patience | None = None) -> int:
    """Show a run until it ends, is paused, or waits for longer than the patience lasts; returns the exit code.

    When no worker runs, one is started for just this run; it is stopped with this program. A program that asked for
    JSON gets the run at its end, unless its caller has more to `tell` and does that itself.
    """
    own_worker = None if jobs.worker_alive(cli.services) else OwnWorker(cli, run, stays=patience is not None)
    try:
        run = _watch(cli, run, own_worker, patience)
    except KeyboardInterrupt:
        cli.say(f"No longer following run {run.id}." + ("" if own_worker else " It goes on in the worker."))
        raise
    finally:
        if own_worker is not None:
            own_worker.stop()
    return _finish(cli, run, tell)


class OwnWorker:
    """A worker for one run, in a process of its own."""

    def __init__(self, cli: Cli, run: Run, *, stays: bool = False) -> None:
        # A file, not a pipe: nobody reads along, and a full pipe would hold the worker up.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "worker", "--run", str(run.id), *(["--stay"] if stays else [])],
            env={**os.environ, "MEDIA_PIPELINE_CONFIG": os.path.abspath(cli.config_path)},
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """End it, if it has not ended; it stops at its next safe point."""
        if not self.has_ended():
            self._process.terminate()
        self._process.wait()
        self._said.close()


def _watch(cli: Cli, run: Run, own_worker: OwnWorker | None, patience: Patience | None) -> Run:
    display, until = _Display(cli), time.monotonic() + (patience.seconds if patience else 0)
    with display.progress:
        while True:
            has_ended = own_worker is not None and own_worker.has_ended()
            with cli.services.db.reading() as conn:
                run = runs.get(conn, run.id)
                steps = runs.list_steps(conn, run.id, STEPS_WATCHED)
            display.show(steps)
            is_awaited = run.status is RunStatus.WAITING and patience is not None and time.monotonic() < until
            if is_awaited and patience is not None:
                display.say_wait(patience.words())
            elif run.status in RESTING:
                return run
            # Another worker may have been faster; then the run goes on there.
            if has_ended and own_worker is not None and not jobs.worker_alive(cli.services):
                raise StateError(f"The worker stopped before run {run.id} ended: {own_worker.last_words()}")
            time.sleep(LOOK_EVERY_SECONDS)


class _Display:
    """The bars and reports of one followed run."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}"),
            console=cli.console,
            transient=True,
            disable=cli.as_json,
        )
        self.bars: dict[int, TaskID] = {}
        self.reported: set[int] = set()
        self.waits_for = ""

    def say_wait(self, words: str) -> None:
        """Say what the run waits for, when that has changed."""
        if words != self.waits_for:
            self.cli.say(f"  {words}")
        self.waits_for = words

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
            self.bars[step.id] = self.progress.add_task(step.stage.value, total=None, pace="")
        pace = str(step.report.get("pace", {}).get("words", ""))
        total = step.progress_total or None
        self.progress.update(self.bars[step.id], completed=step.progress_done, total=total, pace=pace)

    def _report(self, step: Step) -> None:
        self.reported.add(step.id)
        if step.id in self.bars:
            self.progress.remove_task(self.bars.pop(step.id))
        # A preview is shown in tables of its own.
        if not self.cli.as_json and step.stage is not Stage.PREVIEW:
            say_step(self.cli, step_summary(step))


def say_step(cli: Cli, step: dict[str, Any]) -> None:
    """How a step ended, in one line, and a line for each file that failed in it."""
    cli.say(f"  {step['name']:8} {step['status']:10} {step['message']}")
    for failure in step["data"].get("failures", []):
        cli.say(f"    {failure['path']}: {failure['reason']}")


def _finish(cli: Cli, run: Run, tell: bool) -> int:
    if cli.as_json and tell:
        with cli.services.db.reading() as conn:
            cli.print_json(run_with_steps(conn, runs.get(conn, run.id)))
    sentences = {
        RunStatus.DONE: f"Run {run.id} is done.",
        RunStatus.FAILED: f"Run {run.id} failed: {run.error}",
        RunStatus.CANCELLED: f"Run {run.id} was cancelled.",
        RunStatus.PAUSED: f"Run {run.id} is paused.",
        RunStatus.WAITING: f"Run {run.id} waits for a delivery; a running worker carries it on by itself.",
    }
    if run.kind is RunKind.VERIFY:
        sentences[RunStatus.WAITING] = (
            f"Run {run.id} lets other runs go first; a running worker carries it on by itself, and "
            "`media-pipeline verify` does at once."
        )
    with cli.services.db.reading() as conn:
        is_stuck = run.status is RunStatus.WAITING and root_waits.is_waiting(conn, run.id)
    if is_stuck:
        sentences[RunStatus.WAITING] = f"Run {run.id} waits for a folder that is away; a running worker carries it on."
    cli.say(sentences.get(run.status, f"Run {run.id} is {run.status}."))
    return 0 if run.status in (RunStatus.DONE, RunStatus.WAITING, RunStatus.PAUSED) and not is_stuck else 1
