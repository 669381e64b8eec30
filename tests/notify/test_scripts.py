"""Scripts after a step: run once for each batch, bounded, without our secrets, and from one folder alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import journal
from app.model import Event
from app.services import Services
from tests.conftest import make_jpeg, make_services, write_tree
from tests.pipeline.running import workflow
from worker.hooks import run_due_scripts

PICTURES = {f"a/IMG_{n}.JPG": make_jpeg(taken=f"2024:05:0{n} 10:00:00", seed=n) for n in (1, 2)}


@pytest.fixture
def prepare(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    """`prepare("echo hello", after_sync="s.sh")`: services with this script under the name s.sh."""
    made: list[Services] = []

    def make(lines: str, mode: int = 0o755, **hooks: Any) -> Services:
        folder = tmp_path / "state" / "hooks"
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "s.sh"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(mode)
        made.append(make_services(tmp_path, hooks=hooks or {"after_sort": "s.sh"}))
        run(made[-1])
        return made[-1]

    yield make
    for services in made:
        services.close()


def run(services: Services, stopping: threading.Event | None = None) -> None:
    """One tick of the worker."""
    run_due_scripts(services, stopping or threading.Event())


def archive_a_batch(services: Services) -> None:
    write_tree(services.config.paths.source_dir, PICTURES)
    workflow(services)


def told(services: Services) -> list[Event]:
    with services.db.reading() as conn:
        return journal.list_events(conn, kind_prefix="hook.")[::-1]


def test_a_script_gets_the_manifest_of_the_batch_and_none_of_our_keys(
    prepare: Callable[..., Services], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_API_KEY", "CANARY-0123456789")
    monkeypatch.setenv("STGUIAPIKEY", "CANARY-0123456789")
    services = prepare(f'cat "$1" > {tmp_path}/manifest; env > {tmp_path}/environment; pwd; echo "$#"')
    archive_a_batch(services)
    run(services)
    run(services)
    assert [(event.kind, event.detail["output"]) for event in told(services)] == [
        ("hook.finished", f"{tmp_path}/state/hooks\n1")
    ]
    assert b"IMG_1.JPG" in (tmp_path / "manifest").read_bytes()
    environment = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert (environment["HOOK"], environment["BATCH_NAME"]) == ("after_sort", "batch_001")
    assert set(environment) <= {"HOOK", "BATCH_ID", "BATCH_NAME", "HOME", "LANG", "LC_ALL", "PATH", "TZ", "PWD",
                                "OLDPWD", "SHLVL", "_"}  # fmt: skip


def test_each_step_has_a_script_of_its_own(prepare: Callable[..., Services]) -> None:
    services = prepare('echo "$HOOK"', after_batch="s.sh", after_sync="s.sh", after_sort="s.sh")
    archive_a_batch(services)
    run(services)
    assert [event.detail["output"] for event in told(services)] == ["after_batch", "after_sync", "after_sort"]


def test_what_happened_before_a_script_was_named_does_not_count(
    prepare: Callable[..., Services], tmp_path: Path
) -> None:
    services = make_services(tmp_path)
    archive_a_batch(services)
    services.close()
    services = prepare("echo hello")
    run(services)
    assert told(services) == []


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(
    prepare: Callable[..., Services], tmp_path: Path
) -> None:
    lines = f"sleep 300 & echo $! > {tmp_path}/child; sleep 300"
    services = prepare(lines, after_sort="s.sh", timeout_seconds=1)
    archive_a_batch(services)
    run(services)
    assert [event.message for event in told(services)] == [
        "The script s.sh (after_sort) failed: it took longer than hooks.timeout_seconds and was killed."
    ]
    assert is_gone(int((tmp_path / "child").read_text()))


def test_what_a_script_leaves_running_ends_with_it(prepare: Callable[..., Services], tmp_path: Path) -> None:
    services = prepare(f"sleep 300 & echo $! > {tmp_path}/child")
    archive_a_batch(services)
    run(services)
    assert [event.kind for event in told(services)] == ["hook.finished"]
    assert is_gone(int((tmp_path / "child").read_text()))


def test_one_that_fails_is_told_with_what_it_said_and_not_run_again(prepare: Callable[..., Services]) -> None:
    services = prepare("echo no room >&2; exit 3")
    archive_a_batch(services)
    run(services)
    run(services)
    assert [(event.detail["exit_code"], event.detail["output"]) for event in told(services)] == [(3, "no room")]


def test_one_that_is_cut_off_with_the_worker_runs_again(prepare: Callable[..., Services], tmp_path: Path) -> None:
    services = prepare(f"echo x >> {tmp_path}/began; test -f {tmp_path}/go || sleep 300")
    archive_a_batch(services)
    stopping = threading.Event()
    ticking = threading.Thread(target=run, args=(services, stopping))
    ticking.start()
    until = time.monotonic() + 30
    while not (tmp_path / "began").is_file() and time.monotonic() < until:
        time.sleep(0.01)
    stopping.set()
    ticking.join(30)
    assert told(services) == []
    (tmp_path / "go").touch()
    run(services)
    assert [event.kind for event in told(services)] == ["hook.finished"]
    assert (tmp_path / "began").read_text() == "x\nx\n"


def test_no_script_runs_that_everybody_could_have_written_or_that_is_none(
    prepare: Callable[..., Services], tmp_path: Path
) -> None:
    services = prepare("echo hello", mode=0o777)
    script = tmp_path / "state" / "hooks" / "s.sh"
    archive_a_batch(services)
    run(services)
    script.chmod(0o644)
    forget(services)
    run(services)
    script.unlink()
    forget(services)
    run(services)
    faults = [event.message for event in told(services)]
    assert [word in fault for word, fault in zip(("by everybody", "be executed", "no file"), faults, strict=True)] == [
        True, True, True
    ]  # fmt: skip


def test_no_script_runs_that_leads_into_a_folder_of_media(prepare: Callable[..., Services], tmp_path: Path) -> None:
    services = prepare("echo hello")
    script = tmp_path / "state" / "hooks" / "s.sh"
    inside = Path(services.config.paths.source_dir) / "s.sh"
    script.rename(inside)
    script.symlink_to(inside)
    archive_a_batch(services)
    run(services)
    assert [event.message for event in told(services)] == [
        "The script s.sh (after_sort) failed: s.sh leads into a folder of media; nothing is run from there."
    ]


def forget(services: Services) -> None:
    """As if no script had run yet."""
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE facts SET value = '1' WHERE name = 'hook_ran:after_sort'")


def is_gone(pid: int) -> bool:
    """Whether a process ends, or has ended, very soon."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
