"""The pairing test with real Syncthings: sent, proven, removed; nothing of it stays in our folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import pairing_tests, runs
from app.errors import BadRequest, RunInProgress
from app.model import Run, RunStatus, Trigger
from app.model.pairing import PAIRING_TEST_NAME, PairingState, PairingTest
from app.overview.pairing import pairing_overview
from app.pipeline import tick
from app.services import Services
from tests.pipeline.running import go
from tests.syncthing.pair import Pair, make_pair, make_trio, wait_for

pytestmark = pytest.mark.syncthing


def begin(services: Services) -> Run:
    return go(services, jobs.start_pairing_test(services, Trigger.CLI))


def the_test(services: Services) -> PairingTest:
    with services.db.reading() as conn:
        found = pairing_tests.find(conn)
    assert found is not None
    return found


def run_of(services: Services, run_id: int) -> Run:
    with services.db.reading() as conn:
        return runs.get(conn, run_id)


def go_on(services: Services, run: Run) -> bool:
    """One tick of the worker; True when the test's run has ended."""
    tick.look_at_deliveries(services)
    for run_id in tick.wake_waiting(services):
        go(services, run_of(services, run_id))
    return run_of(services, run.id).status is RunStatus.DONE


def file_at(folder: Path) -> bool:
    return (folder / PAIRING_TEST_NAME).is_file()


def test_the_file_arrives_is_proven_and_leaves_our_folder(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair)

    run = begin(services)
    wait_for(lambda: go_on(services, run), "the pairing test is passed")

    test = the_test(services)
    assert test.state is PairingState.PASSED and test.where == "peer"
    assert not file_at(module_pair.ours.folder)
    assert test.detail == "The pairing test is passed: the file arrived at peer."
    module_pair.ours.scan()
    wait_for(lambda: not file_at(module_pair.peer.folder), "the peer follows our removal")


def test_while_the_peer_is_away_the_test_waits_and_says_so(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair)
    module_pair.peer.stop()
    wait_for(lambda: not module_pair.connected(), "the peer is gone")
    try:
        run = begin(services)
        assert run.status is RunStatus.WAITING and file_at(module_pair.ours.folder)
        assert "Waiting for peer: it is not connected, last seen" in the_test(services).detail
        with pytest.raises(RunInProgress):
            jobs.start_pairing_test(services, Trigger.CLI)
    finally:
        module_pair.bring_up()
    wait_for(lambda: go_on(services, run), "the pairing test is passed")
    assert not file_at(module_pair.ours.folder)


def test_a_cancelled_test_leaves_its_file_to_the_next_cleanup(
    module_pair: Pair, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair)
    module_pair.peer.stop()
    try:
        run = begin(services)
        jobs.cancel(services, run.id)
        with services.db.reading() as conn:
            assert pairing_overview(conn)["state"] == "cancelled"
        assert file_at(module_pair.ours.folder)
        go(services, jobs.start_cleanup(services, Trigger.CLI))
        assert not file_at(module_pair.ours.folder)
    finally:
        module_pair.bring_up()


def test_under_release_the_person_deletes_the_file_at_the_peer(
    tmp_path: Path, opened: Callable[..., Services]
) -> None:
    pair = make_pair(tmp_path, peer_kind="sendreceive")
    try:
        services = opened(pair, sync={"peer_policy": "release"})
        run = begin(services)
        wait_for(lambda: _looked(services).state is PairingState.RELEASING, "the file has arrived")
        assert f"Now delete {PAIRING_TEST_NAME} there" in the_test(services).detail
        assert run_of(services, run.id).status is RunStatus.WAITING

        os.unlink(pair.peer.folder / PAIRING_TEST_NAME)
        pair.peer.scan()
        wait_for(lambda: go_on(services, run), "the pairing test is passed")

        assert the_test(services).released_at is not None and not file_at(pair.ours.folder)
        assert "the peer's own deletion of it was seen" in the_test(services).detail
    finally:
        pair.stop()


def test_a_file_of_the_users_under_the_same_name_is_never_touched(
    module_pair: Pair, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair)
    own = module_pair.ours.folder / PAIRING_TEST_NAME
    own.write_text("mine")

    run = begin(services)
    go(services, jobs.start_cleanup(services, Trigger.CLI))

    assert run.status is RunStatus.FAILED and "the name is taken by other content" in (run.error or "")
    assert own.read_text() == "mine"
    own.unlink()


def test_a_file_that_took_the_place_of_ours_after_a_cancelled_test_stays(
    module_pair: Pair, opened: Callable[..., Services]
) -> None:
    services = opened(module_pair)
    own = module_pair.ours.folder / PAIRING_TEST_NAME
    module_pair.peer.stop()
    try:
        run = begin(services)
        jobs.cancel(services, run.id)
        own.write_text("mine")
        go(services, jobs.start_cleanup(services, Trigger.CLI))
        go(services, jobs.start_cleanup(services, Trigger.CLI))

        assert own.read_text() == "mine"
        assert "holds something else now, and stays there" in the_test(services).detail
    finally:
        own.unlink()
        module_pair.bring_up()


def test_two_peers_of_one_name_must_both_have_the_file(tmp_path: Path, opened: Callable[..., Services]) -> None:
    trio = make_trio(tmp_path)
    try:
        for node in (trio.peer, trio.other):
            trio.ours.rest("PATCH", f"config/devices/{node.device_id}", json={"name": "Phone"})
        trio.other.stop()
        services = opened(trio, syncthing={"device_ids": [trio.other.device_id]})
        run = begin(services)
        wait_for(lambda: len(_looked(services).confirmed) == 1, "the first peer has the file")
        assert run_of(services, run.id).status is RunStatus.WAITING
        assert "Waiting for Phone" in the_test(services).detail

        trio.other.start()
        wait_for(lambda: go_on(services, run), "the pairing test is passed")
        assert the_test(services).where == "Phone, Phone"
    finally:
        trio.stop()


def test_a_pairing_test_needs_syncthing(module_pair: Pair, opened: Callable[..., Services]) -> None:
    services = opened(module_pair, sync={"target": "none"})

    with pytest.raises(BadRequest):
        jobs.start_pairing_test(services, Trigger.CLI)


def _looked(services: Services) -> PairingTest:
    tick.look_at_deliveries(services)
    return the_test(services)
