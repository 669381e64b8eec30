"""`runs`: what was asked for and how it went, and steering what is in flight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.follow import say_step, start_and_follow
from app.cli.options import BATCH_ID, LARGEST_ID, RUN_ID, Noun
from app.db import lists
from app.db import runs as run_rows
from app.model import Run, RunKind, RunStatus
from app.overview.runs import run_summary, run_with_steps
from app.services import Services


@click.group(cls=Noun)
def runs() -> None:
    """List runs, show one with its steps, or steer it."""


@runs.command("list")
@click.option("--kind", type=click.Choice([k.value for k in RunKind]), help="Only runs of this kind.")
@click.option("--status", type=click.Choice([s.value for s in RunStatus]), help="Only runs of this status.")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only runs of this batch.")
@click.option("--before", "before_id", type=click.IntRange(1, LARGEST_ID), help="Only runs before this id.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, 500))
@click.pass_obj
def list_all(
    cli: Cli, kind: str | None, status: str | None, batch_id: int | None, before_id: int | None, limit: int
) -> int:
    """List runs, newest first."""
    of_kind, of_status = RunKind(kind) if kind else None, RunStatus(status) if status else None
    with cli.services.db.reading() as conn:
        listed, next_id = lists.page_of_runs(conn, of_kind, of_status, batch_id, before_id, limit)
    found = [run_summary(run) for run in listed]
    if cli.as_json:
        cli.print_json({"runs": found, "next_before_id": next_id})
    elif found:
        cli.console.print(_table(found))
    else:
        cli.say("There is no such run.")
    return 0


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(title="Runs (times are UTC)", title_justify="left")
    for name in ("Id", "Kind", "Stages", "Status", "Asked by", "Asked at", "Error"):
        table.add_column(name, overflow="fold")
    for run in found:
        asked = run["requested_at"][:19].replace("T", " ")
        stages = "all" if run["kind"] == "workflow" else ", ".join(run["stages"])
        error = Text(run["error"] or "")
        table.add_row(str(run["id"]), run["kind"], stages, run["status"], run["trigger"], asked, error)
    return table


@runs.command("show")
@click.argument("run_id", type=RUN_ID)
@click.pass_obj
def show(cli: Cli, run_id: int) -> int:
    """Show one run with the report of each step."""
    with cli.services.db.reading() as conn:
        found = run_with_steps(conn, run_rows.get(conn, run_id))
    if cli.as_json:
        cli.print_json(found)
        return 0
    cli.say(f"Run {found['id']} ({found['kind']}, asked for by {found['trigger']}) is {found['status']}.")
    if found["error"]:
        cli.say(f"Error: {found['error']}")
    for step in found["steps"]:
        say_step(cli, step)
    return 0


@runs.command("pause")
@click.argument("run_id", type=RUN_ID)
@click.pass_obj
def pause(cli: Cli, run_id: int) -> int:
    """Hold a run at its next safe point, between two files."""
    return _steer(cli, jobs.pause, run_id, "pauses at its next safe point")


@runs.command("resume")
@click.argument("run_id", type=RUN_ID)
@click.pass_obj
def resume(cli: Cli, run_id: int) -> int:
    """Let a paused run go on, or a waiting one look again now."""
    return start_and_follow(cli, lambda: jobs.resume(cli.services, run_id))


@runs.command("cancel")
@click.argument("run_id", type=RUN_ID)
@click.pass_obj
def cancel(cli: Cli, run_id: int) -> int:
    """End a run at its next safe point. What it has done stays done."""
    return _steer(cli, jobs.cancel, run_id, "is being cancelled")


@runs.command("retry")
@click.argument("run_id", type=RUN_ID)
@click.pass_obj
def retry(cli: Cli, run_id: int) -> int:
    """Let a failed run go on where it stopped."""
    return start_and_follow(cli, lambda: jobs.retry_run(cli.services, run_id))


def _steer(cli: Cli, ask: Callable[[Services, int], Run], run_id: int, said: str) -> int:
    run = ask(cli.services, run_id)
    if cli.as_json:
        cli.print_json(run_summary(run))
    cli.say(f"Run {run.id} {said}.")
    return 0
