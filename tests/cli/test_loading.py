"""What a command loads: every one is listed and can be loaded, and waits for no other's libraries."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from app.cli import cli as program
from app.cli.commands import COMMANDS
from tests.cli.conftest import Machine

HEAVY = ("alembic", "dramatiq", "flask", "pydantic", "requests", "rich", "sqlalchemy", "structlog", "yaml")
#: Calls the program, then says on stderr which of the heavy libraries that has loaded.
CALL_AND_TELL = f"""
import sys
from app.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    print(ended.code, *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def loaded_by(machine: Machine, *arguments: str, **environment: str) -> tuple[str, list[str]]:
    """(stdout, exit code and heavy libraries) of a call in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CALL_AND_TELL, *arguments],
        env=machine.environment(**environment), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout, done.stderr.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_listed_can_be_loaded_and_its_line_is_its_own(name: str) -> None:
    assert isinstance(program, click.Group)
    command = program.get_command(click.Context(program), name)
    assert command is not None
    assert (command.name, command.get_short_help_str(500)) == (name, COMMANDS[name].line)


def test_the_help_lists_every_command_and_loads_none(machine: Machine) -> None:
    out, (code, *heavy) = loaded_by(machine, "--help")
    assert (code, heavy) == ("0", [])
    listed = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines() if line[2:3].strip()]
    assert [name for name in listed if name in COMMANDS] == sorted(COMMANDS)
    words = " ".join(out.split())
    assert [entry.line for entry in COMMANDS.values() if entry.line not in words] == []


def test_a_shell_that_asks_for_the_names_of_commands_loads_none(machine: Machine) -> None:
    asked = {"_MEDIA_PIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": "media-pipeline d", "COMP_CWORD": "1"}
    out, (_, *heavy) = loaded_by(machine, **asked)
    assert (out.split(), heavy) == ([f"plain,{name}" for name in ("dates", "dedup", "doctor", "duplicates")], [])


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (["--version"], HEAVY),
        (["nonsense"], HEAVY),
        (["completion", "zsh"], ("alembic", "dramatiq", "flask", "pydantic", "requests", "sqlalchemy", "yaml")),
        (["overview"], ("alembic", "dramatiq", "flask")),
        (["config", "show"], ("alembic", "dramatiq", "flask")),
        (["runs"], ("alembic", "flask")),
    ],
)
def test_a_command_does_not_load_what_only_others_need(
    machine: Machine, arguments: list[str], unused: tuple[str, ...]
) -> None:
    _, told = loaded_by(machine, *arguments)
    assert set(unused) & set(told) == set()


def test_a_mistyped_command_is_still_answered_with_the_one_that_was_meant(machine: Machine) -> None:
    code, _, err = machine.call("overvew")
    assert (code, "overview" in err) == (2, True)
