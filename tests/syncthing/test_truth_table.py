"""What Syncthing says while a file has not arrived, and that the delivery is not called SYNCED all the same.

Each row of `ROWS` is a situation in which a percentage, or another single answer of Syncthing's, misleads; it names the
test that brings it about between real Syncthings. D1 to D15 are situations that were found with real pairs, F1 to F6
the ways to see 100 % of something that is not there.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.model import AssetStatus, BatchStatus
from app.services import Services
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.raw import completion, in_file, never_synced, pause_device, status_of_asset
from tests.syncthing.staging import look, look_until_synced, publish, reread, services_for

pytestmark = pytest.mark.syncthing

HERE = Path(__file__).parent
DELIVERY, INTERRUPTED = "test_delivery.py", "test_interrupted_delivery.py"
BROKEN, BOTH = "test_broken_in_mid_delivery.py", "test_changed_both_ways.py"
TABLE = "test_truth_table.py"
ROWS = {
    "D1": (DELIVERY, "test_a_batch_whose_files_syncthing_has_not_seen_is_not_synced"),
    "D2": (TABLE, "test_without_a_device_syncthing_answers_100_for_itself"),
    "D3": (INTERRUPTED, "test_zero_byte_files_pending_at_an_absent_peer_are_not_synced_at_100_percent"),
    "D4": (DELIVERY, "test_a_file_that_an_ignore_pattern_hits_is_never_called_synced"),
    "D5": (TABLE, "test_names_that_syncthing_skips_or_even_deletes_leave_it_at_100_percent_and_are_not_synced"),
    "D6": (INTERRUPTED, "test_odd_names_that_cannot_travel_are_never_called_synced"),
    "D7": (TABLE, "test_a_scan_of_an_absolute_path_succeeds_and_scans_nothing"),
    "D8": (TABLE, "test_a_mistyped_device_is_no_error_to_syncthing_and_named_by_us"),
    "D9": (BROKEN, "test_what_breaks_in_mid_delivery_is_said_and_the_delivery_goes_on_afterwards"),
    "D10": (INTERRUPTED, "test_a_missing_folder_marker_stops_the_delivery_although_completion_says_100"),
    "D11": (TABLE, "test_a_file_that_the_peer_deleted_counts_as_100_percent_and_is_not_synced"),
    "D12": (BOTH, "test_a_file_that_a_peer_deleted_here_too_is_not_called_delivered_at_100_percent"),
    "D13": (DELIVERY, "test_the_peer_keeps_its_files_after_they_leave_the_batch_folder"),
    "D14": (BOTH, "test_a_file_that_a_peer_edited_here_too_is_not_called_delivered_at_100_percent"),
    "D15": (TABLE, "test_a_peer_that_never_told_what_it_holds_counts_as_100_percent_and_is_not_synced"),
    "F1": (DELIVERY, "test_a_batch_whose_files_syncthing_has_not_seen_is_not_synced"),
    "F2": (TABLE, "test_a_peer_that_never_told_what_it_holds_counts_as_100_percent_and_is_not_synced"),
    "F3": (INTERRUPTED, "test_zero_byte_files_pending_at_an_absent_peer_are_not_synced_at_100_percent"),
    "F4": (INTERRUPTED, "test_a_peer_that_ignores_a_file_keeps_the_batch_waiting_at_100_percent"),
    "F5": (TABLE, "test_a_peer_that_has_not_accepted_the_folder_counts_as_100_percent_and_is_not_synced"),
    "F6": (TABLE, "test_what_the_peer_holds_in_part_is_subtracted_from_its_need_and_is_not_synced"),
}


@pytest.fixture
def services(module_pair: Pair) -> Iterator[Services]:
    module_pair.bring_up()
    opened = services_for(module_pair)
    yield opened
    opened.close()


@pytest.fixture
def fresh_pair(tmp_path: Path) -> Iterator[Pair]:
    """A pair that never exchanged anything."""
    made = make_pair(tmp_path)
    yield made
    made.stop()


def test_every_row_of_the_table_is_a_test_and_in_the_documentation() -> None:
    for row, (file, name) in ROWS.items():
        tree = ast.parse((HERE / file).read_text())
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in names, row
    document = (HERE.parents[1] / "docs" / "syncthing.md").read_text()
    assert re.findall(r"^\| ([DF]\d+) \|", document, re.MULTILINE) == list(ROWS)


def test_without_a_device_syncthing_answers_100_for_itself(module_pair: Pair, services: Services) -> None:
    module_pair.peer.stop()
    wait_for(lambda: not module_pair.connected(), "the peer is gone")
    batch = publish(services, "d2", {"a.jpg": b"one"})

    detail = never_synced(services, batch)

    assert module_pair.ours.rest("GET", "db/completion", params={"folder": FOLDER})["completion"] == 100
    assert "not connected" in detail
    module_pair.bring_up()
    look_until_synced(services, batch)


def test_names_that_syncthing_skips_or_even_deletes_leave_it_at_100_percent_and_are_not_synced(
    module_pair: Pair, services: Services
) -> None:
    files = {
        "fine.jpg": b"1",
        ".syncthing.new.jpg": b"22",
        "~syncthing~old.jpg": b"333",
        os.fsdecode(b"\xff.jpg"): b"4444",
    }
    batch = publish(services, "d5", files)
    old = module_pair.ours.folder / "d5" / "~syncthing~old.jpg"
    os.utime(old, (1_400_000_000, 1_400_000_000))

    wait_for(lambda: look(services, batch) and reread(services, batch).confirmed_count, "the plain file is confirmed")

    wait_for(lambda: completion(module_pair)["completion"] == 100, "completion is 100")
    assert completion(module_pair)["needItems"] == 0
    assert not old.exists()
    assert ".syncthing.new.jpg and 1 more cannot be delivered" in never_synced(services, batch)
    assert status_of_asset(services, batch, "d5/~syncthing~old.jpg") is AssetStatus.FAILED


def test_a_scan_of_an_absolute_path_succeeds_and_scans_nothing(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "d7", {"a.jpg": b"one"})
    for sub in (str(module_pair.ours.folder / "d7"), "no/such/folder"):
        module_pair.ours.scan(sub)

    assert in_file(module_pair.ours, "d7/a.jpg") is None and completion(module_pair)["completion"] == 100
    assert reread(services, batch).status is BatchStatus.PENDING
    look_until_synced(services, batch)
    assert read_tree(module_pair.peer.folder / "d7") == {"a.jpg": b"one"}


def test_a_mistyped_device_is_no_error_to_syncthing_and_named_by_us(module_pair: Pair, opened: Any) -> None:
    stranger = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
    services = opened(module_pair, syncthing={"device_id": stranger})
    batch = publish(services, "d8", {"a.jpg": b"one"})

    detail = never_synced(services, batch)

    # a delivery that believes this waits for ever, without an error
    raw = module_pair.ours.rest("GET", "db/completion", params={"folder": FOLDER, "device": stranger})
    assert (raw["completion"], raw["sequence"]) == (0, 0)
    assert f"not shared with the device {stranger}" in detail
    right = opened(module_pair)
    with right.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE batches SET device_id = ? WHERE id = ?", (module_pair.peer.device_id, batch.id))
    look_until_synced(right, batch)


def test_a_file_that_the_peer_deleted_counts_as_100_percent_and_is_not_synced(
    module_pair: Pair, services: Services
) -> None:
    module_pair.peer.change_folder(type="sendreceive")
    batch = publish(services, "d11", {"a.jpg": b"one", "b.jpg": b"two"})
    module_pair.ours.scan("d11")
    gone = module_pair.peer.folder / "d11" / "b.jpg"
    wait_for(gone.exists, "both files arrive")
    gone.unlink()
    module_pair.peer.scan()
    wait_for(lambda: (in_file(module_pair.ours, "d11/b.jpg") or {})["global"]["deleted"], "the delete is known here")
    wait_for(lambda: completion(module_pair)["completion"] == 100, "completion is 100")

    detail = never_synced(services, batch)

    assert not gone.exists() and "d11/b.jpg" in detail and "changed or deleted at the peer" in detail
    module_pair.ours.rest("POST", "db/override", params={"folder": FOLDER})
    look_until_synced(services, batch)
    assert gone.read_bytes() == b"two"
    module_pair.peer.change_folder(type="receiveonly")


def test_a_peer_that_never_told_what_it_holds_counts_as_100_percent_and_is_not_synced(fresh_pair: Pair) -> None:
    services = services_for(fresh_pair)
    fresh_pair.peer.stop()
    wait_for(lambda: not fresh_pair.connected(), "the peer is gone")
    batch = publish(services, "f2", {"a.jpg": b"one", "b.jpg": b"two"})

    details = [never_synced(services, batch)]
    answers = [completion(fresh_pair)]
    fresh_pair.ours.stop()
    fresh_pair.ours.start()
    details.append(never_synced(services, batch))
    answers.append(completion(fresh_pair))

    # it has nothing, was never asked, and is not even there
    assert [(a["completion"], a["needItems"], a["sequence"]) for a in answers] == [(100, 0, 0)] * 2
    assert all("not connected" in detail for detail in details)
    fresh_pair.peer.start()
    fresh_pair.wait_connected()
    look_until_synced(services, batch)
    assert read_tree(fresh_pair.peer.folder / "f2") == {"a.jpg": b"one", "b.jpg": b"two"}
    services.close()


def test_a_peer_that_has_not_accepted_the_folder_counts_as_100_percent_and_is_not_synced(fresh_pair: Pair) -> None:
    fresh_pair.peer.rest("DELETE", f"config/folders/{FOLDER}")
    services = services_for(fresh_pair)
    batch = publish(services, "f5", {"a.jpg": b"one"})

    wait_for(
        lambda: look(services, batch) and completion(fresh_pair).get("remoteState") != "valid", "the look is taken"
    )
    detail = never_synced(services, batch)

    answer = completion(fresh_pair)
    assert (answer["completion"], answer["needItems"]) == (100, 0)
    assert "0 of 1 file confirmed" in detail or "has not accepted the folder" in detail
    fresh_pair.peer.add_folder("receiveonly", fresh_pair.ours)
    look_until_synced(services, batch)
    assert read_tree(fresh_pair.peer.folder / "f5") == {"a.jpg": b"one"}
    services.close()


def set_rates(pair: Pair, kib: int) -> None:
    """Bound what is sent; 0 is no bound. Loopback counts as a local network, which is bounded on request alone."""
    pair.ours.rest("PATCH", "config/options", json={"maxSendKbps": kib, "limitBandwidthInLan": kib > 0})


def test_what_the_peer_holds_in_part_is_subtracted_from_its_need_and_is_not_synced(
    module_pair: Pair, services: Services
) -> None:
    size, partly = 6_000_000, list[dict[str, Any]]()
    module_pair.peer.rest("PATCH", "config/options", json={"progressUpdateIntervalS": 1})
    set_rates(module_pair, 300)
    # an older peer tells of its temporary files only to those that it met after it had the folder
    pause_device(module_pair, True)
    pause_device(module_pair, False)
    batch = publish(services, "f6", {"film.mp4": os.urandom(size)})

    def is_partly_there() -> bool:
        look(services, batch)
        found = (in_file(module_pair.ours, "f6/film.mp4") or {}).get("availability") or []
        answer = completion(module_pair)
        if any(entry["fromTemporary"] for entry in found) and answer["needBytes"] < size:
            partly.append(answer)
        return bool(partly)

    wait_for(is_partly_there, "a part of it is in the peer's temporary file")
    never_synced(services, batch, 1)

    # "available" and partly counted as arrived, while no film is there under its name
    assert partly[0]["needItems"] > 0 and partly[0]["completion"] > 0
    assert not (module_pair.peer.folder / "f6/film.mp4").exists()
    set_rates(module_pair, 0)
    look_until_synced(services, batch)
    assert (module_pair.peer.folder / "f6/film.mp4").stat().st_size == size
