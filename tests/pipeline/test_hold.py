"""Holds without a peer: where they cannot be made that is told, and what they protect comes back from them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any
from unittest import mock

from app.files import publish
from app.model import HELD, BatchStatus, RootKind, RunStatus
from app.overview.peer_policy import policy_now
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.hold_child import SETTINGS, carry
from tests.pipeline.running import deliver, fill, messages, the_batches, workflow

Open = Callable[..., Services]


def no_hard_links(*_: Any) -> None:
    """What exFAT, and many network shares, answer."""
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def test_without_hard_links_nothing_is_copied_or_published_until_it_is_known_how_the_folder_is_shared(
    open_test_services: Open,
) -> None:
    services = open_test_services(**SETTINGS)
    fill(services, 3)

    with mock.patch.object(publish, "add_name", no_hard_links):
        run = workflow(services)

    (batch,) = the_batches(services)
    assert run.status is RunStatus.FAILED and "does not answer" in (run.error or "")
    assert batch.published_at is None and batch.status is BatchStatus.PENDING
    assert "3 files have no hold" in (batch.hold or "")
    assert "does not support the operation" in messages(services, "batch.unprotected")[0]
    assert policy_now(services)["batches"][0]["hold"] == batch.hold
    staged = read_tree(services.root(RootKind.STAGING).path, own_names=True)
    assert len([name for name in staged if name.endswith(".jpg")]) == 3
    # On a disk that has them, the same batch goes on.
    assert workflow(services).status is RunStatus.WAITING
    (batch,) = the_batches(services)
    assert batch.hold == HELD and batch.published_at is not None


def test_what_vanished_from_the_batch_folder_is_archived_from_its_hold(open_test_services: Open) -> None:
    services = open_test_services(**SETTINGS)
    fill(services, 3)
    before = sorted(read_tree(services.config.paths.source_dir).values())
    workflow(services)
    (batch,) = the_batches(services)
    assert batch.hold == HELD
    deliver(services, batch.id)
    folder = os.path.join(services.config.paths.batch_dir, batch.name)
    os.unlink(os.path.join(folder, "img_0001.jpg"))

    carry(services)

    archived = read_tree(services.config.paths.sorted_dir)
    assert sorted(content for name, content in archived.items() if name.endswith(".jpg")) == before
    assert the_batches(services)[0].status is BatchStatus.SORTED
    assert not messages(services, "asset.failed")


def test_a_batch_whose_files_stay_in_ingest_needs_no_holds(open_test_services: Open) -> None:
    services = open_test_services(**SETTINGS, batch={"transfer_mode": "copy"})
    fill(services, 2)

    workflow(services)

    assert the_batches(services)[0].hold is None and not messages(services, "batch.held")
