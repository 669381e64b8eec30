"""`undo`, `batch cancel` and `batch take-in`, with a worker of their own, as a person uses them."""

from __future__ import annotations

import json
import os

from app.db import batches
from app.model import BatchStatus
from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.undoing import batch_up_to, make, media_tree

PICTURES = {f"camera/p{n}.jpg": make_jpeg(taken=f"2024:05:0{1 + n} 07:08:09", seed=n) for n in range(4)}


def fill(machine: Machine) -> None:
    write_tree(machine.base / "ingest", PICTURES)
    for number, name in enumerate(PICTURES):
        os.utime(machine.base / "ingest" / name, ns=(0, 1_400_000_000_111_222_333 + number))


def test_a_sorted_batch_goes_back_by_a_worker_of_its_own_and_the_folders_are_as_before(machine: Machine) -> None:
    fill(machine)
    before = media_tree(machine.services)
    assert machine.call("run")[0] == 0
    assert not any(name.endswith(".jpg") for name in media_tree(machine.services) if name.startswith("ingest/"))
    code, out, err = machine.call("undo", "1", "--yes")
    assert code == 0, err
    assert "4 files" in out and "go back to where they came from and are set aside there." in out
    assert "Nothing was delivered" in out and "is done." in out
    assert media_tree(machine.services) == before
    assert machine.call("run")[0] == 0
    assert media_tree(machine.services) == before
    code, out, _ = machine.call("batch", "take-in", "1")
    assert (code, "4 files are taken in by the next run" in out) == (0, True)
    assert machine.call("run")[0] == 0
    assert sum(name.startswith("archive/") for name in media_tree(machine.services)) == 4


def test_without_a_yes_it_asks_and_a_no_changes_nothing(machine: Machine) -> None:
    make(machine.services)
    batch_up_to(machine.services, BatchStatus.SORTED)
    before = media_tree(machine.services)
    asked = machine.start("undo", "1", stdin=-1)
    out, _ = asked.communicate(b"n\n", timeout=60)
    assert asked.returncode == 2
    assert b"Take batch batch_001 back?" in out and b"Nothing was changed." in out
    assert media_tree(machine.services) == before


def test_a_dry_run_shows_what_would_happen_and_changes_nothing(machine: Machine) -> None:
    make(machine.services)
    batch_up_to(machine.services, BatchStatus.SORTED)
    before = media_tree(machine.services)
    code, out, _ = machine.call("undo", "1", "--dry-run")
    assert (code, "go back to where they came from" in out) == (0, True)
    code, seen = machine.ask("undo", "1", "--dry-run")
    assert (code, seen["possible"], seen["files"]) == (0, True, 5)
    write_tree(machine.base / "ingest", {"empty.jpg": b"another"})
    assert machine.call("undo", "1", "--dry-run")[0] == 1
    assert {k: v for k, v in media_tree(machine.services).items() if k != "ingest/empty.jpg"} == before


def test_as_json_it_is_one_document_and_asks_nobody(machine: Machine) -> None:
    make(machine.services)
    before = media_tree(machine.services)
    batch_up_to(machine.services, BatchStatus.SORTED)
    code, look = machine.ask("undo", "1", "--dry-run")
    assert (code, look["possible"], look["files"]) == (0, True, 5)
    code, refused = machine.ask("undo", "1")
    assert (code, "say --yes" in refused["error"]["detail"]) == (2, True)
    code, answer = machine.ask("undo", "1", "--yes")
    assert (code, answer["kind"], answer["status"]) == (0, "undo", "done")
    assert answer["steps"][0]["data"]["done"] == 5
    assert media_tree(machine.services) == before


def test_what_stands_in_the_way_is_shown_with_what_to_do_and_ends_with_2(machine: Machine) -> None:
    make(machine.services)
    batch_up_to(machine.services, BatchStatus.SORTED)
    write_tree(machine.base / "ingest", {"empty.jpg": b"another", "deep/er/a.mp4": b"another"})
    code, out, err = machine.call("undo", "1", "--yes")
    assert code == 2
    assert out.count("In the way: ") == 2
    assert "2 files stand in the way, so nothing was moved." in err and "Move or rename what lies there" in err
    with machine.services.db.reading() as conn:
        assert batches.get(conn, 1).status is BatchStatus.SORTED


def test_a_batch_is_cancelled_in_time_and_not_afterwards(machine: Machine) -> None:
    make(machine.services)
    before = media_tree(machine.services)
    batch_up_to(machine.services, BatchStatus.PENDING)
    code, out, err = machine.call("batch", "cancel", "1")
    assert (code, media_tree(machine.services)) == (0, before), err
    assert "Batch batch_001 was cancelled: 5 files" in out
    code, _, err = machine.call("batch", "cancel", "1")
    assert (code, "CANCELLED" in err) == (2, True)
    batch_up_to(machine.services, BatchStatus.SORTED)
    code, out, _ = machine.call("batch", "cancel", "2", "--json")
    assert (code, "media-pipeline undo 2" in json.dumps(json.loads(out)["error"])) == (2, True)
