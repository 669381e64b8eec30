"""`pairing-test`: a small file to the peer and back out, before any photo goes there."""

from __future__ import annotations

import math
from typing import Any

import click

from app import jobs
from app.cli.context import Cli
from app.cli.follow import Patience, follow_run
from app.model import Run, Trigger
from app.model.pairing import PairingState
from app.overview.pairing import pairing_overview

MOST_MINUTES = 525_600


@click.command("pairing-test")
@click.option("--status", "only_status", is_flag=True, help="Show the last test instead of making one.")
@click.option(
    "--max-minutes", default=0.0, type=click.FloatRange(0, MOST_MINUTES),
    help="Follow it no longer than that; 0 = until it has ended.",
)  # fmt: skip
@click.pass_obj
def pairing_test(cli: Cli, only_status: bool, max_minutes: float) -> int:
    """Send a small file to the peer, see it proven there, and remove it again.

    A test that still waits for the peer is taken up again. With or without a running service it is followed to its
    end.

    Ends with 0 when the test is passed; with 1 when it failed, or still waits when the time is over; with 2 when it
    cannot be made now.
    """
    code = 0
    if not only_status:
        patience = Patience(max_minutes * 60 or math.inf, lambda: str(_last(cli)["detail"]))
        code = follow_run(cli, _test(cli), tell=False, patience=patience)
    found = _last(cli)
    if cli.as_json:
        cli.print_json(found)
    else:
        cli.say(found["detail"])
    if only_status:
        return int(found["state"] == PairingState.FAILED)
    return code or int(found["state"] != PairingState.PASSED)


def _test(cli: Cli) -> Run:
    waiting = jobs.find_waiting_test(cli.services)
    if waiting is None:
        return jobs.start_pairing_test(cli.services, Trigger.CLI)
    cli.say(f"The pairing test of run {waiting.id} still waits for the peer; it is taken up again.")
    return waiting


def _last(cli: Cli) -> dict[str, Any]:
    with cli.services.db.reading() as conn:
        return pairing_overview(conn)
