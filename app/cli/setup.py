"""`setup`: what a fresh machine needs once. Safe to call again."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.context import Cli
from app.diagnostics import Check, check_folders
from app.errors import RootUnavailable, printable
from app.files.roots import add_missing_roots, were_set_up
from app.services import Services, open_services, set_up
from app.syncthing.checks import OK

DEFAULTS = Path(__file__).resolve().parents[2] / "config" / "default.yaml"


@click.command()
@click.option("--roots", is_flag=True, help="Also set up folders that are new in the configuration.")
@click.pass_obj
def setup(cli: Cli, roots: bool) -> int:
    """Make the configuration when there is none, migrate the database, set up the folders of a first start.

    Then tries out what each folder can do, and says what it cannot.
    """
    made_config = _make_config(cli.config_path)
    services, away = _set_up(cli)
    try:
        known = add_missing_roots(services.db, services.config) if roots else None
        listed = known or [root for of_kind in services.roots.values() for root in of_kind]
        lacking = [check for check in check_folders(services) if check.state != OK]
        report = {
            "config": cli.config_path,
            "config_made": made_config,
            "database": services.config.system.db_path,
            "roots": [{"kind": root.kind.value, "path": printable(root.path)} for root in listed],
            "fault": str(away) if away else None,
            "lacking": [asdict(check) for check in lacking],
        }
    finally:
        services.close()
    if cli.as_json:
        cli.print_json(report)
    cli.say(f"Settings: {cli.config_path}{' (made)' if made_config else ''}")
    cli.say(f"Database: {report['database']}")
    for root in listed:
        cli.say(f"{root.kind.value} folder: {printable(root.path)}")
    _tell(lacking)
    if away is not None:
        click.echo(f"{away} Nothing moves until it is back; everything else can start.", err=True)
    return 0


def _tell(lacking: list[Check]) -> None:
    for check in lacking:
        click.echo(f"{check.state}: {check.cause} {check.fix}".rstrip(), err=True)


def _set_up(cli: Cli) -> tuple[Services, RootUnavailable | None]:
    """The services, and what is wrong with a folder that went missing after the first start, if one did.

    Such a folder keeps nothing from starting: it may be mounted later, and until then the pages say so.
    """
    snapshot = cli.container.store.load()
    try:
        return set_up(snapshot), None
    except RootUnavailable as error:
        services = open_services(snapshot)
        if were_set_up(services.db):
            return services, error
        services.close()
        raise


def _make_config(path: str) -> bool:
    """Copy the defaults to a path where there is nothing yet; returns whether it did."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as target, DEFAULTS.open("rb") as source:
        shutil.copyfileobj(source, target)
    return True
