"""`refile`: filing the archive anew, and taking that back; without --yes only the plan is shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app.cli.context import Cli
from app.cli.date_runs import say_what_is_due
from app.cli.follow import follow_run
from app.cli.options import ASSET_ID, RUN_ID
from app.db.refile_entries import FAILED, PLANNED, STAYS
from app.jobs import refile as jobs
from app.model import Run, Trigger
from app.overview.refile import list_files, refile_summary

PAGE = 1_000
#: So many pairs of folders are shown.
FOLDERS = 20


@click.command()
@click.option("--file", "asset_ids", type=ASSET_ID, multiple=True, help="Only this file and its group, by its id.")
@click.option("--decided-since", metavar="INSTANT", help="Only files whose dates were decided then or later.")
@click.option("--undo", "undo_of", type=RUN_ID, help="Take this run back: files go to where they lay before it.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(0), help="So many moves are shown.")
@click.option("--yes", "-y", is_flag=True, help="Move the files; without it nothing is moved.")
@click.pass_obj
def refile(
    cli: Cli, asset_ids: tuple[int, ...], decided_since: str | None, undo_of: int | None, limit: int, yes: bool
) -> int:
    """Move archived files to where they belong by today's dates, patterns and settings.

    Without --yes nothing is moved: it shows which files would go where, and which cannot.
    """
    if undo_of is not None and (asset_ids or decided_since is not None):
        raise click.UsageError("--undo takes a whole run back; it goes with neither --file nor --decided-since.")
    wish = jobs.RefileWish(asset_ids, decided_since)
    run = _ask(cli, wish, undo_of, yes)
    cli.say(f"Run {run.id} was asked for.")
    code = follow_run(cli, run, tell=False)
    with cli.services.db.reading() as conn:
        found = refile_summary(conn, run.id)
    if cli.as_json:
        cli.print_json({**found, "files": list(_all(cli, run.id))})
    else:
        _show(cli, found, limit, undo_of)
    if yes:
        say_what_is_due(cli)
    return code


def _ask(cli: Cli, wish: jobs.RefileWish, undo_of: int | None, yes: bool) -> Run:
    if undo_of is not None:
        return jobs.undo_refile(cli.services, undo_of, Trigger.CLI, dry_run=not yes)
    return (jobs.start_refile if yes else jobs.plan_refile)(cli.services, wish, Trigger.CLI)


def _all(cli: Cli, run_id: int, state: str | None = None) -> Iterator[dict[str, Any]]:
    after_id: int | None = 0
    while after_id is not None:
        with cli.services.db.reading() as conn:
            page = list_files(conn, run_id, state=state, after_id=after_id, limit=PAGE)
        yield from page["files"]
        after_id = page["next_after_id"]


def _show(cli: Cli, found: dict[str, Any], limit: int, undo_of: int | None) -> None:
    run_id, is_plan = found["run"]["id"], found["is_plan"]
    if found["folders"]:
        cli.console.print(_folders(found))
    if is_plan:
        for file in islice(_all(cli, run_id, PLANNED), limit):
            cli.say(f"  {file['from']} → {file['to']}" + (" (suffixed)" if file["suffixed"] else ""))
        if found["planned"]["files"] > limit:
            cli.say(f"  and {found['planned']['files'] - limit:,} more; --limit shows more of them, --json all.")
    for state in (FAILED, STAYS):
        for file in islice(_all(cli, run_id, state), limit):
            cli.say(f"Stays: {file['from']}. {file['reason']}")
    cli.say(found["message"])
    _show_ways_on(cli, found, undo_of)


def _show_ways_on(cli: Cli, found: dict[str, Any], undo_of: int | None) -> None:
    if found["is_plan"] and found["planned"]["files"]:
        cli.say("To move them: the same command with --yes.")
    elif not found["is_plan"] and found["done"]["files"] and undo_of is None:
        cli.say(f"To take it back: media-pipeline refile --undo {found['run']['id']}")


def _folders(found: dict[str, Any]) -> Table:
    table = Table(title="From folder to folder", title_justify="left")
    for name in ("From", "To", "Files", "Bytes"):
        table.add_column(name, justify="right" if name in ("Files", "Bytes") else "left", overflow="fold")
    for pair in found["folders"][:FOLDERS]:
        cells = (pair["from"] or "(the top)", pair["to"] or "(the top)")
        table.add_row(*map(Text, cells), f"{pair['files']:,}", f"{pair['size_bytes']:,}")
    if len(found["folders"]) > FOLDERS:
        table.caption = f"The {FOLDERS} with most files; --json tells more."
    return table
