"""The commands that ask for the workflow, or for one of its stages, and follow the run."""

from __future__ import annotations

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import start_and_follow
from app.cli.options import BATCH_ID
from app.model import Trigger


@click.command("run")
@click.pass_obj
def run_everything(cli: Cli) -> int:
    """Run the whole workflow.

    Ends with 0 when everything that could be done is done. A delivery may still be awaited then, and its batch is not
    archived yet: --json prints the run as "waiting", with what for in its last step, and `sync status --json` tells
    how far each delivery is. A running service carries it on by itself; without one the next run does.
    """
    return start_and_follow(cli, lambda: jobs.start_workflow(cli.services, Trigger.CLI))


@click.command()
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def sort(cli: Cli, batch_id: int) -> int:
    """File a delivered batch into the archive."""
    return start_and_follow(cli, lambda: jobs.start_sort(cli.services, batch_id, Trigger.CLI))


@click.command()
@click.pass_obj
def cleanup(cli: Cli) -> int:
    """Remove what is finished, stale or expired."""
    return start_and_follow(cli, lambda: jobs.start_cleanup(cli.services, Trigger.CLI))
