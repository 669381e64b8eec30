"""The command line: a menu without arguments, subcommands for scripts. One program under two names:
`./scripts/workflow.py` and `media-pipeline`.

Exit codes: 0 done, 1 something failed or is wrong, 2 wrong usage or refused (app/cli/door.py). What is imported here
every command waits for: only click and what it takes to fail in good order; a command brings the rest along.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

try:
    import click
    from click.shell_completion import CompletionItem

    from app import __version__
    from app.cli import door
    from app.cli.commands import COMMANDS, Commands
    from app.cli.context import Cli
    from app.cli.ends import EXIT_CODES, ReaderGone, Stopped
except KeyboardInterrupt:
    # Loading takes a moment. The door is not there yet, and ^C is to end the program as quietly as it does later.
    sys.exit(130)

PROGRAM = "media-pipeline"


class Program(click.Group):
    """The whole command line."""

    def invoke(self, ctx: click.Context) -> Any:
        """As a group does, but neither a reader who went away nor ^C is for click to talk about."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error
        except KeyboardInterrupt as error:
            raise Stopped from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As a group does, without loading a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].line) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As a group does, without loading a single command."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=COMMANDS[name].line) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=Program,
    commands=Commands(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EXIT_CODES,
)
@click.option("--config", "config_path", metavar="PATH", type=click.Path(), help="The configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; works before and after a command.")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(context: click.Context, config_path: str | None, as_json: bool) -> None:
    """Feed a big photo archive through a small peer, without losing a photo.

    Without a command: a menu. Works beside a running service and without one.
    """
    if not isinstance(context.obj, Cli):
        context.obj = Cli(config_path, as_json)
    if config_path:
        context.obj.config_path = config_path
    context.call_on_close(context.obj.close)
    if context.invoked_subcommand is None:
        if context.obj.as_json:
            raise click.UsageError("--json needs a command; --help lists them.", context)
        from app.cli.menu import show_menu

        show_menu(context)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            # A name that the terminal cannot show is shown as escapes.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    door.end(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code and tells every error as the door does."""
    given = sys.argv[1:] if arguments is None else arguments
    state = Cli(None, door.asks_for_json(given))
    return door.pass_through(state, lambda: cli.main(given, prog_name=PROGRAM, standalone_mode=False, obj=state))
