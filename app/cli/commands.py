"""Every subcommand. A new one is a file of its own beside this one, and one entry here."""

from __future__ import annotations

import click

from app.cli.assets import assets
from app.cli.backup import backup, restore_backup
from app.cli.batch import batch
from app.cli.completion import completion
from app.cli.config import config
from app.cli.doctor import doctor
from app.cli.duplicates import duplicates
from app.cli.journal import journal
from app.cli.keys import key
from app.cli.logs import logs
from app.cli.preview import preview
from app.cli.rebuild import rebuild
from app.cli.retry import retry
from app.cli.runs import runs
from app.cli.setup import setup
from app.cli.show import overview
from app.cli.stages import cleanup, dedup, run_everything, sort, sync
from app.cli.undo import undo
from app.cli.verify import findings, verify
from app.cli.why import why

COMMANDS: tuple[click.Command, ...] = (
    run_everything, preview, dedup, batch, sync, sort, cleanup, retry, undo, verify, findings,
    overview, assets, duplicates, why, runs, journal, logs,
    config, key,
    doctor, setup, rebuild, backup, restore_backup, completion,
)  # fmt: skip
