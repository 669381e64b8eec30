"""Reader processes: every job gets one answer, whatever a reader does."""

from __future__ import annotations

from app.files.readers import Job, Readers


def answers(words: list[str], count: int = 1) -> dict[int, tuple[object, str | None]]:
    with Readers("tests.files.slow_reader", count, timeout_seconds=3) as readers:
        found = [a for a in readers.read(Job(i, [word]) for i, word in enumerate(words)) if a is not None]
    assert len(found) == len(words)
    return {a.key: (a.value, a.fault) for a in found}


def test_every_job_is_answered_in_its_own_name() -> None:
    words = [f"word {i}" for i in range(500)]
    assert answers(words, 2) == {i: (word, None) for i, word in enumerate(words)}


def test_a_crash_costs_the_one_file_that_was_being_read() -> None:
    found = answers(["a", "crash", "b", "crash", "c"])
    assert [found[i][0] for i in (0, 2, 4)] == ["a", "b", "c"]
    assert all("crashed" in str(found[i][1]) for i in (1, 3))


def test_a_file_that_takes_too_long_costs_only_itself() -> None:
    found = answers(["a", "hang", "b"])
    assert (found[0][0], found[2][0]) == ("a", "b")
    assert "took longer" in str(found[1][1])


def test_what_a_library_prints_is_no_answer() -> None:
    assert answers(["babble", "a"]) == {0: ("babble", None), 1: ("a", None)}


def test_no_jobs_no_answers() -> None:
    assert answers([]) == {}
