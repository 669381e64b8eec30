"""The menu for people at a terminal."""

from __future__ import annotations

from collections.abc import Callable

import click

from app import jobs
from app.cli.batch import make_batch
from app.cli.context import Cli
from app.cli.follow import start_and_follow
from app.cli.show import show_batches, show_overview
from app.errors import MediaPipelineError
from app.model import Trigger

LARGEST_ID = 2**63 - 1


def show_menu(cli: Cli) -> None:
    """Ask again and again what to do, until q or the end of the input."""
    while True:
        _print_choices(cli)
        try:
            choice = click.prompt("Choose", default="q", show_default=False).strip().lower()
        except click.Abort:
            return
        if choice == "q":
            return
        _carry_out(cli, choice)


def _print_choices(cli: Cli) -> None:
    cli.say("\nMedia Pipeline")
    for key, (label, _) in CHOICES.items():
        cli.say(f"  {key}  {label}")
    cli.say("  q  Quit")


def _carry_out(cli: Cli, choice: str) -> None:
    if choice not in CHOICES:
        cli.say(f"There is no choice {choice!r}.")
        return
    try:
        CHOICES[choice][1](cli)
    except MediaPipelineError as error:
        cli.say(str(error))


def _ask_batch(cli: Cli) -> int:
    show_batches(cli, 5)
    return int(click.prompt("Batch id", type=click.IntRange(1, LARGEST_ID)))


def _run(cli: Cli) -> int:
    return start_and_follow(cli, lambda: jobs.start_workflow(cli.services, Trigger.CLI))


def _dedup(cli: Cli) -> int:
    return start_and_follow(cli, lambda: jobs.start_dedup(cli.services, Trigger.CLI))


def _sync(cli: Cli) -> int:
    batch_id = _ask_batch(cli)
    return start_and_follow(cli, lambda: jobs.start_sync(cli.services, batch_id, Trigger.CLI))


def _sort(cli: Cli) -> int:
    batch_id = _ask_batch(cli)
    return start_and_follow(cli, lambda: jobs.start_sort(cli.services, batch_id, Trigger.CLI))


def _cleanup(cli: Cli) -> int:
    return start_and_follow(cli, lambda: jobs.start_cleanup(cli.services, Trigger.CLI))


CHOICES: dict[str, tuple[str, Callable[[Cli], int]]] = {
    "1": ("Run full workflow", _run),
    "2": ("Run dedup", _dedup),
    "3": ("Create batch", make_batch),
    "4": ("Start sync", _sync),
    "5": ("Run sort", _sort),
    "6": ("Run cleanup", _cleanup),
    "7": ("Show overview", show_overview),
}
