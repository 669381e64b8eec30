"""Nobody answers for Syncthing: files enter staging only where the disk itself tells that staging is not shared."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.model import RunStatus
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.hold_child import SETTINGS
from tests.pipeline.running import fill, the_batches, workflow


@pytest.mark.parametrize("tops", [(), ("shared",), ("shared", "shared/upload")])
def test_nothing_is_batched_while_nobody_can_say_whether_staging_is_shared(
    open_test_services: Callable[..., Services], tmp_path: Path, tops: tuple[str, ...]
) -> None:
    inner = tmp_path / "shared" / "upload"
    services = open_test_services(**SETTINGS, paths={"batch_dir": str(inner)})
    os.rmdir(inner / ".stfolder")
    for top in tops:
        os.mkdir(tmp_path / top / ".stfolder")
    fill(services, 2)
    before = read_tree(services.config.paths.source_dir)

    run = workflow(services)

    assert run.status is RunStatus.WAITING and not the_batches(services)
    assert read_tree(services.config.paths.source_dir) == before


def test_a_batch_is_made_when_the_shared_folder_begins_at_the_batch_folder(
    open_test_services: Callable[..., Services],
) -> None:
    services = open_test_services(**SETTINGS)
    fill(services, 2)

    workflow(services)

    assert the_batches(services)[0].published_at is not None
