"""Completion in a real shell: commands, options, statuses, kinds of events, and the ids of batches."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import rows
from tests.cli.conftest import Machine

#: Does what bash does when somebody presses Tab behind these words.
PRESS_TAB = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_media_pipeline_completion media-pipeline
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def lines(machine: Machine) -> Path:
    """What `completion bash` prints, in a file; the program stands beside it under its name."""
    rows.fill(machine.services)
    program = machine.base / "bin" / "media-pipeline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m app.cli "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = machine.base / "completion.bash"
    path.write_text(machine.call("completion", "bash")[1])
    return path


def press_tab(machine: Machine, lines: Path, *words: str) -> list[str]:
    bash = shutil.which("bash")
    assert bash is not None
    environment = machine.environment()
    environment["PATH"] = f"{machine.base / 'bin'}:{environment['PATH']}"
    done = subprocess.run(
        [bash, "-c", PRESS_TAB, "tab", str(lines), "media-pipeline", *words],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [word for word in done.stdout.splitlines() if word]


def test_a_real_bash_completes_commands_options_and_ids(machine: Machine, lines: Path) -> None:
    assert {"doctor", "duplicates", "dedup"} <= set(press_tab(machine, lines, "d"))
    assert press_tab(machine, lines, "assets", "find", "--stat") == ["--status"]
    assert press_tab(machine, lines, "assets", "find", "--status", "set") == ["set_aside"]
    assert press_tab(machine, lines, "batch", "show", "") == ["3", "2", "1"]
    assert "batch.sorted" in press_tab(machine, lines, "journal", "--kind", "batch.s")
    assert press_tab(machine, lines, "config", "show", "sorter.time") == ["sorter.timezone"]


def test_without_a_database_nothing_is_offered_and_nothing_said(machine: Machine, lines: Path) -> None:
    words = ("--config", str(machine.base / "nowhere.yaml"), "batch", "show", "")
    assert press_tab(machine, lines, *words) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_lines(machine: Machine, shell: str) -> None:
    code, out, _ = machine.call("completion", shell)
    assert code == 0 and "_MEDIA_PIPELINE_COMPLETE" in out and "media-pipeline" in out
    code, answer = machine.ask("completion", shell)
    assert (code, answer["shell"], answer["lines"].strip()) == (0, shell, out.strip())


def test_in_a_plain_zsh_the_lines_switch_completion_on_before_they_use_it(machine: Machine) -> None:
    lines = machine.call("completion", "zsh")[1]
    assert lines.startswith("#compdef media-pipeline")
    switched_on = lines.index("autoload -Uz compinit && compinit -i")
    assert switched_on < lines.index("\n    compdef _media_pipeline_completion")


def test_in_fish_a_line_about_a_command_does_not_end_at_its_first_comma(machine: Machine) -> None:
    lines = machine.call("completion", "fish")[1]
    assert (lines.count('string split -m 1 "," $completion'), lines.count("string split")) == (1, 1)


def test_the_program_may_be_called_otherwise(machine: Machine) -> None:
    assert "workflow.py" in machine.call("completion", "bash", "--program", "workflow.py")[1]
    assert machine.call("completion", "csh")[0] == 2
