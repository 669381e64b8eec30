"""`journal`: what happened, from the database."""

from __future__ import annotations

from typing import Any

import click

from app.cli.context import Cli
from app.cli.options import ASSET_ID, BATCH_ID, DAY, RUN_ID
from app.db.journal import KINDS
from app.overview.events import EventSearch, find_events

LEVELS = ("info", "warning", "error")


def _complete_kind(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return sorted(kind for kind in KINDS if kind.startswith(incomplete))


@click.command()
@click.option("--kind", default="", shell_complete=_complete_kind, help="Only kinds that begin so, as in batch.")
@click.option("--level", default="", type=click.Choice(["", *LEVELS]), help="Only this level.")
@click.option("--text", default="", help="Only events whose sentence has these words.")
@click.option("--since", default="", type=DAY, metavar="INSTANT", help="At this day or instant (UTC) or after.")
@click.option("--until", default="", type=DAY, metavar="INSTANT", help="At this day or instant (UTC) or before.")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only events of this batch.")
@click.option("--run", "run_id", type=RUN_ID, help="Only events of this run.")
@click.option("--asset", "asset_id", type=ASSET_ID, help="Only events of this file.")
@click.option("--after", "after_id", type=click.IntRange(0), help="Only events after this id, the oldest first.")
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def journal(cli: Cli, /, **terms: Any) -> int:
    """Show what happened, newest first: docs/journal.md tells what each kind means."""
    with cli.services.db.reading() as conn:
        found = find_events(conn, EventSearch(**terms))
    if cli.as_json:
        cli.print_json(found)
        return 0
    print_events(cli, found["events"])
    if not found["events"]:
        cli.say("Nothing of that kind has happened.")
    return 0


def print_events(cli: Cli, events: list[dict[str, Any]]) -> None:
    """One line per event."""
    for event in events:
        at = event["at"][:19].replace("T", " ")
        cli.say(f"{event['id']:>6}  {at}  {event['level']:7} {event['kind']:20} {event['message']}")
