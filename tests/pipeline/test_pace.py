"""How fast a step goes and how long it may still take: measured, or not told at all."""

from __future__ import annotations

import pytest

from app.db import runs
from app.model import Stage
from app.overview.runs import step_summary
from app.pipeline import step as steps
from app.pipeline.pace import Pace
from app.services import Services
from tests.pipeline.library import a_step


def paced(*notes: tuple[float, int, int, int, int | None]) -> dict[str, object]:
    pace = Pace()
    for note in notes:
        pace.note(*note)
    return pace.as_detail()


def test_nothing_is_told_before_it_was_measured() -> None:
    unknown = {"files_per_second": None, "bytes_per_second": None, "remaining_seconds": None, "words": ""}
    assert paced() == paced((0.0, 5, 10, 100, None)) == paced((0.0, 0, 9, 0, None), (2.9, 5, 9, 5, None)) == unknown


@pytest.mark.parametrize(
    ("notes", "remaining", "words"),
    [
        # Nobody knows how many files there are: a rate, and no time.
        ([(0.0, 0, 0, 0, None), (10.0, 1000, 0, 0, None)], None, "100 files a second"),
        ([(0.0, 0, 9000, 0, None), (10.0, 1000, 9000, 0, None)], 80, "100 files a second, about 2 minutes left"),
        # Bytes say more than files.
        ([(0.0, 0, 4, 0, 5 << 20), (5.0, 1, 4, 5 << 20, 4 << 20)], 4,
         "1.0 MiB a second, about 4 seconds left"),
        # Nothing moved: no time either.
        ([(0.0, 7, 9, 7, None), (10.0, 7, 9, 7, None)], None, "0 files a second"),
        ([(0.0, 0, 9, 0, 100), (10.0, 0, 9, 0, 100)], None, "0 files a second"),
        # What was done before the last half minute does not count, nor does what was done before something else began.
        ([(0.0, 0, 1300, 0, None), (40.0, 900, 1300, 0, None), (80.0, 1300, 1300, 0, None)], 0,
         "10 files a second, about 1 second left"),
        ([(0.0, 900, 1000, 0, None), (1.0, 0, 50, 0, None), (11.0, 10, 50, 0, None)], 40,
         "1 file a second, about 40 seconds left"),
    ],
)  # fmt: skip
def test_the_time_that_is_left_follows_from_the_rate(
    notes: list[tuple[float, int, int, int, int | None]], remaining: int | None, words: str
) -> None:
    told = paced(*notes)
    assert (told["remaining_seconds"], told["words"]) == (remaining, words)


def test_a_running_step_tells_its_pace_and_its_report_takes_that_place(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PROGRESS_INTERVAL_SECONDS", -1.0)
    step = a_step(services, Stage.SCAN)
    step.safe_point(3, 0, 12)
    with services.db.reading() as conn:
        told = step_summary(runs.list_steps(conn, step.run_id)[-1])
    assert (told["done"], told["total"], told["progress"], told["size_bytes"]) == (3, 0, None, 12)
    assert told["data"]["pace"] == Pace().as_detail()
