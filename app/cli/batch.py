"""`batch`: making, listing, looking at and carrying on batches."""

from __future__ import annotations

import json
from typing import Any

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run, start_and_follow
from app.cli.journal import print_events
from app.cli.options import BATCH_ID, LARGEST_ID, Noun
from app.cli.show import show_batches
from app.cli.sync import tell_delivery
from app.db import batches
from app.model import HELD, BatchStatus, Trigger
from app.model.counting import counted
from app.model.peer_policy import duration_in_words
from app.overview.batch_story import batch_story
from app.overview.manifests import manifest_text

#: So many of its events are shown with a batch.
EVENTS_SHOWN = 10


def make_batch(cli: Cli) -> int:
    """Reserve a batch and follow the run that fills it."""
    made, run = jobs.create_batch(cli.services, Trigger.CLI)
    cli.say(f"Batch {made.name} (id {made.id}) is being made.")
    return follow_run(cli, run)


@click.group(cls=Noun)
def batch() -> None:
    """Make, list, look at and carry on batches."""


@batch.command("create")
@click.pass_obj
def create(cli: Cli) -> int:
    """Make the next batch."""
    return make_batch(cli)


@batch.command("list")
@click.option("--status", type=click.Choice([s.value for s in BatchStatus]), help="Only batches of this status.")
@click.option("--before", "before_id", type=click.IntRange(1, LARGEST_ID), help="Only batches before this id.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, 500))
@click.pass_obj
def list_all(cli: Cli, status: str | None, before_id: int | None, limit: int) -> int:
    """List batches, newest first."""
    return show_batches(cli, limit, BatchStatus(status) if status else None, before_id)


@batch.command("show")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def show(cli: Cli, batch_id: int) -> int:
    """Show one batch: how far it is, where it is proven, what went wrong and what to do."""
    with cli.services.db.reading() as conn:
        found = batch_story(conn, batch_id)
    if cli.as_json:
        cli.print_json(found)
    else:
        _tell(cli, found)
    return 0


def _tell(cli: Cli, found: dict[str, Any]) -> None:
    cli.say(f"Batch {found['name']} (id {found['id']}) is {found['status']}.")
    files = counted(found["file_count"], "file", "files")
    cli.say(f"It holds {files}, {found['size_bytes']:,} bytes; made {_at(found['created_at'])}.")
    if found["target"] == "none":
        cli.say("It is archived without a delivery, as sync.target was none.")
    else:
        tell_delivery(cli, found["sync"])
    for proof in found["deliveries"]:
        when = f"between {_at(proof['first_confirmed_at'])} and {_at(proof['last_confirmed_at'])}"
        cli.say(f"  Proven at {proof['name']} {when}.")
    if found["target"] == "syncthing":
        tell_peer(cli, found["peer"])
    every = counted(found["sort"]["total_files"], "file is", "files are")
    cli.say(f"Archive: {found['sort']['sorted_files']:,} of {every} archived.")
    if found["error"] and found["target"] == "none":
        cli.say(f"It stopped: {found['error']}")
    cli.say(found["next"])
    print_events(cli, found["events"][:EVENTS_SHOWN])


def tell_peer(cli: Cli, peer: dict[str, Any]) -> None:
    """What happens to the peer's copies of a batch, and when."""
    cli.say(f"At the peer ({peer['peer_policy']}): {peer['at_the_peer']}")
    if peer["removal_at"]:
        left = f"in {duration_in_words(peer['seconds_left'])}" if peer["seconds_left"] else "with the next run"
        cli.say(f"  The peer's copies go at {_at(peer['removal_at'])}, {left}.")
    if peer["peer_policy"] == "release":
        cli.say(f"  {counted(peer['released_count'], 'file was', 'files were')} released.")
    if peer["hold"] not in (None, HELD):
        cli.say(f"  warning: {peer['hold']}")


def _at(instant: str) -> str:
    return f"{instant[:19].replace('T', ' ')} UTC"


@batch.command("manifest")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def manifest(cli: Cli, batch_id: int) -> int:
    """Print the manifest of a batch: every file with its size, its checksums and its date. Always JSON."""
    with cli.services.db.reading() as conn:
        found = batches.get(conn, batch_id)
    cli.print_json(json.loads(manifest_text(cli.services, found)))
    return 0


@batch.command("retry")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def retry(cli: Cli, batch_id: int) -> int:
    """Bring a batch out of ERROR and carry it on."""
    return start_and_follow(cli, lambda: jobs.retry_batch(cli.services, batch_id, Trigger.CLI))
