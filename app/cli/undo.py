"""`undo`, `batch cancel`, `batch take-in`: taking a batch back, in time or later, and taking its files in again."""

from __future__ import annotations

from typing import Any

import click

from app import jobs
from app.cli.batch import batch
from app.cli.context import Cli
from app.cli.follow import follow_run, start_and_follow
from app.cli.options import BATCH_ID
from app.errors import Conflict
from app.model import Trigger
from app.model.counting import counted
from app.overview.batches import batch_summary
from app.overview.undo import undo_summary

#: So many files in the way are shown; all are counted.
SHOWN = 10


@click.command()
@click.argument("batch_id", type=BATCH_ID)
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@click.option("--without-lost", is_flag=True, help="Leave lost and changed files behind, as failed.")
@click.pass_obj
def undo(cli: Cli, batch_id: int, yes: bool, dry_run: bool, without_lost: bool) -> int:
    """Take a batch back: its files return to where they came from.

    Shows first what that does, also at the peer. Nothing is moved while a file stands in the way.
    """
    look = jobs.look_at_undo(cli.services, batch_id, without_lost=without_lost)
    with cli.services.db.reading() as conn:
        seen = undo_summary(conn, look)
    _show(cli, seen)
    if dry_run:
        if cli.as_json:
            cli.print_json(seen)
        return 0 if seen["possible"] else 1
    if not seen["possible"]:
        raise Conflict(_in_words(seen))
    if not cli.confirm(f"Take batch {seen['batch']} back?", yes):
        cli.say("Nothing was changed.")
        return 2
    return start_and_follow(
        cli, lambda: jobs.start_undo(cli.services, batch_id, Trigger.CLI, without_lost=without_lost)
    )


def _show(cli: Cli, seen: dict[str, Any]) -> None:
    one, is_aside = seen["files"] == 1, seen["becomes"] == "set_aside"
    becomes = ("is" if one else "are") + " set aside there" if is_aside else f"wait{'s' * one} there for the next batch"
    cli.say(f"Batch {seen['batch']} is {seen['status']}.")
    files, go = counted(seen["files"], "file", "files"), "goes back to where it" if one else "go back to where they"
    cli.say(f"{files} ({seen['size_bytes']:,} bytes) {go} came from and {becomes}.")
    if seen["stay"]:
        cli.say(f"{seen['stay']:,} more have not left, or are back already.")
    if seen["drawn_back"]:
        drawn = counted(seen["drawn_back"], "archived file", "archived files")
        cli.say(f"{drawn} of other batches, taken along to the day of this one, go back where they lay before.")
    for entry in seen["drawn_stay"][:SHOWN]:
        cli.say(f"Stays in the archive where this batch took it: {entry['path']}: {entry['reason']}.")
    cli.say(seen["peer"])
    for entry in seen["left"][:SHOWN]:
        cli.say(f"Stays behind, as failed: {entry['reason']}.")
    for entry in seen["obstacles"][:SHOWN]:
        cli.say(f"In the way: {entry['reason']}. {entry['remedy']}")


def _in_words(seen: dict[str, Any]) -> str:
    first = seen["obstacles"][0]
    files = counted(seen["obstacle_count"], "file stands", "files stand")
    return f"{files} in the way, so nothing was moved. The first: {first['reason']}. {first['remedy']}"


@batch.command("cancel")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def cancel(cli: Cli, batch_id: int) -> int:
    """Cancel a batch that nobody has received yet; its files wait for the next one."""
    cancelled, run = jobs.cancel_batch(cli.services, batch_id, Trigger.CLI)
    if run is not None:
        cli.say(f"Run {run.id} was asked for.")
        return follow_run(cli, run)
    if cli.as_json:
        cli.print_json(batch_summary(cancelled))
    cli.say(f"Batch {cancelled.name} is cancelled; it held no file.")
    return 0


@batch.command("take-in")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def take_in(cli: Cli, batch_id: int) -> int:
    """Have all files of a batch that was taken back taken in again by the next run."""
    files = jobs.take_in_again(cli.services, batch_id)
    if cli.as_json:
        cli.print_json({"batch_id": batch_id, "count": files})
    cli.say(f"{counted(files, 'file is', 'files are')} taken in by the next run: media-pipeline run")
    return 0
