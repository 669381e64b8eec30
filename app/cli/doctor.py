"""`doctor`: is everything as it should be? Looks, and with `--repair` mends what needs no media file touched."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.diagnostics import doctor as examine
from app.model import Trigger

STYLES = {"ok": "green", "warning": "yellow", "fault": "bold red"}


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without touching a media file.")
@click.pass_obj
def doctor(cli: Cli, repair: bool) -> int:
    """Check everything: settings, database, folders, processes, tools, the work itself, Syncthing.

    Ends with 1 when something is wrong. Each finding says what to do.
    """
    repaired = [made.as_json() for made in jobs.repair(cli.services, Trigger.CLI)] if repair else []
    found = examine(cli.container)
    if cli.as_json:
        cli.print_json({**found, "repaired": repaired})
    else:
        _tell(cli, found, repaired)
    return 0 if found["ok"] else 1


def _tell(cli: Cli, found: dict[str, Any], repaired: list[dict[str, str]]) -> None:
    for made in repaired:
        cli.say(f"repaired {made['name']}: {made['done']}")
    for check in found["checks"]:
        state = Text(f"{check['state']:8} ", style=STYLES[check["state"]])
        cli.console.print(state, Text(f"{check['name']}: {check['cause']}"), sep="", soft_wrap=True)
        if check["fix"]:
            cli.say(f"{'':9}What to do: {check['fix']}")
    cli.say(found["summary"])
