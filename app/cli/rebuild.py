"""`rebuild`: a lost or damaged database made again from the manifests and the folders."""

from __future__ import annotations

from typing import Any

import click

from app import jobs
from app.backup.lost_database import prepare_rebuild
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.cli.options import LARGEST_ID
from app.cli.rebuild_files import list_files
from app.errors import BadRequest
from app.model import Run, Trigger
from app.model.counting import counted
from app.overview.rebuild import in_words, rebuild_overview

LISTED = 10


@click.command()
@click.option("--report", is_flag=True, help="Show what the last rebuild found.")
@click.option("--files", is_flag=True, help="List the files of each line of that report by name.")
@click.option("--line", default="", metavar="NAME", help="With --files: only this line, or missing.")
@click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(1, 1_000), help="So many a line.")
@click.option("--after", "after_id", default=0, type=click.IntRange(0, LARGEST_ID), help="Only those after this id.")
@click.option("--confirm", is_flag=True, help="What was found is right: files may move again.")
@click.option("--compare", is_flag=True, help="Put the rows of a healthy database right where the disk says otherwise.")
@click.option("--force-new", is_flag=True, help="Make a new database although there is one; it is kept aside.")
@click.pass_obj
def rebuild(
    cli: Cli, /, report: bool, files: bool, confirm: bool, compare: bool, force_new: bool, **page: Any
) -> int:
    """Make a lost database again from the manifests and the folders. Nothing moves until you confirm it.

    The service must be stopped, but not for --compare, --report, --files and --confirm. Every file is read once; what
    was cut off goes on when you repeat the command.
    """
    if sum((report, files, confirm, compare, force_new)) > 1:
        raise BadRequest("Use one of --report, --files, --confirm, --compare and --force-new at a time.")
    if files:
        return list_files(cli, **page)
    if confirm:
        jobs.confirm_rebuild(cli.services)
        cli.say("Confirmed. Files may move again; the next run takes up what waits.")
        return _print(cli) if cli.as_json else 0
    if report:
        return _print(cli)
    if compare:
        return _follow(cli, jobs.start_comparison(cli.services, Trigger.CLI))
    prepared = prepare_rebuild(cli.container.store.load().config, force_new=force_new)
    if prepared.kept_aside:
        cli.say(f"The old database is kept as {prepared.kept_aside}.")
    return rebuild_and_show(cli)


def rebuild_and_show(cli: Cli) -> int:
    """Run the rebuild that was prepared, to its end, and show what it found."""
    return _follow(cli, jobs.start_rebuild(cli.services, Trigger.CLI))


def _follow(cli: Cli, run: Run) -> int:
    return follow_run(cli, run, tell=False) or _print(cli)


def _print(cli: Cli) -> int:
    with cli.services.db.reading() as conn:
        found = rebuild_overview(conn)
    if cli.as_json:
        cli.print_json(found)
        return 0
    for sentence in _sentences(found):
        cli.say(sentence)
    return 0


def _sentences(found: dict[str, Any]) -> list[str]:
    if found["state"] == "none":
        return ["No rebuild was made."]
    said = [found["message"]] if found["message"] else []
    report = found["report"]
    if report is None:
        return said
    said += [
        f"{_line(root['files'], 'file', 'files')} in the {root['kind']} folder {root['path']}"
        for root in report["roots"]
    ]
    said += [_line(report["counts"]["files"], "file was", "files were") + " seen; each is in one of these lines:"]
    said += [f"{line['files']:>9,} {in_words(line['name'])}" for line in report["lines"]]
    said += [
        f"  batch {batch['name']} (id {batch['id']}): {batch['status']}, "
        f"{counted(batch['file_count'], 'file', 'files')}"
        for batch in report["batches"][:LISTED]
    ]
    if found["worth_a_look"]:
        said.append("Worth a look:")
    said += [f"{number:>9,} {words}" for number, words in found["worth_a_look"]]
    said += [f"  {lost['path']} (file {lost['asset_id']})" for lost in report["given_up"][:LISTED]]
    said += [f"  {failure['path']}: {failure['reason']}" for failure in report["failures"][:LISTED]]
    if found["worth_a_look"]:
        said.append("Each of them by name: media-pipeline rebuild --files")
    return said


def _line(count: int, one: str, many: str) -> str:
    """A count with its words, the number right-aligned under those of the other lines."""
    number, words = counted(count, one, many).split(" ", 1)
    return f"{number:>9} {words}"
