"""`sync`: a batch's id delivers it; its verbs show how far deliveries are, look again, and tell how they went."""

from __future__ import annotations

import pytest

from app.db import batch_devices, batches, facts, sync_samples
from app.db.clock import later, now
from app.db.sync_samples import Moment
from app.model import BatchStatus
from app.syncthing import notes
from tests.browser import rows
from tests.cli.conftest import Machine

PHONE = "PHONE00-AAAAAAA"


@pytest.fixture
def batch_id(machine: Machine) -> int:
    """A delivery under way, with its samples."""
    made = rows.add_syncing_batch(machine.services)
    with machine.services.db.transaction() as conn:
        batch_devices.add(conn, made, [PHONE])
        batches.set_columns(conn, made, next_look_at=later(3600))
        for n in range(5):
            sync_samples.add(conn, made, PHONE, Moment(n, n * 100, 9 - n, 900 - n * 100, connected=True), 1_500_000.0)
    return made


def test_the_status_of_a_delivery_says_why_no_time_is_known(machine: Machine, batch_id: int) -> None:
    code, out, _ = machine.call("sync", "status", str(batch_id))
    assert code == 0 and "250 of 640 files proven" in out and "worker is not running" in out
    code, found = machine.ask("sync", "status", str(batch_id))
    assert (code, found["transfer"]["remaining_seconds"]) == (0, None)


def test_without_a_batch_the_status_lists_each_delivery_under_way(machine: Machine, batch_id: int) -> None:
    other = rows.add_syncing_batch(machine.services, confirmed=7)
    code, found = machine.ask("sync", "status")
    assert code == 0 and [batch["batch_id"] for batch in found["batches"]] == [batch_id, other]
    code, out, _ = machine.call("sync", "status")
    assert code == 0 and "250 of 640" in out and "7 of 640" in out


def test_without_a_delivery_the_status_says_so(machine: Machine) -> None:
    assert machine.call("sync", "status")[:2] == (0, "No delivery is under way.\n")


def test_a_release_that_is_waited_for_is_a_delivery_under_way(machine: Machine, batch_id: int) -> None:
    with machine.services.db.transaction() as conn:
        words = "3 of 640 files released by phone."
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SYNCED, synced_at=now())
        batches.set_columns(conn, batch_id, target="syncthing", peer_policy="release", sync_detail=words)
    assert machine.call("config", "set", "sync.peer_policy=release")[0] == 0
    assert machine.call("sync", "status")[1].count(words) == 1


def test_a_batch_that_was_just_announced_is_said_to_be_so_and_nothing_else(machine: Machine) -> None:
    made = rows.add_syncing_batch(machine.services, confirmed=0)
    with machine.services.db.transaction() as conn:
        batch_devices.add(conn, made, [PHONE], {PHONE: "my phone"})
        sync_samples.add(conn, made, PHONE, Moment(0, 0, 0, 0, connected=True), None)
        facts.put(conn, "worker_heartbeat_at", now())
    _, out, _ = machine.call("sync", "status", str(made))
    assert "announced; what my phone has of it has not been looked at yet" in out and "the peer has not told" in out
    assert "not been announced" not in out and "awaited" not in out and f"at {PHONE[:7]}" not in out


def test_a_batch_that_is_not_announced_yet_calls_its_peer_by_the_name_that_it_had_last(
    machine: Machine, batch_id: int
) -> None:
    with machine.services.db.transaction() as conn:
        batch_devices.note(conn, batch_id, PHONE, name="my phone")
        later_one = rows.reserve(conn)
        batches.set_columns(conn, later_one.id, target="syncthing", device_id=PHONE, file_count=3)
    _, out, _ = machine.call("sync", "status", str(later_one.id))
    assert "proven at my phone" in out and "has not been announced yet" in out and "has not begun" in out


@pytest.mark.parametrize("words", [("sync", "status"), ("batch", "show")])
def test_each_fact_of_a_delivery_is_told_once(machine: Machine, batch_id: int, words: tuple[str, str]) -> None:
    away = "Waiting for phone: it is not connected, last seen 2026-05-06 07:08 UTC."
    with machine.services.db.transaction() as conn:
        batch_devices.note(conn, batch_id, PHONE, name="phone", code="peer_offline", words=away)
        notes.save(conn, batch_id, notes.Notes(trouble="peer_offline", trouble_words=away))
        detail = f"250 of 640 files confirmed at phone. {away}"
        batches.set_columns(conn, batch_id, target="syncthing", sync_detail=detail)
    code, out, _ = machine.call(*words, str(batch_id))
    assert (code, out.count(away), out.count("250 of 640")) == (0, 1, 1), out


def test_a_refresh_makes_deliveries_due_and_says_when_nobody_is_there_to_look(machine: Machine, batch_id: int) -> None:
    code, out, _ = machine.call("sync", "refresh")
    assert code == 0 and "The worker is not running" in out
    with machine.services.db.reading() as conn:
        due = batches.get(conn, batch_id).next_look_at
    assert due is not None and due <= now()
    assert machine.ask("sync", "refresh")[1]["count"] == 1


def test_the_history_shows_samples_newest_first(machine: Machine, batch_id: int) -> None:
    code, found = machine.ask("sync", "history", "--batch", str(batch_id), "--limit", "2")
    assert code == 0 and [sample["confirmed_files"] for sample in found["samples"]] == [4, 3]
    _, out, _ = machine.call("sync", "history")
    assert "1.4 MiB/s" in out and "PHONE00" in out


def test_a_history_of_nothing_says_so(machine: Machine) -> None:
    assert "Nothing was delivered" in machine.call("sync", "history")[1]


def test_the_id_of_a_batch_alone_still_delivers_it(machine: Machine) -> None:
    for words in (("sync", "999"), ("sync", "start", "999"), ("sync", "--", "999")):
        code, _, said = machine.call(*words)
        assert code == 2 and "999" in said
