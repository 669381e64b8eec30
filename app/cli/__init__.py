"""The command line: a menu without arguments, subcommands for scripts. One program under two names:
`./scripts/workflow.py` and `media-pipeline`.

Exit codes: 0 done, 1 something failed, 2 wrong usage or refused.
"""

from __future__ import annotations

import sys

import click

from app import __version__
from app.cli.commands import COMMANDS
from app.cli.context import Cli
from app.cli.menu import show_menu
from app.config.store import default_path
from app.errors import ConfigError, Conflict, MediaPipelineError, NotFound
from app.log import configure_logging

OK, FAILED, REFUSED = 0, 1, 2


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_path", metavar="PATH", help="The configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else; works before and after a command.")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(context: click.Context, config_path: str | None, as_json: bool) -> None:
    """Feed a big photo archive through a small peer, without losing a photo."""
    context.obj = Cli(config_path or default_path(), as_json)
    context.call_on_close(context.obj.close)
    if context.invoked_subcommand is None:
        show_menu(context.obj)


for command in COMMANDS:
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # To the terminal alone: several commands may run at once, and a log file has one writer.
    configure_logging("cli", level="warning")
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code and prints every error as a sentence on stderr."""
    try:
        result = cli.main(arguments, prog_name="media-pipeline", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return FAILED
    except (Conflict, NotFound, ConfigError) as error:
        _complain(error)
        return REFUSED
    except (MediaPipelineError, OSError) as error:
        _complain(error)
        return FAILED
    return result if isinstance(result, int) else OK


def _complain(error: Exception) -> None:
    if isinstance(error, ConfigError):
        click.echo("The configuration has faults:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem.path}: {problem.message}" if problem.path else f"  {problem.message}", err=True)
        return
    click.echo(str(error), err=True)
