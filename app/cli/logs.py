"""`logs`: what the processes wrote, for people in lines, for programs as JSON; `-f` goes on as more comes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import click

from app.cli.context import Cli
from app.cli.options import BATCH_ID, RUN_ID
from app.diagnostics.logs import LEVELS, PROCESSES, Places, Record, Wanted, cursor_of, look, read_last
from app.model import Stage

LOOK_EVERY_SECONDS = 0.3
#: What a line begins with, and so does not repeat at its end.
LEADING = ("at", "process", "level", "event", "logger", "exception")


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written from now on, until ^C.")
@click.option("--process", "-p", "processes", multiple=True, type=click.Choice(PROCESSES), help="Only this process.")
@click.option("--lines", "-n", default=50, show_default=True, type=click.IntRange(0, 100_000))
@click.option("--level", default="debug", type=click.Choice(LEVELS), help="Only lines of at least this level.")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), help="Only lines of this stage.")
@click.option("--run", "run_id", type=RUN_ID, help="Only lines of this run.")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only lines of this batch.")
@click.pass_obj
def logs(
    cli: Cli,
    follow: bool,
    processes: Sequence[str],
    lines: int,
    level: str,
    stage: str | None,
    run_id: int | None,
    batch_id: int | None,
) -> int:
    """Show the last lines of the logs, in the order of their times.

    With --json one document, that of GET /api/logs; with --follow and --json one document a line.
    """
    log_dir = cli.services.config.system.log_dir
    wanted = Wanted(processes or PROCESSES, level, stage, run_id, batch_id)
    found, places = read_last(log_dir, wanted, lines)
    if cli.as_json and not follow:
        cli.print_json({"lines": found, "cursor": cursor_of(places), "skipped": False})
        return 0
    for record in found:
        _print(cli, record)
    if not follow and not found:
        cli.say(f"Nothing is written in {log_dir} yet.")
    if follow:
        _follow(cli, log_dir, wanted, places)
    return 0


def _follow(cli: Cli, log_dir: str, wanted: Wanted, places: Places) -> None:
    while True:
        seen = look(log_dir, wanted, places)
        for record, _ in seen.found:
            _print(cli, record)
        places = seen.places
        time.sleep(LOOK_EVERY_SECONDS)


def _print(cli: Cli, record: Record) -> None:
    if cli.as_json:
        click.echo(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        return
    more = "  ".join(f"{name}={value}" for name, value in record.items() if name not in LEADING)
    at = str(record.get("at", ""))[:19].replace("T", " ")
    cli.say(f"{at} {record['process']:6} {record.get('level', ''):7} {record.get('event', '')}  {more}".rstrip())
    if "exception" in record:
        cli.say(str(record["exception"]))
