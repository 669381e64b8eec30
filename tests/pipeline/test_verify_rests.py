"""A long verification lets other runs go first, and goes on where it stopped."""

from __future__ import annotations

import hashlib

import pytest

from app import jobs
from app.db import runs
from app.db.clock import now
from app.model import FindingKind, Run, RunKind, RunStatus, StepStatus, Trigger
from app.overview.runs import find_current
from app.pipeline.tick import wake_waiting
from app.pipeline.verify.stint import Stint, TimeIsUp
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go, messages, stages_of, workflow
from tests.pipeline.verifying import archive_without_workflow, edit, found, report, root, verify

FILES = {f"{n:03d}.jpg": hashlib.sha256(str(n).encode()).digest() for n in range(9)}
#: Over as soon as one file was read.
AN_INSTANT = 1e-6


def first_stint(services: Services, **arguments: object) -> Run:
    archive_without_workflow(services, FILES)
    write_tree(root(services).path, {f"new{n}.jpg": make_jpeg(seed=n) for n in range(3)})
    edit(root(services).path + b"/007.jpg")
    return verify(services, roots=["archive"], max_minutes=AN_INSTANT, **arguments)


def test_when_its_time_is_up_it_frees_the_slot_and_says_how_much_is_left(services: Services) -> None:
    run = first_stint(services)
    told = report(services, run)
    assert (run.status, stages_of(services, run)) == (RunStatus.WAITING, [("verify", StepStatus.WAITING)])
    assert 0 < told["read"] < len(FILES)
    assert told["read"] + told["left"] == len(FILES)
    assert told["goes_on_at"] > now()
    assert f"{told['left']} are left; goes on at {told['goes_on_at'][:10]}" in told["message"]
    assert messages(services, "run.waited") == [told["message"]]
    assert messages(services, "verify.finished") == []
    assert workflow(services).status is RunStatus.DONE


def test_each_stint_reads_what_the_ones_before_have_left_until_all_is_told_once(services: Services) -> None:
    run = first_stint(services)
    read = [report(services, run)["read"]]
    while run.status is RunStatus.WAITING:
        run = go(services, jobs.start_verify(services, Trigger.API, roots=["archive"], max_minutes=AN_INSTANT))
        read.append(report(services, run).get("read", len(FILES)))
    assert (run.id, run.status, read == sorted(read)) == (1, RunStatus.DONE, True)
    assert len(read) > 2
    assert found(services) == {
        b"007.jpg": FindingKind.ALTERED,
        **{f"new{n}.jpg".encode(): FindingKind.FOREIGN for n in range(3)},
    }
    assert report(services, run)["intact"] == len(FILES) - 1
    assert len(messages(services, "asset.found_altered")) == len(messages(services, "verify.finished")) == 1


def test_asked_for_again_it_goes_on_at_the_pace_that_is_asked_for_now(services: Services) -> None:
    run = first_stint(services, older_than_days=5)
    again = jobs.start_verify(
        services, Trigger.CLI, roots=["archive"], max_minutes=0, max_mb_per_second=50, older_than_days=5
    )
    assert (again.id, again.status, again.arguments["max_mb_per_second"]) == (run.id, RunStatus.QUEUED, 50)
    assert go(services, again).status is RunStatus.DONE


def test_another_verification_than_the_one_that_rests_is_a_run_of_its_own(services: Services) -> None:
    run = first_stint(services)
    other = jobs.start_verify(services, Trigger.CLI, roots=["archive"], older_than_days=5)
    assert other.id != run.id
    assert go(services, other).status is RunStatus.DONE
    with services.db.reading() as conn:
        assert runs.get(conn, run.id).status is RunStatus.WAITING


def test_the_tick_that_wakes_runs_after_a_delivery_leaves_it_at_rest(services: Services) -> None:
    run = first_stint(services)
    assert wake_waiting(services) == []
    with services.db.reading() as conn:
        assert runs.get(conn, run.id).status is RunStatus.WAITING


def test_a_run_that_waits_for_a_delivery_is_shown_before_one_that_rests(services: Services) -> None:
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [])
        waiting = runs.change(conn, runs.change(conn, run, RunStatus.RUNNING), RunStatus.WAITING)
    resting = first_stint(services)
    with services.db.reading() as conn:
        assert find_current(conn) == waiting
    jobs.cancel(services, waiting.id)
    with services.db.reading() as conn:
        current = find_current(conn)
    assert current is not None
    assert current.id == resting.id


def test_without_a_limit_it_is_never_over(services: Services) -> None:
    archive_without_workflow(services, {"a.jpg": b"a"})
    assert verify(services, max_minutes=0).status is RunStatus.DONE


def test_the_time_is_up_only_after_a_file_was_read() -> None:
    seconds = [0.0]
    stint = Stint(2, clock=lambda: seconds[0])
    seconds[0] = 119.9
    stint.file_was_read()
    seconds[0] = 120.0
    with pytest.raises(TimeIsUp):
        stint.file_was_read()
    Stint(0, clock=lambda: 1e9).file_was_read()
