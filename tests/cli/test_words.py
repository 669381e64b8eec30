"""What the program says to people: counts agree with their nouns, and what is suggested is possible."""

from __future__ import annotations

import pytest

from app import jobs
from app.db import runs
from app.diagnostics.work import check_files
from app.errors import IllegalTransition
from app.model import AssetStatus, BatchStatus, RootKind, RunKind, RunStatus, Stage, Trigger
from tests.cli.conftest import Machine
from tests.jobs.situations import add_failed_asset, force, make_batch


def test_one_is_not_called_many(machine: Machine) -> None:
    (machine.base / "ingest" / "a.jpg").write_bytes(b"only one")
    code, out, _ = machine.call("run")
    assert code == 0
    _, told, _ = machine.call("journal", "--limit", "100")
    _, batch, _ = machine.call("batch", "1")
    for text in (out, told, batch):
        assert "1 file" in text and "1 files" not in text and "1 duplicates" not in text


def test_the_doctor_counts_its_faults_in_words_that_fit(machine: Machine) -> None:
    counts = machine.ask("doctor")[1]["counts"]
    out = machine.call("doctor")[1]
    for word in ("warning", "fault"):
        named = f" {counts[word]} {word}{'' if counts[word] == 1 else 's'}"
        assert (named in out) == bool(counts[word])


def test_a_missing_worker_is_an_error_only_while_work_waits_for_it(machine: Machine) -> None:
    out = machine.call("overview")[1]
    assert "info: No worker is running. A command on the terminal brings one for its run" in out
    assert "error" not in out
    run = jobs.start_cleanup(machine.services, Trigger.API)
    assert f"error: Run {run.id} waits, because no worker is running." in machine.call("overview")[1]


def test_a_failed_file_in_the_archive_is_not_sent_to_a_retry_that_refuses_it(machine: Machine) -> None:
    asset_id = add_failed_asset(machine.services, RootKind.ARCHIVE)
    code, out, _ = machine.call("why", str(asset_id))
    assert code == 0
    assert "assets retry" not in out and "no run takes files from there" in out
    assert "Put the file into the ingest folder" in " ".join(out.split())
    (check,) = check_files(machine.services)
    assert "assets retry" not in check.fix and "in the archive" in check.fix
    failed = add_failed_asset(machine.services, RootKind.INGEST)
    (check,) = check_files(machine.services)
    assert "assets retry --failed" in check.fix and "in the archive" in check.fix
    assert f"media-pipeline assets retry {failed}" in machine.call("why", str(failed))[1]


def test_a_refused_change_says_what_it_is_for_instead(machine: Machine) -> None:
    services = machine.services
    sorted_batch = make_batch(services, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED)
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.CLI, (Stage.SCAN,), None, "r")
    run = force(services, run, RunStatus.DONE)
    asset_id = add_failed_asset(services, RootKind.INGEST)
    jobs.retry_asset(services, asset_id)
    for refused, words in (
        (lambda: jobs.retry_batch(services, sorted_batch), "is SORTED; only a batch in ERROR can be retried."),
        (lambda: jobs.take_in_again(services, sorted_batch), "is SORTED; only the files of a batch that was taken"),
        (lambda: jobs.retry_run(services, run.id), "is done; only a run that failed can be retried."),
        (lambda: jobs.resume(services, run.id), "is done; only one that is paused or waiting can go on."),
        (lambda: jobs.pause(services, run.id), "is done; only one that has not ended"),
        (lambda: jobs.retry_asset(services, asset_id), f"is {AssetStatus.DISCOVERED}; only a file that failed"),
    ):
        with pytest.raises(IllegalTransition, match=words):
            refused()
