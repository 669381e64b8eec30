"""Taking back a batch that only a rebuild knows: what was delivered is unknown, and is not said to be nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.model.undo import peer_in_words
from tests.pipeline.running import fill, the_batches
from tests.pipeline.running import workflow as run_workflow
from tests.pipeline.test_rebuild import Site, make_site, site

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
