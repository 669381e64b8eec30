"""The door of the command line: every end of a command becomes an exit code and, for an error, one sentence.

0 done; 1 failed, or something wrong was found; 2 refused, or wrong usage; 130 stopped by ^C; 141 nobody reads the
output any more. A person reads the sentence on stderr; a program that asked for JSON gets one document on stdout.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import click

from app.cli.context import Cli
from app.cli.ends import ReaderGone, Stopped
from app.errors import BadRequest, ConfigError, Conflict, MediaPipelineError, NotFound

OK, FAILED, REFUSED = 0, 1, 2
STOPPED, READER_GONE = 130, 141

#: Errors that mean: nothing was done, and the same words again will be refused again.
REFUSALS = (click.ClickException, Conflict, NotFound, BadRequest, ConfigError)
CRASH_LOG = "cli.log"


def pass_through(cli: Cli, call: Callable[[], Any]) -> int:
    """Carry a command out and return its exit code; whatever it raises is told, and never as a traceback."""
    try:
        result = call()
    except (ReaderGone, BrokenPipeError):
        return READER_GONE
    except (click.Abort, KeyboardInterrupt, Stopped):
        if sys.stderr.isatty():
            click.echo(err=True)
        return STOPPED
    except (click.ClickException, MediaPipelineError, OSError) as error:
        return _tell(cli, error)
    except Exception as error:  # noqa: BLE001  the door: what was not foreseen is logged, and told as a sentence
        return _tell_crash(cli, error)
    return result if isinstance(result, int) else OK


def end(code: int) -> None:
    """Leave with this code, or with the one for a reader who went away before the last words."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = READER_GONE
    if code == READER_GONE:
        # Python flushes once more when it ends; that must find a place to write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _tell(cli: Cli, error: Exception) -> int:
    if cli.as_json:
        cli.print_json({"error": describe(error)})
    elif isinstance(error, click.UsageError):
        error.show()
    else:
        _complain(error, os.path.basename(cli.config_path))
    return REFUSED if isinstance(error, REFUSALS) else FAILED


def describe(error: Exception) -> dict[str, Any]:
    """An error as a program reads it: what it is called, a sentence, whether to try again, and every single fault."""
    problems = error.problems if isinstance(error, ConfigError) else []
    return {
        "title": _title(error),
        "detail": _sentence(error),
        "retryable": getattr(error, "retryable", False),
        "problems": [{"path": p.path, "message": p.message, "line": p.line, "column": p.column} for p in problems],
    }


def _title(error: Exception) -> str:
    """The words of the class's name: RunInProgress is "Run in progress"."""
    words = re.findall("[A-Z][a-z]*", type(error).__name__)
    return " ".join(words).capitalize().replace("Os error", "System error")


def _sentence(error: Exception) -> str:
    text = error.format_message() if isinstance(error, click.ClickException) else str(error)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _complain(error: Exception, config_name: str) -> None:
    if isinstance(error, ConfigError):
        click.echo("The configuration has faults:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem.placed(config_name)}", err=True)
        return
    click.echo(_sentence(error), err=True)


def _tell_crash(cli: Cli, error: Exception) -> int:
    sentence = f"Something went wrong that was not foreseen ({type(error).__name__}). {_write_down(cli, error)}"
    if cli.as_json:
        found = {"title": "Unexpected error", "detail": sentence, "retryable": False, "problems": []}
        cli.print_json({"error": found})
    else:
        click.echo(sentence, err=True)
    return FAILED


def _write_down(cli: Cli, error: Exception) -> str:
    """Put the details into the log folder, or where temporary files go; a sentence about where they are."""
    from app.log import append_record

    for folder in (_log_dir(cli), tempfile.gettempdir()):
        path = os.path.join(folder, CRASH_LOG)
        try:
            append_record(path, "cli", "a command went wrong in a way that was not foreseen", error)
        except OSError:
            continue
        return f"The details are in {path}."
    return "The details could not be written anywhere."


def _log_dir(cli: Cli) -> str:
    try:
        return cli.container.store.current().config.system.log_dir
    except (MediaPipelineError, OSError):
        return ""


def asks_for_json(arguments: list[str]) -> bool:
    """Whether `--json` stands among the arguments: errors of usage are found before it is understood."""
    until = arguments.index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:until]
