"""`journal`: what happened, from the database."""

from __future__ import annotations

from typing import Any

import click

from app.cli.context import Cli
from app.cli.options import ASSET_ID, BATCH_ID, RUN_ID
from app.db import journal as journal_rows
from app.db.journal import KINDS
from app.overview.files import event_summary


def _complete_kind(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return sorted(kind for kind in KINDS if kind.startswith(incomplete))


@click.command()
@click.option("--kind", default="", shell_complete=_complete_kind, help="Only kinds that begin so, as in batch.")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only events of this batch.")
@click.option("--run", "run_id", type=RUN_ID, help="Only events of this run.")
@click.option("--asset", "asset_id", type=ASSET_ID, help="Only events of this file.")
@click.option("--after", "after_id", default=0, type=click.IntRange(0), help="Only events after this id, oldest first.")
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def journal(
    cli: Cli, kind: str, batch_id: int | None, run_id: int | None, asset_id: int | None, after_id: int, limit: int
) -> int:
    """Show what happened, newest first."""
    of = {"batch_id": batch_id, "run_id": run_id, "asset_id": asset_id}
    with cli.services.db.reading() as conn:
        found = journal_rows.list_events(conn, kind_prefix=kind, after_id=after_id, limit=limit, **of)
    last_id = max((event.id for event in found), default=after_id)
    shown = [event_summary(event) for event in found]
    if cli.as_json:
        cli.print_json({"events": shown, "last_id": last_id})
        return 0
    print_events(cli, shown)
    if not shown:
        cli.say("Nothing of that kind has happened.")
    return 0


def print_events(cli: Cli, events: list[dict[str, Any]]) -> None:
    """One line per event."""
    for event in events:
        at = event["at"][:19].replace("T", " ")
        cli.say(f"{event['id']:>6}  {at}  {event['level']:7} {event['kind']:20} {event['message']}")
