"""`batch`: making, listing and carrying on batches."""

from __future__ import annotations

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run, start_and_follow
from app.cli.options import BATCH_ID, Noun
from app.cli.show import show_batches
from app.model import Trigger


def make_batch(cli: Cli) -> int:
    """Reserve a batch and follow the run that fills it."""
    made, run = jobs.create_batch(cli.services, Trigger.CLI)
    cli.say(f"Batch {made.name} (id {made.id}) is being made.")
    return follow_run(cli, run)


@click.group(cls=Noun)
def batch() -> None:
    """Make, list and carry on batches."""


@batch.command("create")
@click.pass_obj
def create(cli: Cli) -> int:
    """Make the next batch."""
    return make_batch(cli)


@batch.command("list")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, 500))
@click.pass_obj
def list_all(cli: Cli, limit: int) -> int:
    """List batches, newest first."""
    return show_batches(cli, limit)


@batch.command("retry")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def retry(cli: Cli, batch_id: int) -> int:
    """Bring a batch out of ERROR and carry it on."""
    return start_and_follow(cli, lambda: jobs.retry_batch(cli.services, batch_id, Trigger.CLI))
