"""`verify`: read files again; `findings`: what was found, and a person's word about it."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.follow import follow_run
from app.cli.options import LARGEST_ID, Noun
from app.db import runs
from app.errors import BadRequest, MediaPipelineError
from app.jobs.verify import MOST_DAYS, MOST_MB_PER_SECOND, MOST_MINUTES
from app.model import FindingKind, Run, RunStatus, Trigger
from app.overview.runs import run_with_steps
from app.overview.verification import REMEDIES, find_finding, find_findings, verification_status

FINDING_ID = click.IntRange(1, LARGEST_ID)
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
        _print(cli, found)
    return 1 if found["counts"]["total"] or run.status not in ENDED_WELL else 0


def _show_status(cli: Cli) -> int:
    status = verification_status(cli.services)
    if cli.as_json:
        cli.print_json(status)
        return 1 if status["findings"]["total"] else 0
    last = status["run"]
    if last is None:
        cli.say("Nothing was ever verified.")
    else:
        message = next((step["message"] for step in last["steps"]), "") or last["status"]
        cli.say(f"Run {last['id']} ({last['requested_at'][:19].replace('T', ' ')} UTC): {message}")
    for name, part in status["coverage"].items():
        oldest = part["oldest_verified_at"]
        others = f"; each of the others was on {oldest[:10]} or later" if oldest else ""
        cli.say(f"{name}: {part['never_verified']:,} of {part['files']:,} files were never verified{others}.")
    if status["next_at"]:
        cli.say(f"The next one begins at {status['next_at'][:16].replace('T', ' ')} UTC.")
    cli.say(f"{status['findings']['total']:,} findings wait for a person.")
    return 1 if status["findings"]["total"] else 0


@click.group(cls=Noun)
def findings() -> None:
    """List what verifications found; take what was found for right."""


@findings.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in FindingKind]), help="Only this kind.")
@click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--after", "after_id", default=0, type=click.IntRange(0, LARGEST_ID), help="Only those after this id.")
@click.pass_obj
def list_(cli: Cli, kind: str | None, limit: int, after_id: int) -> int:
    """List what waits for a person, each with its reason and what to do. Ends with 1 when there is something."""
    with cli.services.db.reading() as conn:
        found = find_findings(conn, FindingKind(kind) if kind else None, after_id, limit)
        while not found["findings"] and found["next_after_id"]:  # thousands of ignored files may come first
            found = find_findings(conn, None, found["next_after_id"], limit)
    if cli.as_json:
        cli.print_json(found)
    elif found["findings"]:
        _print(cli, found)
    else:
        cli.say("Nothing was found.")
    return 1 if found["findings"] and kind != FindingKind.IGNORED.value else 0


@findings.command("show")
@click.argument("finding_id", type=FINDING_ID)
@click.pass_obj
def show(cli: Cli, finding_id: int) -> int:
    """Show one finding: the place, what is wrong there, what it holds now, and what to do."""
    with cli.services.db.reading() as conn:
        found = find_finding(conn, finding_id)
    if cli.as_json:
        cli.print_json(found)
        return 0
    cli.say(f"Finding {found['id']}, {found['kind']}: {found['place']}")
    cli.say(found["reason"])
    if found["asset_id"]:
        cli.say(f"It is about file {found['asset_id']}; more: media-pipeline why {found['asset_id']}")
    if found["sha256"]:
        cli.say(f"What lies there now has the SHA-256 {found['sha256']}.")
    cli.say(f"What to do: {found['remedy']}")
    return 0


@findings.command("accept")
@click.argument("finding_ids", nargs=-1, required=True, type=FINDING_ID)
@click.option("--how", type=click.Choice(["ignore", "adopt"]), help="What to do with foreign files; default: ignore.")
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.pass_obj
def accept(cli: Cli, finding_ids: tuple[int, ...], how: str | None, yes: bool) -> int:
    """Take what was found for right. No file is touched; the rows are changed to fit.

    Altered: the new content is right. Missing: it is gone. Moved: the new place is right. Foreign: ignored, or adopted
    as an archived file. Ends with 1 when one could not be accepted; the others are.
    """
    if not cli.confirm(f"Take {len(finding_ids):,} findings for right, as they are?", yes):
        cli.say("Nothing was changed.")
        return 2
    taken: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for finding_id in finding_ids:
        try:
            taken.append(jobs.accept_finding(cli.services, finding_id, how).as_json())
            cli.say(taken[-1]["done"])
        except BadRequest:
            raise
        except MediaPipelineError as error:
            refused.append({"finding_id": finding_id, "reason": str(error)})
            cli.say(str(error))
    if cli.as_json:
        cli.print_json({"accepted": taken, "refused": refused})
    return 1 if refused else 0


@findings.command("report")
@click.argument("finding_id", type=FINDING_ID)
@click.pass_obj
def report(cli: Cli, finding_id: int) -> int:
    """Report a foreign file again that was ignored."""
    reported = jobs.report_again(cli.services, finding_id)
    if cli.as_json:
        cli.print_json(reported.as_json())
    cli.say(reported.done)
    return 0


def _print(cli: Cli, found: dict[str, Any]) -> None:
    table = Table()
    for name in ("Id", "Kind", "Place", "Reason"):
        table.add_column(name, overflow="fold", justify="right" if name == "Id" else "left")
    for finding in found["findings"]:
        cells = (str(finding["id"]), finding["kind"], Text(finding["place"]), Text(finding["reason"]))
        table.add_row(*cells)
    cli.console.print(table)
    _print_remedies(cli, found["findings"])
    if found["next_after_id"]:
        cli.say(f"There are more: media-pipeline findings --after {found['next_after_id']}")


def _print_remedies(cli: Cli, found: list[dict[str, Any]]) -> None:
    """What to do: once for each kind, and by itself for each file of which a good copy is known."""
    general = {kind.value: remedy for kind, remedy in REMEDIES.items()}
    for finding in found:
        if finding["remedy"] != general[finding["kind"]]:
            cli.say(f"What to do about finding {finding['id']}: {finding['remedy']}")
    for kind in dict.fromkeys(f["kind"] for f in found if f["remedy"] == general[f["kind"]]):
        cli.say(f"What to do about {kind} files: {general[kind]}")
