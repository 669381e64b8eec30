"""`dates`: files with a doubtful date, and deciding about the dates of one file, of many, or of a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app.cli import date_runs
from app.cli.context import Cli
from app.cli.options import ASSET_ID, LARGEST_ID, Noun
from app.db.doubtful_dates import REASONS, DateFilter
from app.jobs.date_changes import DateWish
from app.jobs.date_results import Decided
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.model import Trigger
from app.model.counting import counted
from app.overview.decided import list_acts
from app.overview.doubtful import count_doubtful, folder_of, list_doubtful, what_was_not_read

Command = Callable[..., Any]
READ_AGAIN = "what the next run reads in it"


def _filters(function: Command) -> Command:
    """Which files, by what they have in common."""
    options = (
        click.option("--reason", type=click.Choice(REASONS), help="Only dates that are doubtful for this reason."),
        click.option("--camera", help="Only this camera: its model, else its make; '' where none is known."),
        click.option("--folder", help="Only files that came in this folder of ingest, or below it."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _confirming(function: Command) -> Command:
    """Which files are meant by their ids, and whether it is done."""
    options = (
        click.option("--file", "asset_ids", type=ASSET_ID, multiple=True, help="This file, by its id; once for each."),
        click.option("--dry-run", is_flag=True, help="Only say what would become of the dates."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        click.pass_obj,
    )
    for option in reversed(options):
        function = option(function)
    return function


def _deciding(function: Command) -> Command:
    """Which files are meant, and whether it is done."""
    only = click.option("--only-doubtful", is_flag=True, help="Of these only those with a doubtful date.")
    beside = click.option("--sidecar", is_flag=True, help="Tell other programs too, by an XMP file beside each.")
    alone = click.option("--alone", is_flag=True, help="Only these: they do not belong to the others of their name.")
    return _filters(only(beside(alone(_confirming(function)))))


@click.group(cls=Noun)
def dates() -> None:
    """List doubtful dates; accept or set dates, say their time zone, shift them by hours, take that back."""


dates.add_command(date_runs.sidecars)
dates.add_command(date_runs.read)


@dates.command("list")
@_filters
@click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--after", "after_id", default=0, type=click.IntRange(0, LARGEST_ID), help="Only those after this id.")
@click.option("--counts", is_flag=True, help="Only how many there are, by reason, camera and folder.")
@click.pass_obj
def list_(
    cli: Cli, reason: str | None, camera: str | None, folder: str | None, limit: int, after_id: int, counts: bool
) -> int:
    """List the files with a doubtful date, each with the reason of the doubt."""
    with cli.services.db.reading() as conn:
        if counts:
            found = count_doubtful(conn)
        else:
            only = DateFilter(reason, camera, folder_of(folder))
            found = list_doubtful(conn, only, after_id, limit)
            while not found["files"] and found["next_after_id"]:
                found = list_doubtful(conn, only, found["next_after_id"], limit)
        unread = what_was_not_read(conn)
    if cli.as_json:
        cli.print_json(found)
    else:
        (_show_counts if counts else _show_files)(cli, found)
        if unread:
            cli.say(unread)
    return 0


def _show_files(cli: Cli, found: dict[str, Any]) -> None:
    if not found["files"]:
        cli.say("No date is doubtful.")
        return
    table = Table(title="Files with a doubtful date", title_justify="left")
    for name in ("Id", "Came as", "Status", "Date", "Why it is doubtful", "Camera"):
        table.add_column(name, overflow="fold")
    for file in found["files"]:
        cells = (file["came_as"], file["status"], file["taken_local"], file["why"], file["camera"])
        table.add_row(str(file["id"]), *(Text(cell or "") for cell in cells))
    cli.console.print(table)
    if found["next_after_id"]:
        cli.say(f"More: --after {found['next_after_id']}")


def _show_counts(cli: Cli, found: dict[str, Any]) -> None:
    cli.say(f"{counted(found['files'], 'file has', 'files have')} a doubtful date.")
    for line in found["by_reason"]:
        cli.say(f"{line['files']:>8,}  {line['reason']}: {line['why']}")
    for line in found["by_camera"]:
        cli.say(f"{line['files']:>8,}  camera {line['camera'] or '(none known)'}")
    for line in found["by_folder"]:
        cli.say(f"{line['files']:>8,}  folder {line['folder'] or '(the top of ingest)'}")


@dates.command("accept")
@_deciding
def accept(cli: Cli, **which: Any) -> int:
    """Accept the dates that files have: they are doubtful no more."""
    return _decide(cli, "accept", "", **which)


@dates.command("set")
@click.argument("date")
@_deciding
def set_(cli: Cli, date: str, **which: Any) -> int:
    """Set the date, as in 2019-07-14 or "2019-07-14 15:30+02:00"; a day alone is taken at noon."""
    return _decide(cli, "set", date, **which)


@dates.command("zone")
@click.argument("zone")
@_deciding
def zone(cli: Cli, zone: str, **which: Any) -> int:
    """Say in which time zone files were taken, as in Asia/Tokyo or +09:00.

    What was told in UTC, or with an offset, gets the local time there; what a clock showed is kept.
    """
    return _decide(cli, "zone", zone, **which)


@dates.command("shift", context_settings={"ignore_unknown_options": True})
@click.argument("hours")
@_deciding
def shift(cli: Cli, hours: str, **which: Any) -> int:
    """Shift dates by hours, as in 1, -1, 5.5 or -1:30: the clock of the camera was wrong."""
    return _decide(cli, "shift", hours, **which)


@dates.command("decided")
@click.option("--limit", "-n", default=50, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--before", help="Only what was decided before this instant, as it is listed.")
@click.pass_obj
def decided(cli: Cli, limit: int, before: str | None) -> int:
    """List what people decided about dates, newest first, as far as it stands."""
    with cli.services.db.reading() as conn:
        found = list_acts(conn, before, limit)
    if cli.as_json:
        cli.print_json(found)
        return 0
    for act in found["acts"]:
        files = counted(act["files"], "file", "files")
        what = f"{act['action']} {act['value']}".rstrip()
        cli.say(f"{act['decided_at']}  {act['decided_by']}: {what}, {files}, the first {act['first']}")
    if not found["acts"]:
        cli.say("Nobody has decided about a date.")
    if found["next_before"]:
        cli.say(f"More: --before {found['next_before']}")
    return 0


@dates.command("undo")
@click.option("--camera", help="All of this camera: its model, else its make; '' where none is known.")
@click.option("--folder", help="All that came in this folder of ingest, or below it.")
@click.option("--at", "decided_at", help="All that was decided at this instant, as `dates decided` lists it.")
@_confirming
def undo(
    cli: Cli, camera: str | None, folder: str | None, decided_at: str | None, asset_ids: tuple[int, ...],
    dry_run: bool, yes: bool,
) -> int:  # fmt: skip
    """Take back what was decided: files get the date again that they tell by themselves."""
    wish = UndoWish(asset_ids, DateFilter(camera=camera, folder=folder_of(folder)), decided_at)
    by = Trigger.CLI.value
    return _carry_out(cli, lambda dry: undo_decisions(cli.services, wish, by, dry_run=dry), dry_run, yes)


def _decide(cli: Cli, action: str, value: str, *, dry_run: bool, yes: bool, **which: Any) -> int:
    only = DateFilter(which["reason"], which["camera"], folder_of(which["folder"]))
    wish = DateWish(action, value, which["asset_ids"], only, which["only_doubtful"], which["sidecar"],
                    which["alone"])
    by = Trigger.CLI.value
    return _carry_out(cli, lambda dry: decide_dates(cli.services, wish, by, dry_run=dry), dry_run, yes)


def _carry_out(cli: Cli, act: Callable[[bool], Decided], dry_run: bool, yes: bool) -> int:
    """Show what it would change, ask, and do it."""
    looked = act(True)
    _show(cli, looked)
    if dry_run or not looked.files or not cli.confirm("Do that?", yes):
        if cli.as_json:
            cli.print_json(asdict(looked))
        return 0 if dry_run else 2
    done = act(False)
    date_runs.keep_beside_archive(cli)
    if cli.as_json:
        cli.print_json(asdict(done))
    cli.say(done.in_words())
    if done.elsewhere and done.decided_at is not None:
        cli.say(f"To file them anew: media-pipeline refile --decided-since {done.decided_at} --yes")
    date_runs.say_what_is_due(cli)
    return 0


def _show(cli: Cli, looked: Decided) -> None:
    for change in looked.changes:
        words = f"{change['before']} becomes {change['after'] or READ_AGAIN}"
        cli.say(f"{change['id']}  {change['path']}: {words}{_zones(change, looked.action)}")
        if change["with"]:
            cli.say(f"    and with it {', '.join(change['with'])}")
    for refusal in looked.refusals:
        cli.say(f"{refusal['id']}  {refusal['path']} is refused: {refusal['reason']}")
    cli.say(looked.in_words())


def _zones(change: dict[str, Any], action: str) -> str:
    """In which zones the clock is told and which instants that are, when a zone is what changes."""
    told = [(change[f"zone_{when}"], change[f"instant_{when}"]) for when in ("before", "after")]
    if None in (value for one in told for value in one) or (action != "zone" and told[0][0] == told[1][0]):
        return ""
    before, after = (f"{at[:19].replace('T', ' ')} UTC, told at {zone}" for zone, at in told)
    return f" ({before}, becomes {after})"
