"""Holds when folders are verified, and when the database is lost: known for what they are, never foreign."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from app import jobs
from app.db import findings, kept_copies, members
from app.files.holds import FOLDER
from app.model import AssetStatus, RootKind, RunStatus, Trigger
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.hold_child import SETTINGS
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import fill, go, the_batches, workflow


@pytest.fixture
def held(open_test_services: Callable[..., Services]) -> Services:
    """Four photos in a published batch, each with its hold."""
    services = open_test_services(**SETTINGS)
    fill(services, 4)
    workflow(services)
    assert the_batches(services)[0].hold == "held"
    return services


def holds_in_rows(services: Services) -> list[bytes]:
    with services.db.reading() as conn:
        found = kept_copies.list_places(conn, services.root(RootKind.STAGING).id)
        return sorted(path for _, path in found if path.startswith(FOLDER + b"/"))


def test_a_verification_finds_nothing_wrong_with_holds(held: Services) -> None:
    run = go(held, jobs.start_verify(held, Trigger.API))

    assert run.status is RunStatus.DONE and len(holds_in_rows(held)) == 4
    with held.db.reading() as conn:
        assert not sum(findings.count_open(conn).values())


def test_a_rebuilt_database_knows_the_holds_of_a_batch_that_is_under_way(held: Services) -> None:
    before = holds_in_rows(held)
    lose_database(held.config)

    services, _ = rebuild(held.config)

    assert holds_in_rows(services) == before
    with services.db.reading() as conn:
        batched = members.list_of(conn, the_batches(services)[0].id, [AssetStatus.BATCHED])
    assert len(batched) == 4
    services.close()


def test_what_only_a_hold_still_has_is_found_by_a_rebuild(held: Services) -> None:
    batch_dir = held.config.paths.batch_dir
    lost = next(name for name in read_tree(batch_dir) if name.endswith(".jpg"))
    content = read_tree(batch_dir)[lost]
    os.unlink(os.path.join(batch_dir, lost))
    lose_database(held.config)

    services, _ = rebuild(held.config)

    with services.db.reading() as conn:
        rows = conn.exec_driver_sql(
            "SELECT a.path FROM assets a JOIN roots r ON r.id = a.root_id "
            "WHERE r.kind = 'staging' AND a.status != 'gone'"
        ).all()
    (row,) = rows
    staging = services.root(RootKind.STAGING)
    with open(os.path.join(staging.path, row[0]), "rb") as file:
        assert file.read() == content
    services.close()
