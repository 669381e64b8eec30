"""The container stopped and killed in mid-run: no content is lost or doubled, and every run ends."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.files.census import Census, take_census
from scripts.demo_library import jpeg
from tests.container.stack import OWNER, Stack, new_stack, started

pytestmark = [pytest.mark.container, pytest.mark.timeout(3600)]

#: compose.yaml's stop_grace_period.
GRACE_SECONDS = 90
FILES = 150
TIMES = [3, pytest.param(30, marks=pytest.mark.torture)]
OURS = ("ingest", "batches", ".mp-staging", "archive", "duplicates")


@pytest.fixture
def stack(image: str, tmp_path: Path) -> Iterator[Stack]:
    with started(new_stack(tmp_path, MEDIA_PIPELINE_IMAGE=image)) as up:
        yield up


def drop(stack: Stack, turn: int) -> None:
    """So many different photos, each with a date of its own, and a copy of every tenth."""
    folder = stack.media / "ingest" / f"turn {turn:02d}"
    folder.mkdir()
    photo = jpeg("one of many", taken="2024:05:06 07:08:09")
    for number in range(FILES):
        content = photo + f"{turn} {number}".encode()
        (folder / f"IMG_{turn:02d}_{number:04d}.jpg").write_bytes(content)
        if number % 10 == 0:
            (folder / f"copy of {number}.jpg").write_bytes(content)
    for path in (folder, *folder.iterdir()):
        os.chown(path, OWNER, OWNER)


def census(stack: Stack) -> Census:
    """What lies in our folders; what was delivered to another one is a copy and not counted."""
    return take_census([os.fsencode(stack.media / name) for name in OURS])


def wait_until_ready(stack: Stack, seconds: int = 60) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            stack.ask("/ready")
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError("not ready\n" + stack.compose("logs", "--tail", "60", "media-pipeline"))


def interrupt(stack: Stack, how: tuple[str, ...]) -> float:
    """The seconds that it took; afterwards the container runs no more."""
    began = time.monotonic()
    stack.compose(*how, "media-pipeline")
    seconds = time.monotonic() - began
    assert stack.compose("ps", "-q", "--status", "running", "media-pipeline").strip() == ""
    return seconds


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("how", [("stop",), ("kill", "-s", "KILL")], ids=["stop", "kill"])
def test_a_container_that_ends_in_mid_run_loses_nothing(stack: Stack, how: tuple[str, ...], times: int) -> None:
    chance, cut_off = random.Random(times), 0
    for turn in range(times):
        drop(stack, turn)
        before = census(stack).contents
        stack.ask("/api/workflow/run", "POST")
        time.sleep(chance.uniform(0.1, 3.0))
        cut_off += bool(stack.ask("/api/workflow/status")["running"])
        assert interrupt(stack, how) < GRACE_SECONDS / 2
        between = census(stack).contents
        assert set(before) <= set(between), f"turn {turn}: lost while it ended"
        stack.compose("up", "-d")
        wait_until_ready(stack)
        assert stack.wait_until_idle()["status"] == "done"
        after = census(stack).contents
        assert {content: after[content] for content in before} == dict(before), f"turn {turn}"
        balance = stack.ask("/api/workflow/overview")["balance"]
        lines = {line["key"]: line["files"] for line in balance["lines"]}
        print(f"turn {turn}: cut off {cut_off}", flush=True)
        assert (balance["adds_up"], lines["archived"]) == (True, FILES * (turn + 1)), (turn, lines)
    assert cut_off > 0, "no run was at work when it was cut off"
