"""The menu for people at a terminal. Each choice is a command of the command line, with what it needs asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from app.cli.context import Cli
from app.cli.ends import Stopped
from app.cli.show import show_batches
from app.errors import MediaPipelineError

BACK = "Enter: back"
BATCHES_SHOWN = 5


def _ask_batch(cli: Cli) -> str:
    show_batches(cli, BATCHES_SHOWN)
    return _ask(f"Batch id ({BACK})")


def _ask_file(_cli: Cli) -> str:
    return _ask(f"Path, name or id of a file ({BACK})")


def _ask(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False)).strip()


class Choice(NamedTuple):
    """One line of the menu: what it says, the command that it stands for, and what has to be asked first."""

    label: str
    command: str
    ask: Callable[[Cli], str] | None = None
    options: tuple[str, ...] = ()


CHOICES: dict[str, Choice] = {
    "1": Choice("Run full workflow", "run"),
    "2": Choice("Run dedup", "dedup"),
    "3": Choice("Create batch", "batch", options=("create",)),
    "4": Choice("Start sync", "sync", _ask_batch),
    "5": Choice("Run sort", "sort", _ask_batch),
    "6": Choice("Run cleanup", "cleanup"),
    "7": Choice("Show overview", "overview"),
    "8": Choice("Preview: what would a run do?", "preview"),
    "9": Choice("Why is a file where it is?", "why", _ask_file),
    "10": Choice("Retry what failed", "retry"),
    "11": Choice("Undo a batch", "undo", _ask_batch),
    "12": Choice("Verify the archive", "verify"),
    "13": Choice("Doctor: is everything as it should be?", "doctor"),
}


def show_menu(context: click.Context) -> None:
    """Ask again and again what to do, until q or the end of the input."""
    cli = context.obj
    while True:
        _print_choices(cli)
        try:
            choice = _ask("Choose").lower() or "q"
        except click.Abort:
            return
        if choice == "q":
            return
        _carry_out(context, choice)


def _print_choices(cli: Cli) -> None:
    cli.say("\nMedia Pipeline")
    for key, choice in CHOICES.items():
        cli.say(f"  {key:>2}  {choice.label}")
    cli.say("   q  Quit")


def _carry_out(context: click.Context, key: str) -> None:
    cli: Cli = context.obj
    if key not in CHOICES:
        cli.say(f"There is no choice {key!r}.")
        return
    choice = CHOICES[key]
    try:
        answer = choice.ask(cli) if choice.ask is not None else None
        if answer == "":
            return
        words = [choice.command, *choice.options, *(["--", answer] if answer is not None else [])]
        context.command.main(words, prog_name=context.info_name, standalone_mode=False, obj=cli)
    except (click.Abort, Stopped):
        cli.say("\nBack.")
    except click.ClickException as error:
        cli.say(error.format_message())
    except MediaPipelineError as error:
        cli.say(str(error))
