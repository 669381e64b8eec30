"""A verification whose worker is killed, stopped or paused goes on where it was, and reads hardly anything twice."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from app import jobs
from app.db import findings
from app.model import FindingKind, Run, RunStatus, StepStatus, Trigger
from tests.pipeline.verifying import archive_without_workflow, flip_a_byte, root
from tests.worker.installation import Installation

Install = Callable[..., Installation]

FILES, SIZE_BYTES = 600, 40_000


def an_archive(site: Installation) -> set[bytes]:
    """Many files, a few of them harmed; returns the paths of those. So slow a rate that a kill hits in between."""
    chance = random.Random(1)
    tree = {f"{n % 7}/{n:04d}.jpg": chance.randbytes(SIZE_BYTES) for n in range(FILES)}
    archive_without_workflow(site.services, tree)
    harmed = set(chance.sample(sorted(os.fsencode(name) for name in tree), 5))
    for path in harmed:
        flip_a_byte(root(site.services).path + b"/" + path)
    return harmed


def verified(site: Installation) -> int:
    with site.services.db.reading() as conn:
        return int(conn.exec_driver_sql("SELECT COUNT(*) FROM assets WHERE verified_at IS NOT NULL").scalar_one())


def first_seen(site: Installation) -> dict[int, str]:
    """When each file was found intact, by id."""
    with site.services.db.reading() as conn:
        rows = conn.exec_driver_sql("SELECT id, verified_at FROM assets WHERE verified_at IS NOT NULL")
        return {row[0]: row[1] for row in rows}


def found(site: Installation) -> dict[bytes, FindingKind]:
    with site.services.db.reading() as conn:
        return {finding.path: finding.kind for finding in findings.list_page(conn, None, 0, 1_000)[0]}


def begin(site: Installation) -> Run:
    """At a rate at which all of it takes several seconds."""
    return jobs.start_verify(site.services, Trigger.API, roots=["archive"], max_mb_per_second=6)


def test_a_verification_that_is_killed_again_and_again_reads_no_file_twice_that_it_has_written_down(
    install: Install,
) -> None:
    site = install()
    harmed = an_archive(site)
    run = begin(site)
    before: dict[int, str] = {}
    for part in (0.2, 0.5):
        worker = site.start_worker()
        site.until(lambda part=part: verified(site) >= FILES * part, "a part of it is verified")  # type: ignore[misc]
        site.kill(worker)
        seen = first_seen(site)
        assert {i: seen[i] for i in before} == before
        before = seen
    assert site.run(run.id).status is RunStatus.RUNNING
    worker = site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    seen = first_seen(site)
    assert {i: seen[i] for i in before} == before
    assert len(seen) == FILES - len(harmed)
    assert found(site) == dict.fromkeys(harmed, FindingKind.ALTERED)
    assert site.steps(run.id)[-1].report["intact"] == FILES - len(harmed)
    told = [event.detail["path"] for event in site.events("asset.found_altered")]
    assert len(told) == len(set(told)) == len(harmed)
    assert site.terminate(worker) == 0


def test_a_stop_of_the_worker_writes_down_what_was_read_and_the_next_one_goes_on(install: Install) -> None:
    site = install()
    harmed = an_archive(site)
    run = begin(site)
    worker = site.start_worker()
    site.until(lambda: verified(site), "something is verified")
    assert site.terminate(worker) == 0
    assert site.run(run.id).status is RunStatus.QUEUED
    before = first_seen(site)
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    seen = first_seen(site)
    assert {i: seen[i] for i in before} == before
    assert found(site) == dict.fromkeys(harmed, FindingKind.ALTERED)


def test_a_slow_verification_is_paused_and_cancelled_at_once(install: Install) -> None:
    site = install()
    archive_without_workflow(site.services, {"film.mp4": os.urandom(30_000_000)})
    run = jobs.start_verify(site.services, Trigger.API, max_mb_per_second=0.1)
    site.start_worker()
    site.until(lambda: site.run(run.id).status is RunStatus.RUNNING and site.steps(run.id), "it reads the film")
    jobs.pause(site.services, run.id)
    site.until(lambda: site.run(run.id).status is RunStatus.PAUSED, "it pauses inside the film", 20)
    jobs.resume(site.services, run.id)
    site.until(lambda: site.run(run.id).status is RunStatus.RUNNING, "it goes on", 20)
    jobs.cancel(site.services, run.id)
    assert site.ended(run.id, 20).status is RunStatus.CANCELLED
    assert {step.status for step in site.steps(run.id)} == {StepStatus.CANCELLED}
    assert found(site) == {}


def test_a_schedule_starts_a_verification_by_itself(install: Install) -> None:
    site = install(verify={"schedule": "* * * * *", "older_than_days": 0})
    harmed = an_archive(site)
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql(
            "INSERT INTO facts (name, value) VALUES ('verify_schedule', '2024-01-01T00:00:00+00:00 * * * * *')"
        )
    site.start_worker()
    site.until(lambda: found(site) == dict.fromkeys(harmed, FindingKind.ALTERED), "all of it is verified")
    site.until(lambda: site.events("verify.finished"), "it is told")
    assert site.run(1).trigger is Trigger.SCHEDULE
