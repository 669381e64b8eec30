"""`retry`: everything that failed, in one go: files, batches, the last run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.db import batches, runs, totals
from app.errors import RunInProgress
from app.model import AssetStatus, Batch, BatchStatus, Run, RunStatus, Trigger
from app.model.counting import counted


@dataclass(frozen=True)
class Plan:
    """What failed and would be tried again."""

    files: int
    batches: tuple[Batch, ...]
    run: Run | None

    def is_empty(self) -> bool:
        """Whether nothing failed."""
        return not self.files and not self.batches and self.run is None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "files": self.files,
            "batches": [{"id": b.id, "name": b.name, "error": b.error} for b in self.batches],
            "run": {"id": self.run.id, "error": self.run.error} if self.run else None,
        }


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be tried again.")
@click.pass_obj
def retry(cli: Cli, yes: bool, dry_run: bool) -> int:
    """Try everything again that failed: files, batches in ERROR, the last run. Asks first, and shows what it would do.

    Files are taken up by the next run; batches and the run go on here, one after the other.
    """
    plan = _plan(cli)
    for line in _in_words(plan):
        cli.say(line)
    if plan.is_empty() or dry_run:
        if cli.as_json:
            cli.print_json({**plan.as_json(), "done": False})
        return 0
    if not cli.confirm("Try all of that again?", yes):
        cli.say("Nothing was done.")
        return 2
    return _carry_out(cli, plan)


def _plan(cli: Cli) -> Plan:
    with cli.services.db.reading() as conn:
        busy = runs.find_in_flight(conn)
        if busy is not None:
            raise RunInProgress(busy.id, busy.status)
        return Plan(
            files=totals.read(conn)[AssetStatus.FAILED][0],
            batches=tuple(batches.list_by_status(conn, [BatchStatus.ERROR])),
            run=runs.find_unanswered_failure(conn),
        )


def _in_words(plan: Plan) -> list[str]:
    lines = [f"Batch {b.name} (id {b.id}) stopped: {b.error}" for b in plan.batches]
    if plan.run is not None:
        lines.append(f"Run {plan.run.id} failed: {plan.run.error}")
    if plan.files:
        lines.append(counted(plan.files, "file has failed.", "files have failed."))
    return lines or ["Nothing has failed."]


def _carry_out(cli: Cli, plan: Plan) -> int:
    files = jobs.retry_failed_assets(cli.services) if plan.files else 0
    if plan.files:
        cli.say(f"{counted(files, 'file', 'files')} will be taken up again by the next run (media-pipeline run).")
    codes = [_again(cli, jobs.retry_batch(cli.services, batch.id, Trigger.CLI)) for batch in plan.batches]
    if plan.run is not None and _still_failed(cli, plan.run):
        codes.append(_again(cli, jobs.retry_run(cli.services, plan.run.id)))
    if cli.as_json:
        cli.print_json({**plan.as_json(), "done": True, "files_retried": files, "failed_again": sum(codes)})
    return max(codes, default=0)


def _again(cli: Cli, run: Run) -> int:
    return follow_run(cli, run, tell=False)


def _still_failed(cli: Cli, run: Run) -> bool:
    """A batch's own run, tried again, may have been the one that failed."""
    with cli.services.db.reading() as conn:
        return runs.get(conn, run.id).status is RunStatus.FAILED
