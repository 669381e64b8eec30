"""Taking decisions about dates back: files get exactly what they had by themselves, in ingest and in the archive."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.db import assets, capture_records, date_decisions, decided_dates
from app.db.doubtful_dates import DateFilter
from app.db.tables import capture_records as records_table
from app.errors import BadRequest, Conflict, NotFound
from app.jobs.date_changes import DateWish
from app.jobs.date_results import Decided
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.files.media import exif_bytes, movie, picture
from tests.jobs.test_dates import dated, decide, everything, fill
from tests.pipeline.running import workflow
from tests.pipeline.stages import events, ingest, rows, run_inspect, take_stock


@pytest.fixture
def berlin(tmp_path: Path) -> Services:
    return make_services(tmp_path, sorter={"timezone": "Europe/Berlin"}, sync={"target": "none"})


def undo(services: Services, *paths: bytes, dry_run: bool = False) -> Decided:
    found = rows(services)
    return undo_decisions(services, UndoWish([found[path].id for path in paths]), "anna", dry_run=dry_run)


@pytest.mark.parametrize("action", [("accept", ""), ("set", "1985-06-01"), ("zone", "+09:00"), ("shift", "-30")])
def test_every_file_has_again_what_its_inspection_found(berlin: Services, action: tuple[str, str]) -> None:
    fill(berlin)
    pair = {"pair.jpg": picture("JPEG", exif_bytes("2024:05:06 07:08:09")), "pair.mov": movie(None)}
    write_tree(ingest(berlin), pair)
    take_stock(berlin)
    before, paths = everything(berlin), list(rows(berlin))
    decide(berlin, *action, *paths)
    decide(berlin, "shift", "1", *paths)
    assert everything(berlin) != before
    taken_back = undo(berlin, *paths)
    assert (taken_back.files, taken_back.refused, taken_back.decided_at) == (len(paths), 0, None)
    assert everything(berlin) == before
    with berlin.db.transaction() as conn:
        assets.set_columns(conn, [(asset.id, {"inspected_at": None}) for asset in rows(berlin).values()])
    run_inspect(berlin)
    assert everything(berlin) == before


def test_it_is_rehearsed_told_and_written_down(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "set", "1985-06-01 10:00", b"a/scan.jpg")
    decided = everything(berlin)
    rehearsed = undo(berlin, b"a/scan.jpg", dry_run=True)
    assert everything(berlin) == decided
    assert rehearsed.in_words() == "1 file would get the date back that it tells by itself."
    (change,) = undo(berlin, b"a/scan.jpg").changes
    assert (change["before"], change["after"]) == ("1985-06-01T10:00:00", "2021-07-08T11:10:11")
    assert (change["folder_before"], change["folder_after"]) == ("1985/06/01", "2021/07/08")
    assert events(berlin, "dates.undone") == ["1 file got the date back that they tell, by anna."]
    (told,) = events(berlin, "asset.date_undone")
    assert told == (
        "anna took back what was decided of its date: 2021-07-08T11:10:11 (mtime), before 1985-06-01T10:00:00 (person)."
    )


def test_any_member_of_a_group_takes_back_what_was_decided_of_another(berlin: Services) -> None:
    fill(berlin)
    before = everything(berlin)
    decide(berlin, "set", "1985-06-01", b"b/scan.jpg")
    assert undo(berlin, b"b/scan.xmp").files == 2
    assert everything(berlin) == before


def test_what_is_archived_gets_its_date_back_and_stays_where_it_is(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "set", "1978-12-24", b"a/scan.jpg")
    workflow(berlin)
    tree = read_tree(berlin.config.paths.sorted_dir)
    taken_back = undo(berlin, b"1978/12/24/scan.jpg")
    assert (taken_back.in_archive, taken_back.elsewhere) == (1, 1)
    assert "1 of them lies in the archive under the date of before" in taken_back.in_words()
    assert taken_back.changes[0]["folder_after"] == "2021/07/08"
    assert dated(berlin, b"1978/12/24/scan.jpg") == [("2021-07-08T11:10:11", "2021-07-08T09:10:11+00:00", "mtime")]
    assert read_tree(berlin.config.paths.sorted_dir) == tree


def test_all_that_was_decided_in_one_go_is_taken_back_in_one_go(berlin: Services) -> None:
    fill(berlin)
    first = decide(berlin, "accept", "", b"a/scan.jpg", b"a/exif.jpg")
    decide(berlin, "shift", "1", b"a/exif.jpg")
    with berlin.db.reading() as conn:
        acts, _ = decided_dates.list_acts(conn, None, 10)
        older, _ = decided_dates.list_acts(conn, acts[0].decided_at, 10)
    assert [(act.action, act.decisions) for act in acts] == [("shift", 1), ("accept", 1)]
    assert older == acts[1:]
    assert first.decided_at == acts[1].decided_at
    assert undo_decisions(berlin, UndoWish(decided_at=first.decided_at), "anna").files == 1
    assert [source for _, _, source in dated(berlin, b"a/scan.jpg", b"a/exif.jpg")] == ["mtime", "person"]


def test_a_filter_takes_back_what_was_decided_of_a_folder_and_nothing_else(berlin: Services) -> None:
    fill(berlin)
    decide_dates(berlin, DateWish("accept", doubtful=True), "anna")
    assert undo_decisions(berlin, UndoWish(only=DateFilter(folder=b"b")), "anna").files == 2
    assert [source for _, _, source in dated(berlin, b"a/scan.jpg", b"b/scan.jpg")] == ["person", "mtime"]
    assert undo_decisions(berlin, UndoWish(only=DateFilter(camera="")), "anna").files == 1


def test_what_waits_and_was_never_recorded_is_read_again_by_the_next_run(berlin: Services) -> None:
    fill(berlin)
    before = everything(berlin)
    with berlin.db.transaction() as conn:
        conn.execute(delete(records_table))
    decide(berlin, "set", "1985-06-01", b"a/exif.jpg")
    (change,) = undo(berlin, b"a/exif.jpg").changes
    assert (change["after"], change["folder_after"]) == (None, None)
    run_inspect(berlin)
    assert everything(berlin)[b"a/exif.jpg"] == before[b"a/exif.jpg"]


def test_what_cannot_be_taken_back_is_named_with_the_reason(berlin: Services) -> None:
    fill(berlin)
    workflow(berlin)
    path = b"2024/05/06/exif.jpg"
    with berlin.db.transaction() as conn:
        capture_records.drop(conn, [rows(berlin)[path].id])
    decide(berlin, "set", "1985-06-01", path)
    refused = undo(berlin, path, b"2021/07/08/scan.jpg")
    assert (refused.files, refused.refused) == (0, 2)
    assert sorted(one["reason"] for one in refused.refusals) == [
        "it was never recorded what it tells; `media-pipeline dates read` does that",
        "nobody has decided about its date",
    ]
    assert dated(berlin, path)[0][2] == "person"


def test_too_much_nothing_and_the_unknown_are_refused(berlin: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(berlin)
    decide_dates(berlin, DateWish("accept", doubtful=True), "anna")
    with pytest.raises(BadRequest, match="Say which files"):
        undo_decisions(berlin, UndoWish(), "anna")
    with pytest.raises(NotFound):
        undo_decisions(berlin, UndoWish([999]), "anna")
    monkeypatch.setattr("app.jobs.date_files.MAX_FILES", 1)
    with pytest.raises(Conflict, match="fewer at once"):
        undo_decisions(berlin, UndoWish(only=DateFilter(camera="")), "anna")
    with berlin.db.reading() as conn:
        assert len(date_decisions.list_of(conn, [a.id for a in rows(berlin).values()])) == 2


def test_decided_files_are_paged_in_the_order_of_their_ids(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "accept", "", *rows(berlin))
    with berlin.db.reading() as conn:
        whole = decided_dates.list_page(conn, DateFilter(), None, 0, 10)
        first = decided_dates.list_page(conn, DateFilter(), whole[0].decided_at, 0, 2)
        rest = decided_dates.list_page(conn, DateFilter(), None, first[-1].asset.id, 10)
    assert [*first, *rest] == whole
    assert all(a.asset.id < b.asset.id for a, b in itertools.pairwise(whole))
