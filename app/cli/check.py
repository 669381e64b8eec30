"""`check`: is everything as it should be? Looks, changes nothing."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.context import Cli
from app.diagnostics import run_checks
from app.overview import overview

FAULT = "fault"


@click.command()
@click.pass_obj
def check(cli: Cli) -> int:
    """Check configuration, database, folders, worker and Syncthing; 1 when something is wrong."""
    services = cli.services
    found = run_checks(services)
    balance = overview(services, cli.config_facts(), fresh=True)["balance"]
    healthy = balance["adds_up"] and all(one.state != FAULT for one in found)
    if cli.as_json:
        cli.print_json({"ok": healthy, "adds_up": balance["adds_up"], "checks": [asdict(one) for one in found]})
    for one in found:
        cli.say(f"{one.state:8} {one.name}: {one.cause} {one.fix}".rstrip())
    verdict = "adds up" if balance["adds_up"] else "does not add up"
    cli.say(f"{'ok' if balance['adds_up'] else FAULT:8} balance sheet: {verdict}")
    return 0 if healthy else 1
