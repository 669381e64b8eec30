"""Logs: one JSON line per record, without secrets, and never a reason to stop."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.files.prune import expire_logs
from app.log import MASK, configure_logging, follow_level, get_logger, redact


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    yield
    configure_logging("cli")
    root = logging.getLogger()
    for handler in list(root.handlers):
        if getattr(handler, "_media_pipeline", False):
            root.removeHandler(handler)


def lines(folder: Path, process: str = "worker") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{process}.log").read_text().splitlines()]


def test_the_log_brings_no_rich_along_and_leaves_it_to_whoever_wants_it() -> None:
    program = "import sys, app.log; print('rich' in sys.modules); import rich.table; print(rich.table.Table.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "Table"]


def test_a_record_is_one_json_line_in_the_processes_file_and_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("worker", tmp_path / "logs")
    get_logger(run_id=3).info("batch published", batch_id=7)
    (line,) = lines(tmp_path / "logs")
    assert {key: line[key] for key in ("event", "level", "process", "run_id", "batch_id")} == {
        "event": "batch published",
        "level": "info",
        "process": "worker",
        "run_id": 3,
        "batch_id": 7,
    }
    assert json.loads(capsys.readouterr().out) == line


def test_records_of_libraries_and_of_threads_go_the_same_way(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path)
    logging.getLogger("somelibrary").warning("said %s", "so")
    (line,) = lines(tmp_path)
    assert (line["event"], line["logger"], line["process"]) == ("said so", "somelibrary", "worker")


def test_secrets_are_masked_by_the_name_of_their_key_however_deep(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path)
    secrets = {"auth": {"api_key": "CANARY"}, "list": [{"Authorization": "Bearer CANARY"}], "x-api-key": "CANARY"}
    get_logger().info("request", api_key="CANARY", password="CANARY", headers=secrets, threads=4)
    assert "CANARY" not in (tmp_path / "worker.log").read_text()
    assert lines(tmp_path)[0]["threads"] == 4


def test_a_hostile_name_cannot_forge_a_line_or_steer_a_terminal(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path)
    name = 'x\n{"event": "forged"}\r\x1b[2J\x9b31m\u2028'
    get_logger().info(name, path=b"\xff\n\x1b[0m", name=name)
    text = (tmp_path / "worker.log").read_bytes()
    assert text.count(b"\n") == 1
    assert b"\x1b" not in text
    assert all(32 <= byte < 127 or byte == 10 for byte in text)
    assert lines(tmp_path)[0]["name"] == name


def test_an_exception_is_logged_with_its_traceback_on_the_same_line(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path)
    try:
        raise ValueError("bad")
    except ValueError:
        get_logger().exception("it failed")
    (line,) = lines(tmp_path)
    assert "ValueError: bad" in line["exception"]


def test_a_file_is_rotated_by_size_and_only_so_many_are_kept(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path, max_bytes=2000, keep=2)
    for number in range(100):
        get_logger().info("x" * 200, number=number)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["worker.log", "worker.log.1", "worker.log.2"]
    assert all(file.stat().st_size <= 2000 for file in tmp_path.iterdir())


def test_a_log_that_cleanup_rotates_is_written_on_by_the_process_that_holds_it_open(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path)
    get_logger().info("before " + "x" * 500)
    expire_logs(tmp_path, max_bytes=100, keep=2)
    get_logger().info("after")
    assert "before" in (tmp_path / "worker.log.1").read_text()
    written = (tmp_path / "worker.log").read_bytes()
    assert b"after" in written and b"before" not in written and b"\0" not in written


def test_the_level_can_be_changed_while_running_without_doubling_lines(tmp_path: Path) -> None:
    configure_logging("worker", tmp_path, level="warning")
    logger = get_logger()
    logger.info("unheard")
    configure_logging("worker", tmp_path, level="debug")
    logger.debug("heard")
    assert [line["event"] for line in lines(tmp_path)] == ["heard"]


def test_a_full_disk_does_not_stop_the_program(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "worker.log").symlink_to("/dev/full")
    configure_logging("worker", tmp_path)
    for _ in range(100):
        get_logger().info("x" * 1000)
    assert "Traceback" not in capsys.readouterr().err


def test_a_closed_terminal_does_not_stop_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", buffering=1))
    configure_logging("worker", tmp_path)
    get_logger().info("still here")
    assert lines(tmp_path)[0]["event"] == "still here"


def test_a_folder_that_cannot_be_made_leaves_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("api", "/dev/null/logs")
    get_logger().info("still here")
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["the log file cannot be written", "still here"]


def test_the_command_line_keeps_stdout_for_its_answers(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("cli")
    get_logger().info("note")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "note"


def test_a_saved_log_level_counts_at_once_where_the_settings_decide_it() -> None:
    configure_logging("worker", level="info")
    follow_level("debug")
    assert logging.getLogger().level == logging.DEBUG
    configure_logging("cli", level="warning")
    follow_level("debug")
    assert logging.getLogger().level == logging.WARNING


def test_an_access_key_is_hidden_although_its_name_tells_nothing() -> None:
    assert redact({"keys": [{"name": "anna", "scope": "read", "key": "CANARY"}]}) == {
        "keys": [{"name": "anna", "scope": "read", "key": MASK}]
    }
