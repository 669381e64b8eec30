"""`backup` and `restore`: configuration, database and manifests as one file, and back."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from app.backup.making import make_backup
from app.backup.restoring import Restored, Wish, restore
from app.backup.shelf import Keeping
from app.cli.context import Cli
from app.cli.rebuild import rebuild_and_show

LISTED = 10


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("--keep", default=0, type=click.IntRange(0, 1000), help="Remove all but so many backups of our naming.")
@click.pass_obj
def backup(cli: Cli, file: str | None, keep: int) -> int:
    """Write configuration, database and manifests to one FILE, beside a running service.

    Without FILE it goes to `backup.dir`, or to the folder `backups` beside the database. It holds keys and passwords;
    only its owner may read it. It holds no photos.
    """
    made = make_backup(cli.services, cli.container.store.path, file, Keeping(keep))
    if cli.as_json:
        cli.print_json(asdict(made))
    cli.say(f"{made.path} ({made.size_bytes:,} bytes)")
    cli.say(f"SHA-256 {made.sha256}")
    cli.say("It holds the keys and passwords of the settings: keep it where only you can read it.")
    return 0


@click.command("restore")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Check the backup and say what would be done; change nothing.")
@click.option("--keep-config", is_flag=True, help="Restore database and manifests only; the settings stay.")
@click.option("--mark-folders", is_flag=True, help="The folders lost their markers, and they are the right ones.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore_backup(cli: Cli, file: str, dry_run: bool, keep_config: bool, mark_folders: bool, yes: bool) -> int:
    """Put the backup in FILE back, then put its rows right from what is on disk.

    The service must be stopped; only a --dry-run works beside it. The present database and settings are kept aside.
    Nothing moves until you confirm what was found.
    """
    wish = Wish(is_dry=True, keeps_config=keep_config, marks_folders=mark_folders, is_look_alone=dry_run)
    planned = restore(cli.config_path, file, wish, dict(os.environ))
    if dry_run:
        return _show(cli, planned)
    if not cli.as_json:
        _show(cli, planned)
    if not cli.confirm("Put it back?", yes):
        return 2
    wish = Wish(is_dry=False, keeps_config=keep_config, marks_folders=mark_folders)
    done = restore(cli.config_path, file, wish, dict(os.environ))
    cli.close()
    for sentence in _done(done):
        cli.say(sentence)
    return rebuild_and_show(cli)


def _show(cli: Cli, planned: Restored) -> int:
    if cli.as_json:
        cli.print_json(asdict(planned))
        return 0
    cli.say(f"A whole backup, made at {planned.made_at}, of the database {planned.database_id}.")
    cli.say(f"Database: {planned.db_path}")
    cli.say(f"Settings: {planned.config_path}; that differ: {', '.join(planned.changed_keys) or 'none'}")
    cli.say(f"Manifests: {planned.manifests:,}")
    for path in planned.folders_unmarked:
        cli.say(f"The folder {path} has no marker: mount its disk, or use --mark-folders when it is the right one.")
    return 0


def _done(done: Restored) -> list[str]:
    said = [f"The old database is kept as {done.kept_database}."] if done.kept_database else []
    said += [f"The old settings are kept as {done.kept_config}."] if done.kept_config else []
    back = f"{done.manifests_put_back:,} of {done.manifests:,}"
    said.append(f"{back} manifests were missing in the archive and are back.")
    said += [f"  {name} differs in the archive and stays as it is." for name in done.manifests_differing[:LISTED]]
    return said
