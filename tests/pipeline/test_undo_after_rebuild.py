"""Taking back a batch that only a rebuild knows: what was delivered is unknown, and is not said to be nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import jobs
from app.model import BatchStatus, RunStatus, Trigger
from app.model.undo import peer_in_words
from app.overview.undo import undo_summary
from tests.conftest import write_tree
from tests.pipeline.running import fill, go, the_batches
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import Site, built_batch, make_site, site

__all__ = ["make_site", "site"]

UNKNOWN = "What was delivered is not known any more since the database was rebuilt; copies may be"


@pytest.mark.parametrize(("target", "where"), [("folder", "in the delivery folder"), ("syncthing", "at the peer")])
def test_after_a_rebuild_an_undo_says_that_what_was_delivered_is_not_known(site: Site, target: str, where: str) -> None:
    fill(site.services, 2)
    run_workflow(site.services)
    (before,) = the_batches(site.services)
    site.lost_and_rebuilt()
    (rebuilt,) = the_batches(site.services)
    assert peer_in_words(replace(rebuilt, target=target), 0, 0) == f"{UNKNOWN} {where}."
    assert UNKNOWN not in peer_in_words(replace(before, target=target), 0, 2)
    assert peer_in_words(rebuilt, 0, 0) == "Nothing was delivered, so nothing changes anywhere else."


def said(site: Site, batch_id: int) -> str:
    look = jobs.look_at_undo(site.services, batch_id)
    with site.services.db.reading() as conn:
        return str(undo_summary(conn, look)["peer"])


@pytest.mark.parametrize("moved_on", [0, 2])
def test_of_a_batch_that_lay_ready_when_the_database_was_lost_nothing_is_said_to_be_undelivered(
    make_site: Callable[..., Site], tmp_path: Path, moved_on: int
) -> None:
    site = make_site(sync={"target": "folder", "folder_dir": str(tmp_path / "usb")})
    built_batch(site)
    assert said(site, 1) == "Nothing was delivered."
    folder = site.base / "batches" / "batch_001"
    pictures = sorted(folder.glob("*.jpg"))[:moved_on]
    write_tree(site.config.paths.sorted_dir, {f"2024/{one.name}": one.read_bytes() for one in pictures})
    for one in pictures:
        one.unlink()
    site.lost_and_rebuilt()
    (batch,) = the_batches(site.services)
    assert batch.status is (BatchStatus.SORTING if moved_on else BatchStatus.PENDING)
    assert said(site, 1) == f"{UNKNOWN} in the delivery folder."
    jobs.confirm_rebuild(site.services)
    run = go(site.services, jobs.start_undo(site.services, 1, Trigger.API))
    assert run.status is RunStatus.DONE
    assert UNKNOWN in (the_batches(site.services)[0].sync_detail or "")
