"""A preview, in this process: what it says in words, when it stops, what it keeps, and that it touches nothing."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import assets, batches, config_revisions, known_digests, moves, rehearsals, runs
from app.db.clock import later
from app.errors import NoSpace, NotFound, RunInProgress, StateError
from app.files.imagined import ImaginedDisk
from app.files.imagined_room import ImaginedRoom
from app.files.move import Move, move_files, recover
from app.files.roots import free_bytes
from app.model import AssetStatus, BatchStatus, Place, RootKind, Run, RunStatus, Trigger
from app.overview.preview import list_batches, list_duplicates, list_files, peer_words, preview_summary
from app.pipeline import preview as preview_stage
from app.pipeline import scan
from app.pipeline.room import require_room
from app.pipeline.step import StepContext
from app.pipeline.workflow import execute
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.generated import OF_THE_RUN, rows_of, tree_of
from tests.pipeline.running import Opener, count, fill, go, messages, the_batches, workflow
from tests.pipeline.stages import run_dedup

PHOTO = make_jpeg(taken="2024:05:06 07:08:09", seed=1)


def fill_twice(services: Services, count: int) -> None:
    """Pictures and a copy of each: files that have to be read whole."""
    fill(services, count)
    source = ingest(services)
    write_tree(source, {f"again/{path.name}": path.read_bytes() for path in sorted(source.glob("*.jpg"))})


def preview(services: Services) -> Run:
    return go(services, jobs.start_preview(services, Trigger.API))


def by_name(services: Services, run: Run, **which: Any) -> dict[str, dict[str, Any]]:
    found = list_files(services, run.id, limit=1_000, **which)["files"]
    return {os.path.basename(file["path"]): file for file in found}


def ingest(services: Services) -> Path:
    return Path(services.config.paths.source_dir)


# --- what it says


def test_a_preview_says_of_every_file_where_it_goes_and_why(services: Services) -> None:
    write_tree(ingest(services), {
        "cam": {"IMG_1.jpg": PHOTO, "IMG_1.cr2": b"raw", "IMG_1.xmp": b"<x/>"},
        "20240507_101112.png": b"not really a picture",
        "undated.jpg": make_jpeg(seed=2),
        "note.txt": b"left",
    })  # fmt: skip
    os.utime(ingest(services) / "undated.jpg", (1_600_000_000, 1_600_000_000))
    found = by_name(services, preview(services))
    assert found["IMG_1.jpg"]["why"] == "EXIF DateTimeOriginal says 2024-05-06 07:08 → 2024/05/06"
    assert found["IMG_1.cr2"]["why"] == found["IMG_1.xmp"]["why"] == "goes with IMG_1.jpg → 2024/05/06"
    assert found["20240507_101112.png"]["why"] == "its file name says 2024-05-07 10:11 → 2024/05/07"
    undated = found["undated.jpg"]
    assert undated["why"] == (
        "it holds no capture time; the file's own time (2020-09-13 12:26) decides → 2020/09/13"
    )
    assert (undated["is_date_certain"], found["IMG_1.jpg"]["is_date_certain"]) == (False, True)
    assert found["IMG_1.jpg"]["target"] == f"{services.config.paths.sorted_dir}/2024/05/06/IMG_1.jpg"
    assert (found["IMG_1.jpg"]["batch_name"], found["IMG_1.jpg"]["path_in_batch"]) == ("batch_001", "cam/IMG_1.jpg")
    assert found["IMG_1.jpg"]["outcome"] == "goes to the archive in batch_001"
    assert "note.txt" not in found


def test_a_duplicate_names_the_file_that_it_repeats(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": PHOTO})
    workflow(services)
    write_tree(ingest(services), {"b.jpg": PHOTO, "c.jpg": b"new", "d.jpg": b"new"})
    run = preview(services)
    page = list_duplicates(services, run.id, limit=10)
    said = {os.path.basename(file["path"]): file["duplicate_of"]["path"] for file in page["duplicates"]}
    archive, source = services.config.paths.sorted_dir, services.config.paths.source_dir
    assert said == {"b.jpg": f"{archive}/2024/05/06/a.jpg", "d.jpg": f"{source}/c.jpg"}
    assert page["duplicates"][0]["outcome"].endswith("and stays where it is")
    assert page["next_after_id"] is None


def test_quarantined_duplicates_are_said_to_move(open_test_services: Opener) -> None:
    services = open_test_services(dedup={"duplicate_policy": "quarantine"})
    write_tree(ingest(services), {"a.jpg": b"same", "b.jpg": b"same"})
    duplicate = by_name(services, preview(services), status="duplicate")["b.jpg"]
    assert duplicate["target"] == f"{services.config.paths.duplicates_dir}/b.jpg"
    assert duplicate["outcome"] == "is a duplicate of a.jpg and moves to the duplicates folder"


def test_the_summary_adds_up(open_test_services: Opener) -> None:
    services = open_test_services(batch={"max_files": 4, "selection_mode": "files"}, sorter={"weak_dates": "review"})
    fill(services, 10)
    again = make_jpeg(taken="2024:05:01 10:00:00", seed=0)
    write_tree(ingest(services), {"again.jpg": again, "weak.jpg": make_jpeg(seed=99)})
    found = preview_summary(services, preview(services).id)
    counts = {name: value["files"] for name, value in found["summary"]["counts"].items()}
    assert (counts["new"], counts["duplicates"], counts["archived"], counts["review"]) == (12, 1, 10, 1)
    assert found["summary"]["batches"]["count"] == 3
    assert sum(folder["files"] for folder in found["summary"]["folders"]) == 11
    assert found["message"].startswith("11 files in 3 batches would go to the archive")
    assert found["summary"]["warnings"] == ["1 file with a doubtful date."]
    assert found["is_finished"] and found["is_current"] and found["has_lists"]


def test_pages_follow_each_other_by_key(open_test_services: Opener) -> None:
    services = open_test_services(batch={"max_files": 2, "selection_mode": "files"})
    fill(services, 7)
    run, seen, after = preview(services), [], 0
    while after is not None:
        page = list_files(services, run.id, after_id=after, limit=3)
        seen += [file["id"] for file in page["files"]]
        after = page["next_after_id"]
    assert seen == sorted(set(seen)) and len(seen) == 7
    first = list_batches(services, run.id, limit=3)
    rest = list_batches(services, run.id, after_id=first["next_after_id"], limit=3)
    assert [b["name"] for b in first["batches"] + rest["batches"]] == [f"batch_00{n}" for n in (1, 2, 3, 4)]
    assert list(by_name(services, run, batch_id=first["batches"][0]["id"])) == ["img_0000.jpg", "img_0001.jpg"]


@pytest.mark.parametrize(("target", "policy", "words"), [
    ("none", "keep", "Nothing is delivered"),
    ("folder", "keep", "copy of every file goes to the delivery folder"),
    ("syncthing", "keep", "keeps its copies"),
    ("syncthing", "mirror", "copies are deleted"),
    ("syncthing", "release", "once the peer has removed"),
])  # fmt: skip
def test_what_happens_at_the_peer_is_said_in_words(target: str, policy: str, words: str) -> None:
    assert words in peer_words(target, policy)


# --- where a run would stop, or wait


def test_a_batch_in_error_is_said_to_block(services: Services) -> None:
    fill(services, 2)
    go(services, jobs.start_dedup(services, Trigger.API))
    go(services, jobs.create_batch(services, Trigger.API)[1])
    with services.db.transaction() as conn:
        batches.change(conn, batches.find_open(conn), BatchStatus.ERROR, error="Broken.", error_from="PENDING")
    fill(services, 2, first=10)
    found = preview_summary(services, preview(services).id)["summary"]
    assert "batch_001 (id 1) is still ERROR" in found["ends"]
    assert found["warnings"][0] == found["ends"]
    assert found["counts"]["waiting"]["files"] == 2


def test_under_release_it_is_said_that_the_run_waits_for_the_files_to_be_deleted_at_the_peer(
    open_test_services: Opener,
) -> None:
    services = open_test_services(sync={"target": "syncthing", "peer_policy": "release"},
                                  syncthing={"folder_id": "photos"},
                                  batch={"max_files": 2, "selection_mode": "files"})  # fmt: skip
    fill(services, 2)
    found = preview_summary(services, preview(services).id)["summary"]
    waits = "The run waits until the files of batch_001 are uploaded or copied at the peer and deleted there."
    assert found["ends"] == f"{waits} Then: Everything is done."
    fill(services, 2, first=10)
    found = preview_summary(services, preview(services).id)["summary"]
    assert "each of 2 batches, from batch_001 to batch_002, are uploaded" in found["ends"]


def test_a_folder_for_deliveries_that_is_away_is_warned_of(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services(sync={"target": "folder", "folder_dir": str(tmp_path / "disk")})
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    fill(services, 2)
    found = preview_summary(services, preview(services).id)["summary"]
    assert found["warnings"][0].startswith("The run would wait: The delivery folder")
    assert found["counts"]["archived"]["files"] == 2


def test_a_library_that_is_away_cannot_be_previewed(services: Services) -> None:
    ingest(services).rename(ingest(services).with_name("unplugged"))
    run = preview(services)
    assert run.status is RunStatus.FAILED
    assert "ingest folder" in (run.error or "")
    with pytest.raises(NotFound):
        list_files(services, run.id, limit=10)


def test_a_preview_waits_until_a_move_that_was_cut_off_is_mended(services: Services) -> None:
    fill(services, 1)
    go(services, jobs.start_dedup(services, Trigger.API))
    root = services.root(RootKind.INGEST)
    intent = moves.Intent("batch", None, None, 1, False, False, True, root.id, b"img_0000.jpg", root.id, b"x.jpg", None,
                          "d", "blake3", 1, 1, 1, 1, None, None)  # fmt: skip
    with services.db.transaction() as conn:
        moves.plan(conn, [intent], "boot")
    run = preview(services)
    assert (run.status, run.error) == (
        RunStatus.FAILED, "A move was cut off and is not finished yet; the preview can begin when that is mended."
    )  # fmt: skip


# --- room


def test_the_room_that_copies_take_is_counted_by_folder(open_test_services: Opener) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"}, sorter={"transfer_mode": "copy"})
    write_tree(ingest(services), {"a.jpg": b"a" * 1_000, "b.jpg": b"b" * 500})
    found = preview_summary(services, preview(services).id)["summary"]
    needed = {need["root"]: (need["needed_bytes"], need["fits"]) for need in found["room"]}
    assert (needed["staging"], needed["archive"], needed["ingest"]) == ((1_500, True), (1_500, True), (0, True))


def test_too_little_room_is_noted_and_not_a_reason_to_stop(services: Services) -> None:
    root = services.root(RootKind.ARCHIVE)
    disk = ImaginedDisk(services.db)
    too_much = {root.id: free_bytes(root) * 2}
    with pytest.raises(NoSpace):
        require_room("build a batch in", too_much, {root.id: root}, root, copies=True)
    require_room("build a batch in", too_much, {root.id: root}, root, copies=True, disk=disk)
    assert "Could not build a batch in" in disk.room.shortages[0]
    disk.close()


def test_folders_on_one_disk_share_its_room(services: Services) -> None:
    room, archive, batch = ImaginedRoom(), services.root(RootKind.ARCHIVE), services.root(RootKind.BATCH)
    half = free_bytes(archive) * 2 // 3
    room.take(archive, half)
    assert [need.fits for need in room.needs([archive, batch])] == [True, True]
    room.take(batch, half)
    assert [(need.needed_bytes, need.fits) for need in room.needs([archive, batch])] == [(half, False), (half, False)]


# --- what it leaves alone


def test_nothing_moves_because_of_the_rows_of_a_preview(services: Services) -> None:
    fill(services, 1)
    run = preview(services)
    with rehearsals.opened(services.db, run.id) as copy:
        with copy.reading() as conn:
            asset = assets.get(conn, 1)
        root = services.root(RootKind.INGEST)
        move = Move(asset, Place(root, b"img_0000.jpg"), Place(root, b"moved.jpg"), "batch", None)
        with pytest.raises(StateError):
            move_files(copy, [move], run_id=None)
        with pytest.raises(StateError):
            recover(copy)
    assert os.listdir(root.path) != [b"moved.jpg"]


def test_a_preview_holds_the_slot_and_can_be_cancelled(services: Services) -> None:
    fill(services, 5)
    before, rows = tree_of(ingest(services).parent, "state"), rows_of(services.db.path, *OF_THE_RUN)
    run = jobs.start_preview(services, Trigger.API)
    with pytest.raises(RunInProgress):
        jobs.start_workflow(services, Trigger.API)
    jobs.cancel(services, run.id)
    assert go(services, run).status is RunStatus.CANCELLED
    assert tree_of(ingest(services).parent, "state") == before
    assert rows_of(services.db.path, *OF_THE_RUN) == rows
    assert preview(services).status is RunStatus.DONE


class StopsAt(threading.Event):
    """The worker is told to stop just before the run asks for the so-and-so-many-th time whether it is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_preview_that_is_stopped_again_and_again_reads_each_file_once(services: Services) -> None:
    fill_twice(services, 3)
    before, rows = tree_of(ingest(services).parent, "state"), rows_of(services.db.path, *OF_THE_RUN)
    run, asked, stops = jobs.start_preview(services, Trigger.API), 5, -1
    while run.status is RunStatus.QUEUED:
        execute(services, run.id, StopsAt(asked))
        stops += 1
        with services.db.reading() as conn:
            run = runs.get(conn, run.id)
        assert (tree_of(ingest(services).parent, "state"), rows_of(services.db.path, *OF_THE_RUN)) == (before, rows)
        asked += asked // 2
    assert (run.status, stops > 1) == (RunStatus.DONE, True)
    found = preview_summary(services, run.id)["summary"]
    assert (found["seen"]["read"], found["counts"]["archived"]["files"]) == (0, 3)


def test_what_a_killed_preview_had_read_is_found_in_the_copy_that_it_left(services: Services) -> None:
    fill_twice(services, 2)
    run = jobs.start_preview(services, Trigger.API)
    # As after a kill in the middle of dedup: the copy has digests, the database has not heard of them.
    rehearsals.copy_database(services.db, run.id)
    with rehearsals.opened(services.db, run.id) as copy:
        over_copy = Services(services.config, "test", copy, services.roots, services.state_dir, ImaginedDisk(copy))
        with copy.transaction() as conn:
            step_id = runs.start_step(conn, run.id, run.stages[0], None)
        scan.run(over_copy, StepContext(over_copy, run.id, step_id, None))
        assert run_dedup(over_copy).detail["read"] == 4
    assert go(services, run).status is RunStatus.DONE
    assert preview_summary(services, run.id)["summary"]["seen"]["read"] == 0


@pytest.mark.parametrize("left", [b"", b"SQLite format 3\0" + b"\x10\0\2\2" + b"cut off" * 600, b"no database at all"])
def test_a_copy_that_was_cut_off_while_it_was_made_is_made_again(services: Services, left: bytes) -> None:
    fill(services, 1)
    run = jobs.start_preview(services, Trigger.API)
    os.makedirs(services.state_dir / "previews")
    Path(rehearsals.path_of(services.db, run.id)).write_bytes(left)
    assert go(services, run).status is RunStatus.DONE
    assert preview_summary(services, run.id)["summary"]["counts"]["archived"]["files"] == 1


# --- how long it holds


def test_a_preview_is_not_current_after_a_run(services: Services) -> None:
    fill(services, 1)
    run = preview(services)
    preview(services)
    assert preview_summary(services, run.id)["is_current"]
    workflow(services)
    assert not preview_summary(services, run.id)["is_current"]


def test_a_preview_is_not_current_under_another_configuration(open_test_services: Opener) -> None:
    services = open_test_services()
    run = preview(services)
    with services.db.transaction() as conn:
        config_revisions.add(conn, "other", "test", [])
    other = Services(services.config, "other", services.db, services.roots, services.state_dir)
    assert preview_summary(services, run.id)["is_current"]
    assert not preview_summary(other, run.id)["is_current"]


def test_the_lists_of_the_newest_two_previews_are_kept(services: Services) -> None:
    found = [preview(services) for _ in range(3)]
    assert [preview_summary(services, run.id)["has_lists"] for run in found] == [False, True, True]
    assert preview_summary(services)["run"]["id"] == found[-1].id
    with pytest.raises(NotFound):
        list_files(services, found[0].id, limit=1)
    names = os.listdir(services.state_dir / "previews")
    assert sorted(names) == [f"{run.id}.sqlite" for run in found[1:]]


def test_there_is_no_preview_before_the_first_and_other_runs_are_none(services: Services) -> None:
    with pytest.raises(NotFound):
        preview_summary(services)
    with pytest.raises(NotFound):
        preview_summary(services, workflow(services).id)


# --- what it has read


def test_a_file_that_was_changed_since_is_read_again(services: Services) -> None:
    fill_twice(services, 2)
    preview(services)
    changed = ingest(services) / "img_0001.jpg"
    stat = changed.stat()
    changed.write_bytes(changed.read_bytes()[::-1])
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    workflow(services)
    assert messages(services, "dedup.finished")[-1] == "3 unique, 1 duplicate."
    with services.db.reading() as conn:
        run = runs.find_last(conn)
        assert run is not None
        dedup = next(step.report for step in runs.list_steps(conn, run.id) if step.stage == "dedup")
    assert dedup["known"] == 3
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_another_algorithm_reads_again_and_old_digests_are_forgotten(open_test_services: Opener) -> None:
    services = open_test_services()
    fill_twice(services, 1)
    preview(services)
    other = open_test_services(dedup={"hash_algorithm": "sha256"})
    run = preview(other)
    assert preview_summary(other, run.id)["summary"]["seen"]["read"] == 2
    with services.db.transaction() as conn:
        assert known_digests.drop_before(conn, later(-60)) == 0
        assert known_digests.drop_before(conn, later(60)) == 2


def test_a_run_uses_up_what_is_known(services: Services) -> None:
    fill(services, 2)
    preview(services)
    assert len(rows_of(services.db.path)["known_digests"]) == 2
    workflow(services)
    assert rows_of(services.db.path)["known_digests"] == []
    assert [batch.status for batch in the_batches(services)] == [BatchStatus.SORTED]


# --- the one way to media

#: What a preview does not play: looks at a peer, cleanup, and the works that are no part of the workflow.
NOT_PLAYED = (
    "undelivered.py", "peer_edits.py", "holding.py", "pairing.py", "finished_folders.py",
    "undo/", "rebuild/", "verify/", "sidecars/", "refile/moving.py",
)  # fmt: skip
CHANGING = re.compile(r"\b(move_files|move_directory|write_new_file|remove_own_file|remove_empty_folders)\b")


def test_the_stages_that_a_preview_plays_change_media_through_the_disk_alone() -> None:
    home = Path(preview_stage.__file__).parents[1]
    found = []
    for path in home.rglob("*.py"):
        name = str(path.relative_to(home))
        lines = [line for line in path.read_text().splitlines() if CHANGING.search(line) and "disk." not in line]
        if lines and not name.startswith(NOT_PLAYED):
            found.append((name, lines))
    assert found == []
