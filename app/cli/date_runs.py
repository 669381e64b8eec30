"""`dates sidecars` and `dates read`: runs about the dates of files in the archive."""

from __future__ import annotations

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run, start_and_follow
from app.cli.options import ASSET_ID
from app.db.doubtful_dates import DateFilter
from app.jobs import SidecarWish
from app.model import Stage, Trigger
from app.overview.doubtful import folder_of


@click.command()
@click.option("--camera", help="Only this camera: its model, else its make; '' where none is known.")
@click.option("--folder", help="Only files that came in this folder of ingest, or below it.")
@click.option("--file", "asset_ids", type=ASSET_ID, multiple=True, help="This file, by its id; once for each.")
@click.option("--due", is_flag=True, help="Only those that were asked for before and are not written yet.")
@click.option("--dry-run", is_flag=True, help="Only say how many files are meant.")
@click.pass_obj
def sidecars(
    cli: Cli, camera: str | None, folder: str | None, asset_ids: tuple[int, ...], due: bool, dry_run: bool
) -> int:
    """Write an XMP file beside each archived file whose date a person decided, as in IMG_1.JPG.xmp.

    Photos and films stay as they are, and so do sidecars that this program did not write.
    """
    if due:
        if dry_run or asset_ids or (camera, folder) != (None, None):
            raise click.UsageError("--due goes with no other option.")
        return start_and_follow(cli, lambda: jobs.start_stage(cli.services, Stage.SIDECARS, Trigger.CLI))
    wish = SidecarWish(asset_ids, DateFilter(camera=camera, folder=folder_of(folder)))
    wished = jobs.start_sidecars(cli.services, wish, Trigger.CLI, dry_run=dry_run)
    cli.say(wished.in_words())
    if wished.run is not None:
        return follow_run(cli, wished.run)
    if cli.as_json:
        cli.print_json({"files": wished.files, "dry_run": dry_run})
    return 0


@click.command()
@click.pass_obj
def read(cli: Cli) -> int:
    """Read what archived files tell of their dates of which that was never recorded; `why` shows it then.

    These are files that were dated by an older version, or that a rebuild found. No date is changed.
    """
    return start_and_follow(cli, lambda: jobs.start_stage(cli.services, Stage.READ_DATES, Trigger.CLI))


def say_what_is_due(cli: Cli) -> None:
    """Say how sidecars come to be written that are due while no service runs, which writes them by itself."""
    if jobs.is_any_due(cli.services) and not jobs.worker_alive(cli.services):
        cli.say("No service is running that writes the XMP files. To have them written now: "
                "media-pipeline dates sidecars --due")


def keep_beside_archive(cli: Cli) -> None:
    """Write what was decided beside the archive too; a service that runs does that by itself within seconds."""
    if (why := jobs.keep_decisions(cli.services)) and not jobs.worker_alive(cli.services):
        cli.say(f"What was decided is not written beside the archive yet: {why} The next run does that.")
