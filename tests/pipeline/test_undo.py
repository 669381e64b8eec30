"""Taking a batch back: from every status its files return to where they came from, or nothing moves at all."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, batches, deliveries, kept_copies, made_folders, roots, runs
from app.db.connection import Connection, Database
from app.errors import Conflict, IllegalTransition
from app.files.prune import drop_expired_trash
from app.model import AssetStatus, BatchStatus, RootKind, RunKind, RunStatus, Stage, Trigger
from app.model.undo import Act
from app.overview import ConfigFacts, overview
from app.pipeline import batch, sort, undelivered
from app.pipeline import undo as undo_stage
from app.pipeline.manifest_store import load_newest
from app.pipeline.step import Stopped
from app.pipeline.undo.taking_back import TakingBack
from app.services import Services
from tests.conftest import read_tree, write_tree
from tests.pipeline.library import a_step, assert_rows_agree, get_asset, get_batch, statuses
from tests.pipeline.running import go, messages, workflow
from tests.pipeline.stages import run_dedup, run_inspect, run_scan, states
from tests.pipeline.undoing import (
    FILES,
    assert_undone,
    batch_up_to,
    clean_up,
    end_runs,
    events_of,
    make,
    media_tree,
    step_to,
    undo,
)

Opener = Callable[..., Services]


STATUSES = [BatchStatus.PENDING, BatchStatus.SYNCED, BatchStatus.SORTED]
MODES = [("move", "move"), ("copy", "move"), ("move", "copy"), ("copy", "copy")]


@pytest.mark.parametrize(("batch_mode", "sort_mode"), MODES)
@pytest.mark.parametrize("status", STATUSES)
def test_every_file_goes_back_from_every_status_and_in_every_mode(
    open_test_services: Opener, status: BatchStatus, batch_mode: str, sort_mode: str
) -> None:
    services = open_test_services(batch={"transfer_mode": batch_mode}, sorter={"transfer_mode": sort_mode})
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, status)
    assert media_tree(services) != before

    run = undo(services, one.id)

    assert (run.kind, run.status, run.error) == (RunKind.UNDO, RunStatus.DONE, None)
    assert_undone(services, before, one.id)
    assert_rows_agree(services)
    assert statuses(services, *(a.id for a in made)) == ["set_aside"] * len(made)
    with services.db.reading() as conn:
        assert [kept_copies.list_of(conn, a.id) for a in made] == [[]] * len(made)


def test_a_sorted_batch_whose_folder_was_cleaned_up_goes_back_too(services: Services) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    clean_up(services)
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_a_batch_in_error_goes_back(services: Services) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SYNCED)
    with services.db.transaction() as conn:
        batches.change(conn, one, BatchStatus.ERROR, error="the archive is full", error_from="SYNCED")
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_a_batch_that_was_cut_off_while_it_was_built_goes_back(services: Services, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    made = make(services)
    before = media_tree(services)
    monkeypatch.setattr(batch.batch_folder, "SLICE", 2)
    with pytest.raises(Stopped):
        batch.run(services, step_to(services, Stage.BATCH, 2))
    end_runs(services)
    assert sorted(statuses(services, *(a.id for a in made))) == ["batched"] * 2 + ["unique"] * 3
    undo(services, 1)
    assert_undone(services, before, 1)


def test_a_batch_that_was_cut_off_while_it_was_sorted_goes_back(services: Services, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SYNCED)
    monkeypatch.setattr(sort, "SLICE", 1)
    with pytest.raises(Stopped):
        sort.run(services, step_to(services, Stage.SORT, 2, one.id))
    end_runs(services)
    assert get_batch(services, one.id).status is BatchStatus.SORTING
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_files_that_met_others_of_their_name_in_the_archive_get_their_own_names_back(services: Services) -> None:
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024/05/06/IMG_1.CR2": b"another camera's"})
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    assert any("IMG_1_1" in name for name in media_tree(services))
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_what_waits_for_a_review_goes_back_too(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"weak_dates": "review"})
    made = make(services, taken="1970-01-01T00:00:00")
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    assert set(statuses(services, *(a.id for a in made))) == {"set_aside"}
    assert any(name.startswith("archive/review/") for name in media_tree(services))
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_a_duplicate_that_sorting_found_goes_back_from_the_duplicates_folder(services: Services) -> None:
    make(services, {"a/IMG_1.jpg": b"photo"})
    batch_up_to(services, BatchStatus.SORTED)
    (late,) = make(services, {"b/IMG_1.jpg": b"photo"})
    before = media_tree(services)
    second = batch_up_to(services, BatchStatus.SORTED)
    assert statuses(services, late.id) == ["duplicate"]
    undo(services, second.id)
    assert_undone(services, before, second.id)
    assert get_asset(services, late.id).original_id is None


def test_names_that_are_no_text_and_long_ones_come_back_to_the_letter(services: Services) -> None:
    make(services, {b"x/bad\xff.jpg": b"1", b"x/line\nbreak.jpg": b"2", b"x/" + b"n" * 251 + b".jpg": b"3"})
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert_undone(services, before, one.id)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another mount, where nothing can be renamed to."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_files_come_back_from_an_archive_on_another_mount(
    open_test_services: Opener, elsewhere: Path, tmp_path: Path, mode: str
) -> None:
    assert os.stat(elsewhere).st_dev != os.stat(tmp_path).st_dev
    services = open_test_services(paths={"sorted_dir": str(elsewhere / "archive")}, batch={"transfer_mode": mode})
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert_undone(services, before, one.id)
    assert_rows_agree(services)


def test_folders_that_somebody_made_stay_and_ours_go(services: Services) -> None:
    os.makedirs(services.root(RootKind.ARCHIVE).path + b"/2024/05")
    make(services)
    before = media_tree(services)
    assert "archive/2024/05/" in before
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert_undone(services, before, one.id)
    with services.db.reading() as conn:
        assert made_folders.choose(conn, services.root(RootKind.ARCHIVE).id, [b"2024/05/06", b"2024/05"]) == []


def test_a_folder_that_another_batch_uses_stays_until_that_goes_back_too(services: Services) -> None:
    make(services, {"a.jpg": b"first"})
    before_all = media_tree(services)
    first = batch_up_to(services, BatchStatus.SORTED)
    clean_up(services)
    make(services, {"b.jpg": b"second"})
    before = media_tree(services)
    second = batch_up_to(services, BatchStatus.SORTED)
    undo(services, second.id)
    assert_undone(services, before, second.id)
    undo(services, first.id)
    assert {k: v for k, v in media_tree(services).items() if k != "ingest/b.jpg"} == before_all


def test_the_manifest_in_the_archive_says_that_the_batch_was_undone_and_when(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    archive = services.root(RootKind.ARCHIVE)
    first = load_newest(archive, one)
    undo(services, one.id)
    newest = load_newest(archive, one)
    assert first is not None and newest is not None
    assert (first.undone_at, newest.files, newest.revision) == (None, first.files, first.revision + 1)
    after = get_batch(services, one.id)
    assert newest.undone_at is not None and after.undone_at is not None
    assert newest.undone_at[:16] == after.undone_at[:16]
    assert after.manifest_path is not None and after.manifest_path.endswith(b".r2.json")


def test_the_journal_tells_what_went_where_and_why(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    (began,), (ended,) = events_of(services, "batch.undo_started"), events_of(services, "batch.undone")
    assert began.detail == {"from": "SORTED", "files": 5, "becomes": "set_aside"}
    assert (ended.detail["files"], ended.detail["left"], ended.level) == (5, 0, "info")
    assert ended.message.startswith("Batch batch_001 was taken back: 5 files, ")
    assert "Nothing was delivered" in ended.message


# --- what stands in the way


def refusal(services: Services, batch_id: int) -> str:
    with pytest.raises(Conflict) as refused:
        jobs.start_undo(services, batch_id, Trigger.CLI)
    return str(refused.value)


def test_a_place_that_another_file_has_taken_keeps_everything_where_it_is(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    write_tree(services.root(RootKind.INGEST).path, {"trip/IMG_1.JPG": b"another photo"})
    before = media_tree(services)
    words = refusal(services, one.id)
    assert "trip/IMG_1.JPG is taken by another file" in words and "Nothing was moved" in words
    assert "Move or rename what lies there" in words
    assert (media_tree(services), get_batch(services, one.id).status) == (before, BatchStatus.SORTED)
    with services.db.reading() as conn:
        assert runs.find_in_flight(conn) is None


def test_a_file_of_the_same_size_is_read_before_anything_moves(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    write_tree(services.root(RootKind.INGEST).path, {"trip/IMG_1.JPG": b"PHOTO ONE"})
    before = media_tree(services)
    run = undo(services, one.id)
    assert run.status is RunStatus.FAILED and "taken by another file" in (run.error or "")
    assert (media_tree(services), get_batch(services, one.id).status) == (before, BatchStatus.SORTED)
    with services.db.reading() as conn:
        (step,) = runs.list_steps(conn, run.id)
    (listed,) = step.report["failures"]
    assert "trip/IMG_1.JPG is taken by another file. Move or rename" in listed["reason"]


def test_the_same_content_at_a_former_place_is_no_obstacle(services: Services) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    place = services.root(RootKind.INGEST).path + b"/trip/IMG_1.JPG"
    write_tree(services.root(RootKind.INGEST).path, {"trip/IMG_1.JPG": FILES["trip/IMG_1.JPG"]})
    mtime = before["ingest/trip/IMG_1.JPG"][1]  # type: ignore[index]
    os.utime(place, ns=(mtime, mtime))
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_a_second_name_of_the_archived_file_is_named_as_such(services: Services) -> None:
    make(services, {"a.jpg": b"photo"})
    one = batch_up_to(services, BatchStatus.SORTED)
    archived = services.root(RootKind.ARCHIVE).path + b"/2024/05/06/a.jpg"
    os.link(archived, services.root(RootKind.INGEST).path + b"/a.jpg")
    assert "second name (hard link)" in refusal(services, one.id)
    assert os.stat(archived).st_nlink == 2


def test_a_folder_that_has_become_a_file_is_named(services: Services) -> None:
    make(services, {"deep/a.jpg": b"photo"})
    one = batch_up_to(services, BatchStatus.SORTED)
    os.rmdir(services.root(RootKind.INGEST).path + b"/deep")
    write_tree(services.root(RootKind.INGEST).path, {"deep": b"a file now"})
    assert "a part of that path is not a folder" in refusal(services, one.id)


def test_a_place_that_a_later_file_is_known_at_is_not_taken_from_it(services: Services) -> None:
    make(services, {"a.jpg": b"first"})
    one = batch_up_to(services, BatchStatus.SORTED)
    (later,) = make(services, {"a.jpg": b"later"})
    os.unlink(services.root(RootKind.INGEST).path + b"/a.jpg")
    words = refusal(services, one.id)
    assert f"is that of file {later.id} now" in words and "dedup" in words


def test_folders_that_are_not_mounted_stop_everything(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    marker = services.root(RootKind.ARCHIVE).path + b"/.media-pipeline-root"
    os.rename(marker, marker + b".away")
    assert "its folder is not there" in refusal(services, one.id)
    os.rename(marker + b".away", marker)


@pytest.mark.parametrize(("harm", "words"), [("remove", "not there any more"), ("change", "not the file that was put")])
def test_a_lost_file_is_in_the_way_until_a_person_says_to_leave_it(services: Services, harm: str, words: str) -> None:
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    lost = services.root(RootKind.ARCHIVE).path + b"/" + get_asset(services, made[4].id).path
    os.unlink(lost)
    if harm == "change":
        with open(lost, "xb") as file:
            file.write(b"edited")
    assert words in refusal(services, one.id)
    run = undo(services, one.id, without_lost=True)
    assert (run.status, run.error) == (RunStatus.DONE, None)
    assert statuses(services, *(a.id for a in made)) == ["set_aside"] * 4 + ["failed"]
    after = media_tree(services)
    assert {k: v for k, v in after.items() if k.startswith("ingest/") and v} == {
        k: v for k, v in before.items() if k != "ingest/deep/er/a.mp4"
    }
    assert ("archive/2024/05/06/a.mp4" in after) == (harm == "change")
    assert get_batch(services, one.id).status is BatchStatus.CANCELLED
    with pytest.raises(Conflict, match="no run takes files from there"):
        jobs.retry_asset(services, made[4].id)


def test_a_file_lost_in_the_archive_whose_original_was_only_copied_is_simply_back(open_test_services: Opener) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"})
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    os.unlink(services.root(RootKind.ARCHIVE).path + b"/" + get_asset(services, made[0].id).path)
    undo(services, one.id)
    assert_undone(services, before, one.id)
    assert_rows_agree(services)


def lose_in_archive(services: Services, asset_id: int, content: bytes | None = None) -> None:
    """The archived file is gone, or replaced by another one."""
    lost = services.root(RootKind.ARCHIVE).path + b"/" + get_asset(services, asset_id).path
    os.unlink(lost)
    if content is not None:
        with open(lost, "xb") as file:
            file.write(content)


@pytest.mark.parametrize("without_lost", [True, False])
@pytest.mark.parametrize("edited", [None, b"edited"])
def test_a_file_lost_in_the_archive_goes_back_from_the_copy_in_the_batch_folder(
    open_test_services: Opener, edited: bytes | None, without_lost: bool
) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    lose_in_archive(services, made[4].id, edited)
    look = jobs.look_at_undo(services, one.id, without_lost=without_lost)
    assert ({v.act for v in look.verdicts}, look.in_batch_folder) == ({Act.GO_BACK}, len(FILES))
    run = undo(services, one.id, without_lost=without_lost)
    assert (run.status, run.error) == (RunStatus.DONE, None)
    if edited is not None:  # nobody's by now; verification reports it
        os.unlink(services.root(RootKind.ARCHIVE).path + b"/2024/05/06/a.mp4")
        for folder in (b"/2024/05/06", b"/2024/05", b"/2024"):
            os.rmdir(services.root(RootKind.ARCHIVE).path + folder)
    assert_undone(services, before, one.id)


def test_a_lost_file_with_a_copy_is_not_given_up_because_its_former_place_is_taken(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    made = make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    lose_in_archive(services, made[4].id)
    write_tree(services.root(RootKind.INGEST).path, {"deep/er/a.mp4": b"another video"})
    before = media_tree(services)
    with pytest.raises(Conflict, match="taken by another file"):
        jobs.start_undo(services, one.id, Trigger.CLI, without_lost=True)
    assert media_tree(services) == before


def test_the_damaged_copy_of_a_lost_file_stays_where_it_is_and_known(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    made = make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    lose_in_archive(services, made[4].id)
    with services.db.reading() as conn:
        ((_, kept_path, _),) = kept_copies.list_of(conn, made[4].id)
    copy = services.root(RootKind.BATCH).path + b"/" + kept_path
    seen = os.stat(copy)
    with open(copy, "r+b") as file:
        file.write(b"VIDEO")
    os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert undo(services, one.id, without_lost=True).status is RunStatus.DONE
    assert statuses(services, *(a.id for a in made)) == ["set_aside"] * 4 + ["failed"]
    assert os.stat(copy).st_ino == seen.st_ino
    with services.db.reading() as conn:
        assert [path for _, path, _ in kept_copies.list_of(conn, made[4].id)] == [kept_path]
        assert [kept_copies.list_of(conn, a.id) for a in made[:4]] == [[]] * 4


def test_a_file_that_failed_in_the_batch_folder_goes_back_when_its_content_is_whole(services: Services) -> None:
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SYNCED)
    with services.db.transaction() as conn:
        assets.mark(conn, [assets.get(conn, made[0].id)], AssetStatus.FAILED, reason="it was unreadable", attempts=3)
    undo(services, one.id)
    assert_undone(services, before, one.id)


def test_a_batch_that_ended_before_cannot_be_taken_back(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    with pytest.raises(IllegalTransition, match="is CANCELLED; only one that was not taken back"):
        jobs.start_undo(services, one.id, Trigger.CLI)


def test_what_cannot_be_moved_on_the_way_leaves_the_batch_in_error_and_a_retry_goes_on(services: Services) -> None:
    made = make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    run = jobs.start_undo(services, one.id, Trigger.CLI)
    taken = services.root(RootKind.INGEST).path + b"/empty.jpg"
    write_tree(services.root(RootKind.INGEST).path, {"empty.jpg": b"now taken"})
    run = go(services, run)
    assert run.status is RunStatus.FAILED
    assert get_batch(services, one.id).status is BatchStatus.SORTED
    os.unlink(taken)
    with services.db.transaction() as conn:  # as when the place is taken after the look
        batches.change(conn, batches.get(conn, one.id), BatchStatus.UNDOING, returns_as="set_aside")
    write_tree(services.root(RootKind.INGEST).path, {"empty.jpg": b"now taken"})
    run = go(services, jobs.retry_run(services, run.id))
    stopped = get_batch(services, one.id)
    assert (run.status, stopped.status, stopped.error_from) == (RunStatus.FAILED, BatchStatus.ERROR, "UNDOING")
    os.unlink(taken)
    assert go(services, jobs.retry_batch(services, one.id)).kind is RunKind.UNDO
    assert_undone(services, before, one.id)
    assert len(made) == 5


# --- pausing, waiting, and what comes after


def test_a_paused_undo_leaves_the_batch_undoing_and_goes_on_where_it_was(services: Services, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    make(services, {f"{n}.jpg": b"photo %d" % n for n in range(6)})
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    monkeypatch.setattr("app.pipeline.undo.taking_back.SLICE", 2)
    monkeypatch.setattr("app.pipeline.step.PROGRESS_INTERVAL_SECONDS", 0)
    run = jobs.start_undo(services, one.id, Trigger.CLI)
    tell = TakingBack.tell_progress

    def tell_and_cancel(work, moved) -> None:  # type: ignore[no-untyped-def]
        if work.done:
            jobs.cancel(services, run.id)
        tell(work, moved)

    monkeypatch.setattr(TakingBack, "tell_progress", tell_and_cancel)
    assert go(services, run).status is RunStatus.CANCELLED
    monkeypatch.setattr(TakingBack, "tell_progress", tell)
    assert get_batch(services, one.id).status is BatchStatus.UNDOING
    there = [name for name in media_tree(services) if name.startswith("ingest/")]
    assert 2 <= len(there) < 6
    with pytest.raises(Conflict, match="undo it again"):
        jobs.create_batch(services, Trigger.CLI)
    waiting = workflow(services)
    assert waiting.status is RunStatus.DONE
    assert "is UNDOING and waits for a person, who undoes it to the end" in messages(services, "run.finished")[-1]
    undo(services, one.id)
    assert_undone(services, before, one.id)
    assert len(events_of(services, "batch.undo_started")) == len(events_of(services, "batch.undone")) == 1


def test_no_run_takes_up_by_itself_what_came_back_nor_a_copy_of_it(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    write_tree(services.root(RootKind.INGEST).path, {"again/IMG_1.JPG": b"photo one"})
    assert workflow(services).status is RunStatus.DONE
    found = states(services)
    assert found.pop(b"again/IMG_1.JPG") == "duplicate"
    assert found == {os.fsencode(path): "set_aside" for path in FILES}
    with services.db.reading() as conn:
        assert len(batches.list_recent(conn)) == 1


def test_duplicates_of_a_batch_that_was_taken_back_stay_duplicates(services: Services) -> None:
    make(services, {"a.jpg": b"photo"})
    write_tree(services.root(RootKind.INGEST).path, {"copy.jpg": b"photo"})
    run_scan(services)
    run_dedup(services)
    assert states(services)[b"copy.jpg"] == "duplicate"
    end_runs(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert run_dedup(services).detail["reopened"] == 0
    assert states(services) == {b"a.jpg": "set_aside", b"copy.jpg": "duplicate"}


def test_all_files_of_the_batch_can_be_taken_in_again_at_once(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert jobs.take_in_again(services, one.id) == len(FILES)
    assert set(states(services).values()) == {"discovered"}
    assert workflow(services).status is RunStatus.DONE
    assert set(states(services).values()) == {"archived"}
    assert [b.status for b in (get_batch(services, 1), get_batch(services, 2))] == [
        BatchStatus.CANCELLED, BatchStatus.SORTED,
    ]  # fmt: skip
    assert jobs.take_in_again(services, one.id) == 0
    with pytest.raises(IllegalTransition, match="only the files of a batch that was taken back"):
        jobs.take_in_again(services, 2)


def test_one_file_can_be_taken_in_again_by_itself(services: Services) -> None:
    made = make(services, {"a.jpg": b"1", "b.jpg": b"2"})
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    jobs.retry_asset(services, made[0].id)
    run_dedup(services)
    run_inspect(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "set_aside"}
    assert get_asset(services, made[0].id).batch_id is None


def test_a_file_that_is_changed_after_it_came_back_is_a_new_one(services: Services) -> None:
    made = make(services, {"a.jpg": b"photo"})
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    write_tree(services.root(RootKind.INGEST).path, {"a.jpg": b"an edited photo"})
    assert workflow(services).status is RunStatus.DONE
    assert statuses(services, made[0].id) == ["archived"]


def test_a_run_that_waits_for_the_batch_ends_when_it_is_taken_back(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    with services.db.transaction() as conn:
        waiting = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, [Stage.SYNC], one.id)
        waiting = runs.change(conn, runs.change(conn, waiting, RunStatus.RUNNING), RunStatus.WAITING)
    undo(services, one.id)
    with services.db.reading() as conn:
        assert runs.get(conn, waiting.id).status is RunStatus.CANCELLED
        assert runs.find_in_flight(conn) is None


# --- delivered to a folder


def test_copies_in_a_delivery_folder_stay_and_that_is_said(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services(
        sync={"target": "folder", "folder_dir": str(tmp_path / "usb")}, syncthing={"auto_sort_after_sync": True}
    )
    make(services)
    before = media_tree(services)
    assert workflow(services).status is RunStatus.DONE
    delivered = read_tree(tmp_path / "usb")
    assert len(delivered) == len(FILES) + 2
    look = jobs.look_at_undo(services, 1)
    assert look.in_batch_folder == 0
    undo(services, 1)
    assert media_tree(services) == before
    assert read_tree(tmp_path / "usb") == delivered
    assert "The 5 copies in the delivery folder stay there." in events_of(services, "batch.undone")[0].message
    with services.db.reading() as conn:
        assert deliveries.count(conn, 1) == 0
    jobs.take_in_again(services, 1)
    assert workflow(services).status is RunStatus.DONE
    with services.db.reading() as conn:
        assert deliveries.count(conn, 2) == len(FILES)


# --- content that the archive held before


@pytest.mark.parametrize(("batch_mode", "sort_mode"), MODES)
def test_a_file_that_the_archive_held_before_stays_there_and_what_the_batch_brought_goes_back(
    open_test_services: Opener, batch_mode: str, sort_mode: str
) -> None:
    services = open_test_services(batch={"transfer_mode": batch_mode}, sorter={"transfer_mode": sort_mode})
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024/05/06/a.mp4": FILES["deep/er/a.mp4"]})
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    undo(services, one.id)
    assert_undone(services, before, one.id)
    assert_rows_agree(services)


def test_with_its_trash_expired_a_copy_goes_back_and_the_file_in_the_archive_stays(services: Services) -> None:
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024/05/06/a.jpg": b"photo"})
    make(services, {"a.jpg": b"photo"})
    one = batch_up_to(services, BatchStatus.SORTED)
    assert drop_expired_trash(services.db, 0).dropped == 1
    undo(services, one.id)
    assert {k: v and v[0] for k, v in media_tree(services).items()} == {
        "ingest/a.jpg": b"photo", "archive/2024/05/06/a.jpg": b"photo",
    }  # fmt: skip
    with services.db.reading() as conn:
        assert list(kept_copies.list_places(conn, services.root(RootKind.ARCHIVE).id)) == []
    assert_rows_agree(services)


def test_a_look_at_the_delivery_that_began_before_the_undo_takes_nothing_from_it(services: Services) -> None:
    """The worker looks at deliveries beside its runs: what it read before may have gone back meanwhile."""
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    with services.db.reading() as conn:
        known = {root.id: root for root in roots.list_all(conn)}
        read_before = assets.list_in_batch(conn, one.id)
    undo(services, one.id)
    late = undelivered.Mending(services, one, None, known)
    for asset in read_before:
        with pytest.raises(IllegalTransition):
            undelivered.settle_one(late, asset)
    assert_undone(services, before, one.id)


class ConfirmedJustBefore(Database):
    """A database into which a look at a delivery stores its first proofs right before the next transaction begins."""

    proofs: tuple[int, list[int]] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        proofs, self.proofs = self.proofs, None
        with super().transaction() as conn:
            if proofs is not None:
                deliveries.confirm(conn, proofs[0], "PEER", [(asset_id, None) for asset_id in proofs[1]])
        with super().transaction() as conn:
            yield conn


def test_a_proof_that_arrives_while_the_undo_begins_still_makes_the_peer_keep_its_copies(services: Services) -> None:
    make(services)
    before = media_tree(services)
    one = batch_up_to(services, BatchStatus.PENDING)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE batches SET target = 'syncthing' WHERE id = 1")
        one = batches.change(conn, batches.get(conn, one.id), BatchStatus.SYNCING)
        arrived = [asset.id for asset in assets.list_in_batch(conn, one.id)][:2]
    step = a_step(services, Stage.UNDO, one.id)
    late = ConfirmedJustBefore(services.db.path)
    late.proofs = (one.id, arrived)
    asked_to_keep: list[int] = []

    report = undo_stage.run(
        dataclasses.replace(services, db=late), step, lambda _, batch: asked_to_keep.append(batch.id)
    )

    late.close()
    end_runs(services)
    assert (report.outcome, late.proofs, asked_to_keep) == ("done", None, [one.id])
    assert "The peer keeps the copies that it has." in events_of(services, "batch.undone")[0].message
    assert_undone(services, before, one.id)


def test_an_undo_that_was_stopped_is_warned_of_until_it_goes_on(services: Services) -> None:
    make(services)
    one = batch_up_to(services, BatchStatus.SORTED)
    with services.db.transaction() as conn:
        batches.change(conn, one, BatchStatus.UNDOING, returns_as="set_aside")
    warned = [w["message"] for w in overview(services, ConfigFacts(path=""))["warnings"]]
    assert any("is being taken back, and that was stopped" in message for message in warned)
    undo(services, one.id)
    warned = [w["message"] for w in overview(services, ConfigFacts(path=""))["warnings"]]
    assert not any("taken back" in message for message in warned)
