"""`verify`: read files again, or tell what was verified when."""

from __future__ import annotations

from typing import Any

import click

from app import jobs
from app.cli.context import Cli
from app.cli.findings import show_found
from app.cli.follow import follow_run
from app.db import runs
from app.jobs.verify import MOST_DAYS, MOST_MB_PER_SECOND, MOST_MINUTES
from app.model import Run, RunStatus, Trigger
from app.model.counting import counted
from app.overview.runs import run_with_steps
from app.overview.verification import find_findings, verification_status

ENDED_WELL = (RunStatus.DONE, RunStatus.PAUSED, RunStatus.WAITING)


@click.command()
@click.option("--roots", default="", metavar="NAMES", help="archive, batch, duplicates, ingest, with commas between.")
@click.option("--max-mb-per-second", type=click.FloatRange(0, MOST_MB_PER_SECOND), help="Read no faster; 0 = no cap.")
@click.option("--max-minutes", type=click.FloatRange(0, MOST_MINUTES), help="Then others may go first; 0 = no limit.")
@click.option("--older-than-days", type=click.IntRange(0, MOST_DAYS), help="Only what was not verified for so long.")
@click.option("--status", is_flag=True, help="Start nothing; show the last verification and what was verified when.")
@click.pass_obj
def verify(
    cli: Cli,
    roots: str,
    max_mb_per_second: float | None,
    max_minutes: float | None,
    older_than_days: int | None,
    status: bool,
) -> int:
    """Read files again, and compare each with what it should hold. No file is touched.

    One that let other runs go first, and was asked for in the same words, goes on where it stopped.

    Ends with 1 when something was found, now or before, that waits for a person; `findings` lists it.
    """
    if status:
        return _show_status(cli)
    run = jobs.start_verify(
        cli.services,
        Trigger.CLI,
        roots=[name.strip() for name in roots.split(",")] if roots else None,
        max_mb_per_second=max_mb_per_second,
        max_minutes=max_minutes,
        older_than_days=older_than_days,
    )
    cli.say(f"Run {run.id} was asked for.")
    code = follow_run(cli, run, tell=False)
    return max(code, _tell_result(cli, run))


def _tell_result(cli: Cli, run: Run) -> int:
    with cli.services.db.reading() as conn:
        found = find_findings(conn, None, 0, 100)
        run = runs.get(conn, run.id)
        ended = run_with_steps(conn, run)
    if cli.as_json:
        cli.print_json({**ended, "findings": found["counts"]})
    elif found["counts"]["total"]:
        show_found(cli, found)
    return 1 if found["counts"]["total"] or run.status not in ENDED_WELL else 0


def _show_status(cli: Cli) -> int:
    status = verification_status(cli.services)
    if cli.as_json:
        cli.print_json(status)
        return 1 if status["findings"]["total"] else 0
    last = status["run"]
    if last is None:
        cli.say("Nothing was ever verified. Begin with: media-pipeline verify")
    else:
        message = next((step["message"] for step in last["steps"]), "") or last["status"]
        cli.say(f"Run {last['id']} ({last['requested_at'][:19].replace('T', ' ')} UTC): {message}")
    for name, part in status["coverage"].items():
        cli.say(f"{name}: {_coverage(part)}.")
    if status["next_at"]:
        cli.say(f"The next one begins at {status['next_at'][:16].replace('T', ' ')} UTC.")
    waiting = status["findings"]["total"]
    many = counted(waiting, "finding waits", "findings wait") if waiting else "Nothing waits"
    cli.say(f"{many} for a person.")
    return 1 if status["findings"]["total"] else 0


def _coverage(part: dict[str, Any]) -> str:
    files, never, oldest = part["files"], part["never_verified"], part["oldest_verified_at"]
    if not files:
        return "no file is there yet"
    if oldest is None:
        return f"{counted(files, 'file', 'files')}, and none was ever verified"
    since = f"{oldest[:10]} or later"
    if not never:
        return f"{counted(files, 'file, and it was', 'files, and each was')} verified on {since}"
    return f"{counted(files, 'file', 'files')}, {never:,} of them never verified; each of the others was on {since}"
