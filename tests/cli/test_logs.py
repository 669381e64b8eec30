"""Reading the logs: the last lines of all processes in order, by level, and what comes, across rotations."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.diagnostics.logs import Look, Wanted, cursor_of, ends, look, places_of, read_last
from app.log import configure_logging, get_logger
from tests.cli.conftest import Machine


@pytest.fixture
def log_dir(machine: Machine) -> Path:
    path = Path(machine.services.config.system.log_dir)
    path.mkdir(exist_ok=True)
    return path


def line(second: int, level: str, event: str, **more: object) -> str:
    return json.dumps({"event": event, "level": level, "at": f"2026-05-06T07:08:{second:02d}Z", **more}) + "\n"


def test_the_last_lines_of_all_processes_come_in_the_order_of_their_times(machine: Machine, log_dir: Path) -> None:
    (log_dir / "worker.log.1").write_text(line(1, "info", "oldest") + line(3, "warning", "third", batch_id=7))
    (log_dir / "worker.log").write_text(line(5, "error", "fifth", exception="Traceback ...\nOops"))
    (log_dir / "api.log").write_text(line(2, "info", "second") + line(4, "info", "fourth") + "no JSON\n")

    code, out, _ = machine.call("logs", "-n", "100")
    words = [part for part in ("oldest", "second", "third", "fourth", "fifth") if part in out]
    assert code == 0 and [out.index(word) for word in words] == sorted(out.index(word) for word in words)
    assert len(words) == 5 and "batch_id=7" in out and "Oops" in out and "no JSON" in out

    assert [r["event"] for r in machine.ask("logs", "-n", "2", "-p", "worker")[1]["lines"]] == ["third", "fifth"]
    wanted = machine.ask("logs", "--level", "warning")[1]["lines"]
    assert [record["event"] for record in wanted] == ["third", "fifth"]


def test_long_files_are_read_from_their_end(tmp_path: Path) -> None:
    text = "".join(line(n % 60, "info", f"line {n} " + "x" * 200) for n in range(5_000))
    (tmp_path / "worker.log").write_text(text)
    found, _ = read_last(str(tmp_path), Wanted(["worker"]), 4_999)
    assert sorted(int(r["event"].split()[1]) for r in found) == list(range(1, 5_000))


def test_nothing_written_yet_is_said(machine: Machine) -> None:
    code, out, _ = machine.call("logs")
    assert (code, "Nothing is written" in out) == (0, True)
    code, told = machine.ask("logs")
    assert (code, told["lines"], told["skipped"]) == (0, [], False)


@pytest.fixture
def _own_logging() -> Iterator[None]:
    """The handlers that a test installs go with it."""
    before = logging.getLogger().handlers[:]
    yield
    for handler in logging.getLogger().handlers[:]:
        if handler not in before:
            logging.getLogger().removeHandler(handler)
            handler.close()


def said(found: Look) -> list[str]:
    return [str(record["event"]) for record, _ in found.found]


@pytest.mark.usefixtures("_own_logging")
@pytest.mark.parametrize("every", [1, 3, 9])
def test_a_follower_loses_nothing_when_the_file_is_rotated(tmp_path: Path, every: int) -> None:
    """The real writer rotates after a few lines; the reader looks after each, after several, or long after, and each
    time it knows no more than the cursor that it was given."""
    worker = Wanted(["worker"])
    cursor = cursor_of(ends(str(tmp_path), worker.processes))
    configure_logging("worker", tmp_path, max_bytes=2_000, keep=5)
    seen: list[str] = []
    for number in range(100):
        get_logger().warning(f"line {number}", padding="x" * 200)
        if number % every == 0 or number == 99:
            found = look(str(tmp_path), worker, places_of(cursor))
            seen, cursor = seen + said(found), cursor_of(found.places)
            assert not found.is_passed_over
    assert seen == [f"line {number}" for number in range(100)]
    assert (tmp_path / "worker.log.5").exists()


def test_who_goes_on_behind_any_line_misses_none_and_sees_none_twice(tmp_path: Path) -> None:
    (tmp_path / "worker.log.1").write_text("".join(line(n, "info", f"worker {n}") for n in range(0, 8, 2)))
    (tmp_path / "worker.log").write_text("".join(line(n, "info", f"worker {n}") for n in range(8, 16, 2)))
    # The clock of this one was set back.
    (tmp_path / "api.log").write_text("".join(line(n, "info", f"api {n}") for n in (3, 5, 1, 9)))
    everything = places_of("worker.-.0~api.-.0")
    whole = look(str(tmp_path), Wanted(["worker", "api"]), everything)
    assert [word for word in said(whole) if "api" in word] == ["api 3", "api 5", "api 1", "api 9"]
    for number, (_, places) in enumerate(whole.found):
        rest = look(str(tmp_path), Wanted(["worker", "api"]), places_of(cursor_of(places)))
        assert sorted(said(rest)) == sorted(said(whole)[number + 1 :])


def test_what_is_too_much_to_follow_and_what_is_gone_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text(line(1, "info", "first"))
    begun = ends(str(tmp_path), ["worker"])
    with (tmp_path / "worker.log").open("a") as file:
        file.writelines(line(2, "info", f"line {n} " + "x" * 1000) for n in range(3_000))
    found, numbers = look(str(tmp_path), Wanted(["worker"]), begun), []
    assert found.is_passed_over
    while found.found:
        numbers += [int(word.split()[1]) for word in said(found)]
        found = look(str(tmp_path), Wanted(["worker"]), found.places)
        assert not found.is_passed_over
    assert numbers[0] > 900 and numbers == list(range(numbers[0], 3_000))
    (tmp_path / "worker.log").write_text(line(3, "info", "another file"))
    found = look(str(tmp_path), Wanted(["worker"]), found.places)
    assert (said(found), found.is_passed_over) == (["another file"], True)


def test_a_line_that_is_half_written_waits_for_its_end(tmp_path: Path) -> None:
    path, api = tmp_path / "api.log", Wanted(["api"])
    path.write_text(line(1, "info", "before"))
    places = ends(str(tmp_path), api.processes)
    whole = line(2, "info", "halves")
    with path.open("a") as file:
        file.write(whole[:20])
        file.flush()
        assert look(str(tmp_path), api, places).found == []
        assert read_last(str(tmp_path), api, 5)[1] == places
        file.write(whole[20:])
    assert said(look(str(tmp_path), api, places)) == ["halves"]


def test_lines_of_one_stage_run_or_batch_alone_are_shown(machine: Machine, log_dir: Path) -> None:
    about = [{"run_id": 1}, {"run_id": 1, "stage": "sort", "batch_id": 2}, {"run_id": 2, "stage": "sort"}, {}]
    (log_dir / "worker.log").write_text("".join(line(n, "info", str(n), **more) for n, more in enumerate(about)))
    for options, wanted in [(["--run", "1"], "01"), (["--stage", "sort"], "12"), (["--batch", "2"], "1")]:
        assert "".join(r["event"] for r in machine.ask("logs", *options)[1]["lines"]) == wanted


def test_following_prints_what_comes_as_one_document_a_line(machine: Machine, log_dir: Path) -> None:
    path = log_dir / "worker.log"
    path.write_text(line(1, "info", "here"))
    following = machine.start("logs", "--follow", "--json", "--level", "info")
    assert following.stdout is not None and following.stderr is not None
    assert json.loads(following.stdout.readline())["event"] == "here"
    with path.open("a") as file:
        file.write(line(2, "debug", "too small") + line(3, "info", "there"))
    assert json.loads(following.stdout.readline())["event"] == "there"
    os.rename(path, f"{path}.1")
    path.write_text(line(4, "info", "anew"))
    assert json.loads(following.stdout.readline())["event"] == "anew"
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=60) == (b"", b"")
    assert following.returncode == 130
