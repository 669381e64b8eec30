"""Printing the overview and lists, as tables for people and JSON for programs."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from app.cli.context import Cli
from app.db import lists
from app.model import BatchStatus
from app.model.counting import counted
from app.overview import lone_sidecars
from app.overview import overview as look
from app.overview.batches import batch_summary
from app.overview.by_itself import in_words


@click.command()
@click.pass_obj
def overview(cli: Cli) -> int:
    """Show the balance sheet, batches, folders and warnings."""
    return show_overview(cli)


def show_overview(cli: Cli) -> int:
    """The overview: balance sheet, run, batches, folders, warnings."""
    seen = look(cli.services, cli.config_facts(), fresh=True)
    if cli.as_json:
        cli.print_json(seen)
        return 0
    cli.console.print(_balance(seen["balance"]))
    if seen["recent_batches"]:
        cli.console.print(_batches(seen["recent_batches"]))
    cli.console.print(_folders(seen["roots"]))
    run = seen["run"]
    cli.say(f"Run {run['id']} is {run['status']}." if run else "Nothing is running.")
    for words in in_words(seen["by_itself"]):
        cli.say(words)
    if seen["doubtful_dates"]:
        dates = counted(seen["doubtful_dates"], "date is doubtful", "dates are doubtful")
        cli.say(f"{dates}: media-pipeline dates list")
    lone = seen["left_in_place"]["lone_sidecars"]
    if lone["files"]:
        cli.say(f"{lone_sidecars.in_words(lone)}: {lone_sidecars.LIST}")
    for warning in seen["warnings"]:
        cli.say(f"{warning['level']}: {warning['message']} {warning['remedy']}")
    return 0


def show_batches(
    cli: Cli, limit: int, status: BatchStatus | None = None, before_id: int | None = None
) -> int:
    """The newest batches."""
    with cli.services.db.reading() as conn:
        listed, next_id = lists.page_of_batches(conn, status, "", before_id, limit)
    found = [batch_summary(batch) for batch in listed]
    if cli.as_json:
        cli.print_json({"batches": found, "next_before_id": next_id})
    elif found:
        cli.console.print(_batches(found))
    else:
        cli.say("There is no such batch.")
    return 0


def _balance(balance: dict[str, Any]) -> Table:
    seen = balance["seen"]
    verdict = "adds up" if balance["adds_up"] else "DOES NOT ADD UP"
    table = Table(title=f"Balance sheet ({verdict})", title_justify="left")
    table.add_column("Files that are")
    table.add_column("Count", justify="right")
    table.add_column("Bytes", justify="right")
    for line in balance["lines"]:
        table.add_row(line["label"], f"{line['files']:,}", f"{line['bytes']:,}")
    table.add_section()
    table.add_row("Seen", f"{seen['files']:,}", f"{seen['bytes']:,}")
    return table


def _batches(found: list[dict[str, Any]]) -> Table:
    table = Table(title="Batches", title_justify="left")
    for name in ("Id", "Name", "Status", "Files", "Bytes", "Made"):
        table.add_column(name, justify="right" if name in ("Id", "Files", "Bytes") else "left")
    for batch in found:
        table.add_row(
            str(batch["id"]),
            Text(batch["name"]),
            batch["status"],
            f"{batch['file_count']:,}",
            f"{batch['size_bytes']:,}",
            batch["created_at"][:19].replace("T", " "),
        )
    return table


def _folders(found: list[dict[str, Any]]) -> Table:
    table = Table(title="Folders", title_justify="left")
    for name in ("Kind", "Path", "Free bytes"):
        table.add_column(name, justify="right" if name == "Free bytes" else "left", overflow="fold")
    for root in found:
        free = "unknown" if root["free_bytes"] is None else f"{root['free_bytes']:,}"
        table.add_row(root["kind"], Text(root["path"]), Text(root["fault"]) if root["fault"] else free)
    return table
