"""What is told of a harmed file and of its duplicate, which may be the only good copy."""

from __future__ import annotations

import os

import pytest

from app import jobs
from app.db import assets
from app.errors import printable
from app.model import Asset, AssetStatus, RootKind
from app.overview.verification import find_finding
from app.overview.why import explain
from app.services import Services
from tests.conftest import read_tree, write_tree
from tests.pipeline.running import workflow
from tests.pipeline.verifying import Harm, archive_of, edit, flip_a_byte, path_of, root, the_finding, verify

REMOVE = "Remove it yourself when you like"
KEEP = "keep this file; it may be the only good copy"


@pytest.fixture
def pair(services: Services) -> tuple[Asset, Asset]:
    """An archived file, and a duplicate of it that stays where it is."""
    (original,) = archive_of(services, 1)
    content = next(iter(read_tree(root(services).path).values()))
    write_tree(root(services, RootKind.INGEST).path, {"again.jpg": content})
    workflow(services)
    with services.db.reading() as conn:
        (duplicate,) = assets.list_by_status(conn, AssetStatus.DUPLICATE)
    return original, duplicate


def next_of(services: Services, asset: Asset) -> str:
    return str(explain(services, str(asset.id))["asset"]["next"])


def test_a_duplicate_of_a_good_original_may_be_removed(services: Services, pair: tuple[Asset, Asset]) -> None:
    verify(services)
    assert REMOVE in next_of(services, pair[1])


@pytest.mark.parametrize("harm", [edit, flip_a_byte, os.unlink])
def test_nobody_is_told_to_remove_the_duplicate_of_a_harmed_original(
    services: Services, pair: tuple[Asset, Asset], harm: Harm
) -> None:
    original, duplicate = pair
    harm(path_of(services, original))
    verify(services)
    told = next_of(services, duplicate)
    assert KEEP in told and REMOVE not in told
    assert the_finding(services).reason.rstrip(".") in told


@pytest.mark.parametrize("status", [AssetStatus.GONE, AssetStatus.FAILED])
def test_nobody_is_told_to_remove_the_duplicate_of_an_original_that_is_gone_or_failed(
    services: Services, pair: tuple[Asset, Asset], status: AssetStatus
) -> None:
    original, duplicate = pair
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET status = ? WHERE id = ?", (status.value, original.id))
    told = next_of(services, duplicate)
    assert KEEP in told and REMOVE not in told


def test_nobody_is_told_to_remove_the_duplicate_of_a_file_that_holds_something_else_by_now(
    services: Services, pair: tuple[Asset, Asset]
) -> None:
    original, duplicate = pair
    edit(path_of(services, original))
    verify(services)
    jobs.accept_finding(services, the_finding(services).id)
    told = next_of(services, duplicate)
    assert REMOVE not in told


def remedy(services: Services) -> str:
    with services.db.reading() as conn:
        return str(find_finding(conn, the_finding(services).id)["remedy"])


@pytest.mark.parametrize("harm", [edit, flip_a_byte, os.unlink])
def test_the_place_of_a_good_copy_is_named_before_the_backup(
    services: Services, pair: tuple[Asset, Asset], harm: Harm
) -> None:
    original, duplicate = pair
    harm(path_of(services, original))
    verify(services)
    place = printable(path_of(services, duplicate))
    assert remedy(services).startswith(f"A file with the right content is at {place}. Put it back from your backup")


def test_no_good_copy_is_named_where_there_is_none(services: Services) -> None:
    first, _ = archive_of(services, 2)
    edit(path_of(services, first))
    verify(services)
    assert remedy(services).startswith("Put it back from your backup")
