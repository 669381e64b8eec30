"""How every command ends: one exit code, one sentence or one JSON document, never a traceback."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app.cli import cli as program
from app.cli import run
from app.cli.ends import EXIT_CODES
from app.db import journal
from tests.browser import rows
from tests.cli.conftest import HOME, Machine
from tests.conftest import make_jpeg, write_tree

PROBLEM = {"title", "detail", "retryable", "problems"}


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that lead to it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


def test_every_command_takes_json_and_tells_its_exit_codes() -> None:
    assert isinstance(program, click.Group)
    found = dict(commands(program))
    assert ("batch", "show") in found and ("why",) in found
    for words, command in found.items():
        assert [p for p in command.params if p.name == "json"], words
        assert command.epilog == EXIT_CODES and command.help, words


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["nonsense"], "No such command"),
        (["sync"], "Missing parameter"),
        (["sync", "x"], "No such command"),
        (["sync", "start", "x"], "Bad parameter"),
        (["overview", "--wrong"], "No such option"),
        (["batch", "show", "77"], "Not found"),
        (["sync", "77"], "Not found"),
        (["runs", "pause", "77"], "Not found"),
        ([], "Usage error"),
    ],
)
def test_an_error_is_one_json_document_for_a_program(machine: Machine, arguments: list[str], title: str) -> None:
    code, answer = machine.ask(*arguments)
    assert (code, list(answer), set(answer["error"])) == (2, ["error"], PROBLEM)
    assert answer["error"]["title"] == title
    assert answer["error"]["detail"].endswith((".", "?"))


@pytest.mark.parametrize("command", [("assets", "find"), ("journal",)])
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_what_is_no_day_is_refused_and_every_spelling_of_one_is_taken(
    machine: Machine, command: tuple[str, ...], option: str
) -> None:
    for text in ("yesterday", "06.05.2024", "2024-13", "2024-02-30", "2024-5-6", "0000", "2024-05-06x"):
        code, _, err = machine.call(*command, option, text)
        assert (code, f"{text} is no day; write it as in 2024-05-06" in " ".join(err.split())) == (2, True), text
    for text in ("", "2024", "2024-02", "2024-02-29", "2024-05-06T07:08", "2024-05-06 07:08"):
        assert machine.call(*command, option, text)[0] == 0, text


def test_a_source_of_dates_that_there_is_not_is_refused(machine: Machine) -> None:
    assert machine.call("assets", "find", "--taken-from", "filename")[0] == 0
    code, _, err = machine.call("assets", "find", "--taken-from", "banana")
    assert (code, "filename" in err) == (2, True)


def test_a_busy_machine_is_told_to_be_worth_another_try(machine: Machine) -> None:
    rows.start_run(machine.services)
    code, answer = machine.ask("run")
    assert (code, answer["error"]["title"], answer["error"]["retryable"]) == (2, "Run in progress", True)


def test_every_fault_of_the_configuration_is_in_the_document(machine: Machine) -> None:
    machine.config_path.write_text("batch: {max_size_gb: banana}\nsystem: {port_api: 0}\n")
    code, answer = machine.ask("overview")
    found = {problem["path"]: problem for problem in answer["error"]["problems"]}
    assert code == 2
    assert {"batch.max_size_gb", "system.port_api"} <= set(found)
    assert found["system.port_api"]["line"] == 2


def test_what_was_not_foreseen_is_a_sentence_and_its_details_are_in_the_log(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the canary")

    monkeypatch.setattr("app.cli.journal.find_events", fall_over)
    log = Path(machine.services.config.system.log_dir) / "cli.log"
    log.parent.mkdir(exist_ok=True)

    code, out, err = machine.call("journal")
    assert (code, out) == (1, "")
    assert "not foreseen (ZeroDivisionError)" in err and str(log) in err and "Traceback" not in err
    record = json.loads(log.read_text().splitlines()[0])
    assert record["process"] == "cli" and "the canary" in record["exception"] and "Traceback" in record["exception"]
    code, answer = machine.ask("journal")
    assert (code, set(answer["error"]), len(log.read_text().splitlines())) == (1, PROBLEM, 2)
    assert machine.call("logs", "--process", "cli")[1].count("ZeroDivisionError: the canary") == 2


def test_where_no_log_can_be_written_the_details_go_elsewhere(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fall_over(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.cli.journal.find_events", fall_over)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert str(tmp_path / "cli.log") in machine.call("journal")[2]
    (tmp_path / "cli.log").unlink()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert "could not be written anywhere" in machine.call("journal")[2]


def test_a_reader_who_has_enough_is_no_failure(machine: Machine) -> None:
    with machine.services.db.transaction() as conn:
        for number in range(5_000):
            journal.record(conn, "run.started", f"Event {number} of many, to fill more than a pipe holds.")
    for more in ([], ["--json"]):
        reading = machine.start("journal", "-n", "5000", *more)
        assert reading.stdout is not None and reading.stderr is not None
        reading.stdout.readline()
        reading.stdout.close()
        said = reading.stderr.read()
        reading.stderr.close()
        assert (reading.wait(60), said) == (141, b"")


def test_control_c_ends_quietly_with_130(machine: Machine) -> None:
    log_dir = Path(machine.services.config.system.log_dir)
    log_dir.mkdir(exist_ok=True)
    (log_dir / "worker.log").write_text('{"event": "here", "level": "info", "at": "2026-05-06T07:08:09Z"}\n')
    following = machine.start("logs", "-f")
    assert following.stdout is not None and following.stderr is not None
    assert b"here" in following.stdout.readline()
    following.send_signal(signal.SIGINT)
    rest = following.communicate(timeout=60)
    assert (following.returncode, rest) == (130, (b"", b""))


@pytest.mark.parametrize("program", [["-m", "app.cli"], [str(HOME / "scripts" / "workflow.py")]])
@pytest.mark.parametrize("module", ["click", "sqlalchemy", "rich"])
def test_control_c_while_the_program_still_loads_ends_quietly_with_130(
    machine: Machine, program: list[str], module: str
) -> None:
    interrupted = machine.base / "loading"
    interrupted.mkdir()
    (interrupted / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    environment = machine.environment(PYTHONPATH=f"{interrupted}:{HOME}")
    ended = subprocess.run(
        [sys.executable, *program, "overview"], env=environment, capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_colour_is_for_terminals_alone_and_not_against_the_persons_wish(machine: Machine) -> None:
    def said(**more: str) -> bytes:
        leader, follower = pty.openpty()
        environment = machine.environment(TERM="xterm-256color", COLUMNS="120", **more)
        command = [sys.executable, "-m", "app.cli", "doctor"]
        process = subprocess.Popen(command, env=environment, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        text = b""
        while True:
            try:
                part = os.read(leader, 65_536)
            except OSError:
                break
            if not part:
                break
            text += part
        os.close(leader)
        assert process.wait(60) == 0, text
        return text

    assert b"\x1b[3" in said()
    assert b"\x1b[3" not in said(NO_COLOR="1")
    piped = machine.start("doctor")
    out, err = piped.communicate(timeout=60)
    assert (piped.returncode, err) == (0, b"") and b"\x1b" not in out and b"Nothing is broken" in out


def test_names_that_no_terminal_can_show_are_shown_as_escapes(machine: Machine) -> None:
    write_tree(machine.base / "ingest", {b"caf\xe9.jpg": make_jpeg(seed=1), "gr\u00fcn.jpg": make_jpeg(seed=2)})
    assert machine.call("dedup")[0] == 0
    for environment in (machine.environment(), machine.environment(PYTHONIOENCODING="ascii")):
        for command in (["assets", "find"], ["why", os.fsdecode(b"caf\xe9.jpg")]):
            shown = machine.start(*command, env=environment)
            out, err = shown.communicate(timeout=60)
            assert (shown.returncode, err) == (0, b"")
            assert b"caf\\xe9.jpg" in out
    for command in (["assets", "find", "--json"], ["why", "--json", os.fsdecode(b"caf\xe9.jpg")]):
        out, _ = machine.start(*command).communicate(timeout=60)
        assert "caf\\xe9.jpg" in json.dumps(json.loads(out), ensure_ascii=False).replace("\\\\", "\\")


def test_nothing_is_cut_in_a_pipe(machine: Machine) -> None:
    name = "a-name-that-is-longer-than-a-line-of-a-terminal-" * 4 + ".jpg"
    write_tree(machine.base / "ingest", {name: make_jpeg(seed=1)})
    machine.call("dedup")
    assert name in machine.call("assets", "find")[1]


def test_commands_work_while_a_worker_is_at_it(machine: Machine) -> None:
    rows.fill(machine.services)
    _, step = rows.start_run(machine.services)
    assert step
    for command in (["overview"], ["runs"], ["batch"], ["journal"], ["assets", "find"], ["runs", "show", "1"]):
        code, out, err = machine.call(*command)
        assert (code, err) == (0, ""), command
        assert out


def test_a_command_is_killed_and_nothing_is_left_running(machine: Machine) -> None:
    write_tree(machine.base / "ingest", {f"{n}.jpg": make_jpeg(seed=n) for n in range(50)})
    running = machine.start("run", start_new_session=True)
    deadline = time.monotonic() + 60
    while "scan" not in machine.call("runs", "1")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_the_program_runs_without_arguments_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert EXIT_CODES.split(";")[0] in " ".join(said.split())
