"""`dedup`: the search for duplicates, or what it would find."""

from __future__ import annotations

import click

from app import jobs
from app.cli.context import Cli
from app.cli.duplicates import say_sets
from app.cli.follow import follow_run, start_and_follow
from app.db import runs
from app.model import Run, Trigger
from app.overview.duplicates import sets_of_preview, totals_of
from app.overview.runs import run_with_steps


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; print what it would find, set by set, as fdupes does.")
@click.pass_obj
def dedup(cli: Cli, dry_run: bool) -> int:
    """Scan the ingest folder and find duplicates.

    With --dry-run no file and no verdict changes: every set of files with the same content is printed, those that are
    known and those that would be found, as paths with an empty line between sets, the original first.
    """
    if not dry_run:
        return start_and_follow(cli, lambda: jobs.start_dedup(cli.services, Trigger.CLI))
    cli.talk_beside()
    run = jobs.start_dedup_preview(cli.services, Trigger.CLI)
    code = follow_run(cli, run, tell=False)
    if code == 0:
        _show(cli, run)
    return code


def _show(cli: Cli, run: Run) -> None:
    found = sets_of_preview(cli.services, run.id)
    with cli.services.db.reading() as conn:
        told = run_with_steps(conn, runs.get(conn, run.id))
    if cli.as_json:
        sets = list(found)
        cli.print_json({"run": told, "totals": totals_of(sets), "sets": sets})
        return
    cli.say(told["steps"][-1]["message"])
    say_sets(cli, found)
