"""`findings`: what verifications found, and a person's word about it, one by one or all of a kind at once."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.options import LARGEST_ID, Noun
from app.errors import BadRequest, MediaPipelineError
from app.jobs.findings_of_kind import ACCEPTABLE
from app.model import FindingKind
from app.model.counting import counted
from app.overview.verification import REMEDIES, count_findings, find_finding, find_findings

FINDING_ID = click.IntRange(1, LARGEST_ID)


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
    wanted = FindingKind(kind) if kind else None
    with cli.services.db.reading() as conn:
        found = find_findings(conn, wanted, after_id, limit)
        while not found["findings"] and found["next_after_id"]:  # thousands of ignored files may come first
            found = find_findings(conn, wanted, found["next_after_id"], limit)
    if cli.as_json:
        cli.print_json(found)
    elif found["findings"]:
        show_found(cli, found)
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
@click.argument("finding_ids", nargs=-1, type=FINDING_ID)
@click.option("--all", "every", type=click.Choice([kind.value for kind in ACCEPTABLE]), help="All of this kind.")
@click.option("--kind", type=click.Choice([k.value for k in FindingKind]), help="Only if they still are what you saw.")
@click.option("--how", type=click.Choice(["ignore", "adopt"]), help="What to do with foreign files; default: ignore.")
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.pass_obj
def accept(
    cli: Cli, finding_ids: tuple[int, ...], every: str | None, kind: str | None, how: str | None, yes: bool
) -> int:
    """Take what was found for right. No file is touched; the rows are changed to fit.

    Altered: the new content is right. Missing: it is gone. Moved: the new place is right. Foreign: ignored, or adopted
    as an archived file. Ends with 1 when one could not be accepted; the others are.
    """
    if bool(finding_ids) == bool(every):
        raise BadRequest("Name the ids of findings, or say --all KIND.")
    if every is not None:
        return _accept_all(cli, FindingKind(every), how, yes)
    if not cli.confirm(f"Take {counted(len(finding_ids), 'finding', 'findings')} for right, as found?", yes):
        cli.say("Nothing was changed.")
        return 2
    return _accept_named(cli, finding_ids, FindingKind(kind) if kind else None, how)


def _accept_named(cli: Cli, finding_ids: tuple[int, ...], kind: FindingKind | None, how: str | None) -> int:
    taken: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for finding_id in finding_ids:
        try:
            taken.append(jobs.accept_finding(cli.services, finding_id, how, kind).as_json())
            cli.say(taken[-1]["done"])
        except BadRequest:
            raise
        except MediaPipelineError as error:
            refused.append({"finding_id": finding_id, "reason": str(error)})
            cli.say(str(error))
    if cli.as_json:
        cli.print_json({"accepted": taken, "refused": refused})
    return 1 if refused else 0


def _accept_all(cli: Cli, kind: FindingKind, how: str | None, yes: bool) -> int:
    with cli.services.db.reading() as conn:
        count = count_findings(conn)[kind.value]
    which = counted(count, f"{kind} file", f"{kind} files")
    if count and not cli.confirm(f"Take {which} for right, as found?", yes):
        cli.say("Nothing was changed.")
        return 2
    done = jobs.accept_findings(cli.services, kind, how)
    while done.next_after_id is not None:
        done += jobs.accept_findings(cli.services, kind, how, done.next_after_id)
    cli.say(f"{counted(done.accepted, 'finding was', 'findings were')} accepted.")
    for refused in done.reasons:
        cli.say(f"Finding {refused['finding_id']}: {refused['reason']}")
    if done.refused > len(done.reasons):
        cli.say(f"{done.refused - len(done.reasons):,} more were refused.")
    if cli.as_json:
        cli.print_json(done.as_json())
    return 1 if done.refused else 0


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


def show_found(cli: Cli, found: dict[str, Any]) -> None:
    """A page of findings, and what to do about them."""
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
