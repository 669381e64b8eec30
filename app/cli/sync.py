"""`sync`: delivering a batch, how far that is, looking again at once, and how deliveries went."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem
from rich.table import Table
from rich.text import Text

from app import jobs
from app.cli.context import Cli
from app.cli.follow import start_and_follow
from app.cli.options import BATCH_ID, DAY, LARGEST_ID
from app.db import batches
from app.model import BatchStatus, Trigger
from app.model.counting import counted, size_in_words
from app.model.peer_policy import duration_in_words
from app.overview.delivery_devices import missing_at
from app.overview.peer_policy import policy_now
from app.overview.sync_history import sync_history
from app.overview.transfer import deliveries_under_way, live_progress

#: So many missing files are named with each peer.
MISSING_SHOWN = 5


class SyncGroup(click.Group):
    """Verbs about deliveries; with the id of a batch alone, that batch is delivered."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put the verb in that a person left out."""
        helps = args and args[0] in context.help_option_names
        if args and not helps and (args[0].isdecimal() or args[0].startswith("-")):
            args = ["start", *args]
        return super().parse_args(context, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs, and the ids of batches."""
        return [*super().shell_complete(ctx, incomplete), *BATCH_ID.shell_complete(ctx, self.params[0], incomplete)]


@click.group(cls=SyncGroup)
def sync() -> None:
    """Deliver a batch: sync ID. Also: how far a delivery is, looking again at once, how deliveries went."""


@sync.command("start")
@click.argument("batch_id", type=BATCH_ID)
@click.pass_obj
def start(cli: Cli, batch_id: int) -> int:
    """Deliver a batch."""
    return start_and_follow(cli, lambda: jobs.start_sync(cli.services, batch_id, Trigger.CLI))


@sync.command("status")
@click.argument("batch_id", type=BATCH_ID, required=False)
@click.pass_obj
def status(cli: Cli, batch_id: int | None) -> int:
    """Show how far a delivery is, how fast it goes and what it waits for; without BATCH_ID, each one under way."""
    with cli.services.db.reading() as conn:
        if batch_id is None:
            deliveries = deliveries_under_way(conn)
        else:
            deliveries = [live_progress(conn, batches.get(conn, batch_id))]
    if cli.as_json:
        cli.print_json({"batches": deliveries} if batch_id is None else deliveries[0])
        return 0
    for found in deliveries:
        tell_delivery(cli, found)
    if not deliveries:
        cli.say("No delivery is under way.")
    return 0


@sync.command("policy")
@click.pass_obj
def policy(cli: Cli) -> int:
    """Say what happens to the peer's files, how much room there is, and which batches are under way."""
    found = policy_now(cli.services)
    if cli.as_json:
        cli.print_json(found)
        return 0
    cli.say(f"{found['peer_policy']}: {found['at_the_peer']}")
    cli.say(f"Room: {found['room']['words']}.".replace("..", "."))
    for batch in found["batches"]:
        cli.say(f"{batch['name']} (id {batch['id']}) is {batch['status']}: {batch['at_the_peer']}")
        if batch["seconds_left"]:
            cli.say(f"  The peer's copies go in {duration_in_words(batch['seconds_left'])}.")
    return 0


def tell_delivery(cli: Cli, found: dict[str, Any]) -> None:
    """How far a delivery is, in words, each fact once."""
    files = counted(found["file_count"], "file", "files")
    cli.say(f"Delivery of {found['batch']}: {found['confirmed_count']:,} of {files} proven{_where(found['devices'])}.")
    words = _words(found)
    if words:
        cli.say(f"  {words}")
    for device in found["devices"]:
        if len(found["devices"]) > 1:
            cli.say(f"  {device['sentence']}.")
        _tell_missing(cli, found["batch_id"], device, words)
    cli.say(f"  {transfer_words(found['transfer'])}")


def _where(devices: list[dict[str, Any]]) -> str:
    if len(devices) > 1:
        return f" at all {len(devices)} peers"
    return f" at {devices[0]['name']}" if devices else ""


def _words(found: dict[str, Any]) -> str:
    """What is to be said of a delivery beside its count: why it stopped, what is released, what it waits for."""
    if found["status"] == BatchStatus.ERROR:
        return f"It stopped: {found['detail'] or ''}"
    says_more = found["status"] == BatchStatus.SYNCED and found["detail"]
    return str(found["detail"] if says_more else found["waits_for"] or "")


def _tell_missing(cli: Cli, batch_id: int, device: dict[str, Any], told: str) -> None:
    """What one peer waits for, when that was not told yet, and the first files that it lacks."""
    if not device["missing_count"]:
        return
    if device["words"] not in told:
        cli.say(f"    {device['words']}")
    for file in device["missing"][:MISSING_SHOWN]:
        cli.say(f"    {file['path']}: {file['reason']}")
    if device["missing_count"] > MISSING_SHOWN:
        more = device["missing_count"] - MISSING_SHOWN
        cli.say(f"    and {more:,} more: media-pipeline sync missing {batch_id} --device {device['id']}")


def transfer_words(transfer: dict[str, Any]) -> str:
    """The rate, when it is known, and the time that is left, or why it is not known."""
    rate = transfer["rate_bytes_per_second"]
    return (f"{size_in_words(rate)}/s. " if rate else "") + str(transfer["remaining_words"])


@sync.command("missing")
@click.argument("batch_id", type=BATCH_ID)
@click.option("--device", "device_id", default="", help="The device, when the batch has more than one.")
@click.option("--after", "after_id", default=0, type=click.IntRange(0, LARGEST_ID), help="Only files after this id.")
@click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.pass_obj
def missing(cli: Cli, batch_id: int, device_id: str, after_id: int, limit: int) -> int:
    """List the files that a peer is not proven to have, each with the reason."""
    with cli.services.db.reading() as conn:
        found = missing_at(conn, batches.get(conn, batch_id), device_id, after_id, limit)
    if cli.as_json:
        cli.print_json(found)
        return 0
    for file in found["files"]:
        cli.say(f"{file['path']}: {file['reason']}")
    if not found["files"]:
        cli.say(f"No file is missing at {found['name']}." if found["name"] else "No device must have it yet.")
    elif found["next_after_id"] is not None:
        cli.say(f"There are more: --after {found['next_after_id']}")
    return 0


@sync.command("refresh")
@click.pass_obj
def refresh(cli: Cli) -> int:
    """Have the worker look at every delivery now instead of at its next turn."""
    refreshed = jobs.look_now(cli.services)
    with cli.services.db.reading() as conn:
        found = [live_progress(conn, batch) for batch in refreshed.batches]
    if cli.as_json:
        cli.print_json({"count": len(found), "batches": found, "worker_alive": refreshed.worker_alive})
        return 0
    cli.say(refreshed.sentence)
    for delivery in found:
        tell_delivery(cli, delivery)
    return 0


@sync.command("history")
@click.option("--batch", "batch_id", type=BATCH_ID, help="Only samples of this batch.")
@click.option("--device", "device_id", default="", help="Only what concerns this device.")
@click.option("--since", default="", type=DAY, metavar="INSTANT", help="Only samples at this day or instant or after.")
@click.option("--before", "before_id", type=click.IntRange(1, LARGEST_ID), help="Only samples before this id.")
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--days", default=7, show_default=True, type=click.IntRange(0, 90), help="Days of what was received.")
@click.pass_obj
def history(cli: Cli, /, **terms: Any) -> int:
    """Show how deliveries went: samples, newest first, and what each peer received per day."""
    with cli.services.db.reading() as conn:
        found = sync_history(conn, **terms)
    if cli.as_json:
        cli.print_json(found)
    elif not (found["samples"] or found["daily"]):
        cli.say("Nothing was delivered in that time.")
    else:
        cli.console.print(_daily(found["daily"]))
        cli.console.print(_samples(found["samples"]))
    return 0


def _daily(found: list[dict[str, Any]]) -> Table:
    table = Table(title="Received per day (UTC)", title_justify="left")
    for name in ("Day", "Device", "Files", "Bytes"):
        table.add_column(name, justify="right" if name in ("Files", "Bytes") else "left")
    for day in found:
        table.add_row(day["day"], Text(day["device_id"][:7]), f"{day['file_count']:,}", f"{day['size_bytes']:,}")
    return table


def _samples(found: list[dict[str, Any]]) -> Table:
    table = Table(title="Samples", title_justify="left")
    for name in ("At (UTC)", "Batch", "Device", "Proven", "Lacks", "Rate"):
        table.add_column(name, justify="right" if name in ("Proven", "Lacks", "Rate") else "left")
    for sample in found:
        lacks = "unknown" if sample["need_bytes"] is None else size_in_words(sample["need_bytes"])
        table.add_row(
            sample["at"][:19].replace("T", " "),
            str(sample["batch_id"]),
            Text(sample["device_id"][:7]),
            counted(sample["confirmed_files"], "file", "files"),
            lacks,
            "unknown" if sample["rate"] is None else f"{size_in_words(round(sample['rate']))}/s",
        )
    return table
