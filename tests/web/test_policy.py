"""What will happen to the peer's files, over HTTP: beforehand, and when the policy is changed under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.config.checks import cross_problems
from app.db import batches, journal, policy_change
from app.db.clock import later
from app.model import Batch, BatchStatus
from app.model.peer_policy import duration_in_words, peer_words
from app.services import Services
from tests.conftest import make_config

SYNCTHING: dict[str, Any] = {"sync": {"target": "syncthing", "peer_policy": "mirror", "grace_seconds": 600}}


def under_way(services: Services, status: BatchStatus, policy: str = "keep", name: str = "batch_001") -> Batch:
    """A batch for a peer that has come this far."""
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn, naming_pattern=name, allow_parallel=True, target="syncthing", transfer_mode="move",
            peer_policy=policy, device_id="PEER",
        )  # fmt: skip
        for step in (BatchStatus.SYNCING, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED):
            if batch.status is not status and status is not BatchStatus.PENDING:
                batch = batches.change(conn, batch, step)
        return batch


@pytest.fixture
def services(open_test_services: Any) -> Services:
    opened: Services = open_test_services(**SYNCTHING, syncthing={"folder_id": "photos"})
    return opened


def policies(services: Services) -> dict[str, str]:
    with services.db.reading() as conn:
        return {batch.name: batch.peer_policy for batch in batches.list_recent(conn, 20)}


def test_a_change_reaches_every_batch_that_is_not_sorted_yet_and_each_is_told(services: Services) -> None:
    for number, status in enumerate(BATCH_STATUSES):
        under_way(services, status, name=f"batch_{number}_{{index}}")
    before = policies(services)

    with services.db.transaction() as conn:
        affected = [batch.status for batch in policy_change.follow(conn, services.config)]
        events = journal.list_events(conn, kind_prefix="batch.policy_changed")
        assert policy_change.follow(conn, services.config) == []

    assert affected == [BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED]
    assert len(events) == 3 and all("copies are deleted" in event.message for event in events)
    assert sum(before[name] != policy for name, policy in policies(services).items()) == 3


BATCH_STATUSES = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED)


def test_the_grace_time_of_a_delivered_batch_begins_with_the_change(services: Services) -> None:
    batch = under_way(services, BatchStatus.SYNCED)

    with services.db.transaction() as conn:
        policy_change.follow(conn, services.config)
        after = batches.get(conn, batch.id)

    assert after.next_look_at is not None and later(0) < after.next_look_at <= later(600)


def test_a_batch_that_stopped_follows_by_what_it_was_before(services: Services) -> None:
    early = under_way(services, BatchStatus.SYNCING, name="early_{index}")
    late = under_way(services, BatchStatus.SORTING, name="late_{index}")
    with services.db.transaction() as conn:
        for batch in (early, late):
            batches.change(conn, batch, BatchStatus.ERROR, error="no", error_from=batch.status.value)
        affected = [batch.name for batch in policy_change.follow(conn, services.config)]

    assert affected == [early.name]


def test_release_is_refused_with_several_peers(tmp_path: Path) -> None:
    config = make_config(
        tmp_path, sync={"peer_policy": "release"}, syncthing={"device_id": "A" * 56, "device_ids": ["B" * 56]}
    )

    assert [(p.path, "one peer" in p.message) for p in cross_problems(config)] == [("sync.peer_policy", True)]
    alone = make_config(tmp_path, sync={"peer_policy": "release"}, syncthing={"device_id": "A" * 56})
    assert not cross_problems(alone)


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "0 seconds"), (59, "59 seconds"), (90, "1 minute 30 seconds"), (3600, "1 hour"), (90_061, "1 day 1 hour"),
])  # fmt: skip
def test_durations_are_said_in_their_two_largest_units(seconds: int, words: str) -> None:
    assert duration_in_words(seconds) == words


def test_grace_and_room_are_part_of_the_sentence() -> None:
    assert "10 minutes after they are delivered" in peer_words("syncthing", "mirror", grace_seconds=600)
    assert "At most 4.0 GiB lie there" in peer_words("syncthing", "release", room_bytes=4 * 2**30)
    assert "for its owner to bound" in peer_words("syncthing", "keep", room_bytes=4 * 2**30)


# --- over HTTP


def test_checking_and_saving_a_policy_names_the_batches_that_it_reaches(make_site: Any) -> None:
    site = make_site(sync={"target": "syncthing", "peer_policy": "keep"}, syncthing={"folder_id": "photos"})
    batch, client = under_way(site.services, BatchStatus.SYNCING), site.client()
    change = {"sync": {"peer_policy": "mirror"}}

    checked = client.post("/api/config/validate", json=change).json["affected_batches"]
    assert policies(site.services) == {batch.name: "keep"}
    saved = client.put("/api/config", json=change).json["affected_batches"]
    again = client.put("/api/config", json=change).json["affected_batches"]

    assert checked == saved and again == []
    assert [(b["name"], b["from"], b["to"]) for b in saved] == [(batch.name, "keep", "mirror")]
    assert policies(site.services) == {batch.name: "mirror"}
    assert "copies are deleted" in client.get(f"/api/batches/{batch.id}").json["peer"]["at_the_peer"]
    assert "its copies are deleted" in client.get("/control").text


def test_the_countdown_of_mirror_is_in_the_batch_the_policy_and_the_dashboard(make_site: Any) -> None:
    site = make_site(**SYNCTHING, syncthing={"folder_id": "photos"})
    batch = under_way(site.services, BatchStatus.SYNCED, "mirror")
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, next_look_at=later(600))
    client = site.client()

    policy, story = client.get("/api/sync/policy").json, client.get(f"/api/batches/{batch.id}").json

    assert 590 <= story["peer"]["seconds_left"] <= 600
    assert policy["batches"][0]["removal_at"] == story["peer"]["removal_at"] == later_of(site.services, batch)
    assert "10 minutes after they are delivered" in policy["at_the_peer"]
    assert policy["room"] == {"limit_bytes": None, "used_bytes": 0, "free_bytes": None, "words": "0 bytes at the peer"}
    assert "copies go at" in client.get("/partials/overview", headers={"HX-Request": "true"}).text


def later_of(services: Services, batch: Batch) -> str | None:
    with services.db.reading() as conn:
        return batches.get(conn, batch.id).next_look_at
