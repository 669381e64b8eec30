"""What commands have in common: `--json` and exit codes on every one, ids that a shell completes, verbs of a noun."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from app.cli.context import Cli
from app.cli.ends import EXIT_CODES
from app.errors import MediaPipelineError

if TYPE_CHECKING:
    from app.db.connection import Connection

F = TypeVar("F", bound=Callable[..., Any])

_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9:.+Z-]*)?)?)?")
LARGEST_ID = 2**63 - 1
#: So many of the newest rows are offered by a shell's completion.
OFFERED = 50


def _remember(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and isinstance(context.obj, Cli):
        context.obj.ask_for_json()


def json_option(function: F) -> F:
    """`--json` after a command, as well as before it. Commands in COMMANDS get it without asking."""
    help_text = "Print one JSON document and nothing else."
    return click.option("--json", is_flag=True, expose_value=False, callback=_remember, help=help_text)(function)


def complete_command(command: click.Command) -> click.Command:
    """Give a command, and every command below it, `--json` and the words about exit codes; returns it."""
    command.epilog = command.epilog or EXIT_CODES
    if isinstance(command, click.Group):
        for below in command.commands.values():
            complete_command(below)
    elif all(parameter.name != "json" for parameter in command.params):
        json_option(command)
    return command


class Noun(click.Group):
    """A group of verbs about one thing: without a verb it lists, with an id it shows that one."""

    #: The verb that is meant when there is none.
    without_verb = "list"

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put the verb in that a person left out."""
        helps = args and args[0] in context.help_option_names
        if not helps and (not args or args[0].startswith("-")):
            args = [self.without_verb, *args]
        elif args and args[0].isdecimal() and "show" in self.commands:
            args = ["show", *args]
        return super().parse_args(context, args)


class _RowId(click.IntRange):
    """A row's id. A shell is offered the newest rows; without a database it is offered nothing."""

    def __init__(self) -> None:
        super().__init__(1, LARGEST_ID)

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids that begin so, the newest first."""
        config_path = context.find_root().params.get("config_path")
        try:
            with Cli(config_path).services.db.reading() as conn:
                rows = self.newest(conn)
        except (MediaPipelineError, OSError):
            return []
        return [CompletionItem(str(key), help=words) for key, words in rows if str(key).startswith(incomplete)]

    def newest(self, conn: Connection) -> list[tuple[int, str]]:
        """(id, a word about it) of the newest rows."""
        raise NotImplementedError


class BatchId(_RowId):
    """The id of a batch."""

    name = "batch id"

    def newest(self, conn: Connection) -> list[tuple[int, str]]:
        """(id, name and status) of the newest batches."""
        from app.db import batches

        return [(batch.id, f"{batch.name} {batch.status}") for batch in batches.list_recent(conn, OFFERED)]


class RunId(_RowId):
    """The id of a run."""

    name = "run id"

    def newest(self, conn: Connection) -> list[tuple[int, str]]:
        """(id, kind and status) of the newest runs."""
        from app.db import runs

        return [(run.id, f"{run.kind} {run.status}") for run in runs.list_recent(conn, OFFERED)]


class Day(click.ParamType[str]):
    """A day or an instant; the beginning of one, as in 2024 or 2024-05, will do."""

    name = "day"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it was given. Ends with a usage error for one that names no day."""
        if value and not (_DAY.fullmatch(value) and _is_in_calendar(value)):
            self.fail(f"{value} is no day; write it as in 2024-05-06, or its beginning, as in 2024-05.", param, ctx)
        return value


def _is_in_calendar(text: str) -> bool:
    """Whether the year, month or day that the text begins with exists."""
    try:
        date.fromisoformat(text[:10] + "0001-01-01"[len(text) :])
    except ValueError:
        return False
    return True


BATCH_ID = BatchId()
RUN_ID = RunId()
DAY = Day()
ASSET_ID = click.IntRange(1, LARGEST_ID)
