"""The subcommands. Each asks for a run and follows it, or shows something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from app import jobs
from app.cli.check import check
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.cli.setup import setup
from app.cli.show import show_batches, show_overview
from app.model import Run, Trigger

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """`--json` after a command, as well as before it."""

    def remember(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
        if wanted and isinstance(context.obj, Cli):
            context.obj.ask_for_json()

    option = click.option("--json", is_flag=True, expose_value=False, callback=remember, help="Print JSON.")
    return option(function)


def start_and_follow(cli: Cli, begin: Callable[[], Run]) -> int:
    """Ask for a run and follow it. Raises RunInProgress and whatever else refuses it."""
    run = begin()
    cli.say(f"Run {run.id} was asked for.")
    return follow_run(cli, run)


def make_batch(cli: Cli) -> int:
    """Reserve a batch and follow the run that fills it."""
    batch, run = jobs.create_batch(cli.services, Trigger.CLI)
    cli.say(f"Batch {batch.name} (id {batch.id}) is being made.")
    return follow_run(cli, run)


@click.command("run")
@json_option
@click.pass_obj
def run_everything(cli: Cli) -> int:
    """Run the whole workflow."""
    return start_and_follow(cli, lambda: jobs.start_workflow(cli.services, Trigger.CLI))


@click.command()
@json_option
@click.pass_obj
def dedup(cli: Cli) -> int:
    """Scan the ingest folder and find duplicates."""
    return start_and_follow(cli, lambda: jobs.start_dedup(cli.services, Trigger.CLI))


@click.group()
def batch() -> None:
    """Make and list batches."""


@batch.command("create")
@json_option
@click.pass_obj
def create(cli: Cli) -> int:
    """Make the next batch."""
    return make_batch(cli)


@batch.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@json_option
@click.pass_obj
def list_all(cli: Cli, limit: int) -> int:
    """List batches, newest first."""
    return show_batches(cli, limit)


@click.command()
@click.argument("batch_id", type=click.IntRange(1, 2**63 - 1))
@json_option
@click.pass_obj
def sync(cli: Cli, batch_id: int) -> int:
    """Deliver a batch."""
    return start_and_follow(cli, lambda: jobs.start_sync(cli.services, batch_id, Trigger.CLI))


@click.command()
@click.argument("batch_id", type=click.IntRange(1, 2**63 - 1))
@json_option
@click.pass_obj
def sort(cli: Cli, batch_id: int) -> int:
    """File a delivered batch into the archive."""
    return start_and_follow(cli, lambda: jobs.start_sort(cli.services, batch_id, Trigger.CLI))


@click.command()
@json_option
@click.pass_obj
def cleanup(cli: Cli) -> int:
    """Remove what is finished, stale or expired."""
    return start_and_follow(cli, lambda: jobs.start_cleanup(cli.services, Trigger.CLI))


@click.command()
@json_option
@click.pass_obj
def overview(cli: Cli) -> int:
    """Show the balance sheet, batches, folders and warnings."""
    return show_overview(cli)


COMMANDS = (run_everything, dedup, batch, sync, sort, cleanup, overview, json_option(setup), json_option(check))
