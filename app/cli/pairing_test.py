"""`pairing-test`: a small file to the peer and back out, before any photo goes there."""

from __future__ import annotations

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.model import Trigger
from app.model.pairing import PairingState
from app.overview.pairing import pairing_overview


@click.command("pairing-test")
@click.option("--status", "only_status", is_flag=True, help="Show the last test instead of making one.")
@click.pass_obj
def pairing_test(cli: Cli, only_status: bool) -> int:
    """Send a small file to the peer, see it proven there, and remove it again.

    Ends with 0 when the test is passed, with 1 when it failed or still waits for the peer.
    """
    code = 0
    if not only_status:
        code = follow_run(cli, jobs.start_pairing_test(cli.services, Trigger.CLI), tell=False)
    with cli.services.db.reading() as conn:
        found = pairing_overview(conn)
    if cli.as_json:
        cli.print_json(found)
    else:
        cli.say(found["detail"])
    if only_status:
        return int(found["state"] == PairingState.FAILED)
    return code or int(found["state"] != PairingState.PASSED)
