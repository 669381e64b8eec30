"""Every subcommand. A new one is a file of its own beside this one, and one entry here."""

from __future__ import annotations

import click

from app.cli.batch import batch
from app.cli.doctor import doctor
from app.cli.setup import setup
from app.cli.show import overview
from app.cli.stages import cleanup, dedup, run_everything, sort, sync
from app.cli.why import why

COMMANDS: tuple[click.Command, ...] = (
    run_everything, dedup, batch, sync, sort, cleanup, overview, why, doctor, setup,
)  # fmt: skip
