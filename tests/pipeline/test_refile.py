"""Filing the archive anew: each group goes to where it belongs by today's settings, dates and decisions."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest

from app.db import capture_records
from app.files import syscalls
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.jobs.refile import RefileWish
from app.model import AssetStatus, RunStatus
from app.overview.files import assets_at
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.refiling import archive, plan, put, refile, report_of, take_back, tree
from tests.pipeline.running import workflow
from tests.pipeline.stages import events, rows
from tests.pipeline.undoing import media_tree, undo
from tests.pipeline.verifying import verify

Opener = Callable[..., Services]

YEARLY = {"folder_pattern": "{year}"}
LIBRARY = {
    "a/IMG_1.jpg": make_jpeg("2024:05:06 10:00:00", seed=1),
    "a/IMG_1.MOV": b"film of one",
    "a/IMG_1.jpg.xmp": b"<x/>",
    "b/IMG_1.jpg": make_jpeg("2024:05:07 10:00:00", seed=2),
    "c/IMG_2.jpg": make_jpeg("2023:01:02 10:00:00", seed=3),
}


def names(services: Services) -> list[str]:
    return [*tree(services)]


def decide(services: Services, paths: Sequence[bytes], action: str, value: str = "") -> str | None:
    ids = [rows(services)[path].id for path in paths]
    return decide_dates(services, DateWish(action, value, ids), "anna").decided_at


def test_a_changed_template_moves_groups_and_suffixes_them_alike(open_test_services: Opener) -> None:
    before = archive(open_test_services(), LIBRARY)
    assert "2024/05/06/IMG_1.jpg" in before
    services = open_test_services(sorter=YEARLY)
    planned = report_of(services, plan(services))
    assert (planned["files"], planned["suffixed"], planned["moved"], tree(services)) == (5, 1, 0, before)
    run = refile(services)
    after = tree(services)
    assert [*after] == ["2023/IMG_2.jpg", "2024/IMG_1.MOV", "2024/IMG_1.jpg", "2024/IMG_1.jpg.xmp", "2024/IMG_1_1.jpg"]
    assert sorted(after.values()) == sorted(before.values())
    assert_rows_agree(services)
    assert report_of(services, refile(services))["moved"] == 0
    assert not any(report_of(services, verify(services))["findings"].values())
    take_back(services, run)
    assert tree(services) == before
    assert_rows_agree(services)
    assert len(events(services, "refile.finished")) == 2 and len(events(services, "refile.undone")) == 1


def test_groups_change_places_in_a_circle(open_test_services: Opener) -> None:
    library: dict[str, bytes] = {}
    for number, day in enumerate((20, 10, 25, 1), start=1):
        library[f"{number}.jpg"] = make_jpeg(f"2024:05:{day:02d} 10:00:00", seed=number)
        library[f"{number}.MOV"] = b"film %d" % number
    before = archive(open_test_services(sorter=YEARLY), library)
    services = open_test_services(sorter={**YEARLY, "name_pattern": "{counter}"})
    run = refile(services)
    after = tree(services)
    assert [after[f"2024/{n}.MOV"] for n in (1, 2, 3, 4)] == [b"film 4", b"film 2", b"film 1", b"film 3"]
    assert len(after) == len(before)
    assert_rows_agree(services)
    take_back(services, run)
    assert tree(services) == before


def test_equals_keep_the_numbers_that_they_came_by(open_test_services: Opener) -> None:
    """The later photo came first; when one leaves the folder, no other is renamed for it."""
    services = open_test_services(sorter=YEARLY)
    for number, day in enumerate((20, 10)):
        archive(services, {f"{number}/IMG_1.jpg": make_jpeg(f"2024:05:{day:02d} 10:00:00", seed=number),
                           f"{number}/IMG_1.MOV": b"film %d" % number})  # fmt: skip
    before = tree(services)
    assert report_of(services, refile(services))["files"] == 0
    decide(services, [b"2024/IMG_1.jpg"], "set", "2020-01-01")
    refile(services)
    moved = {"2020/IMG_1.jpg": before["2024/IMG_1.jpg"], "2020/IMG_1.MOV": b"film 0"}
    assert tree(services) == {path: held for path, held in before.items() if "/IMG_1." not in path} | moved


def test_a_long_row_of_files_moves_up_by_one(open_test_services: Opener) -> None:
    sorter = {"folder_pattern": "{year}", "name_pattern": "{counter:04d}"}
    services = open_test_services(sorter=sorter, dedup={"threads": 1})
    later = {f"{n}.jpg": make_jpeg(f"2024:05:06 10:{n // 60:02d}:{n % 60:02d}", seed=n) for n in range(300)}
    archive(services, later)
    archive(services, {"first.jpg": make_jpeg("2024:01:01 10:00:00", seed=999)})
    assert report_of(services, refile(services))["moved"] == 301
    assert names(services) == [f"2024/{n:04d}.jpg" for n in range(1, 302)]
    assert_rows_agree(services)


def test_a_file_in_the_way_that_nobody_knows_is_not_touched(open_test_services: Opener) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    write_tree(services.config.paths.sorted_dir, {"2024/IMG_1.MOV": b"of somebody else"})
    refile(services)
    after = tree(services)
    assert after["2024/IMG_1.MOV"] == b"of somebody else"
    assert (after["2024/IMG_1_1.MOV"], after["2024/IMG_1_1.jpg"]) == (b"film of one", LIBRARY["a/IMG_1.jpg"])
    assert after["2024/IMG_1.jpg"] == LIBRARY["b/IMG_1.jpg"]
    assert_rows_agree(services)


@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_group_of_which_a_file_cannot_move_stays_as_a_whole(open_test_services: Opener, how: str) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    film = Path(services.config.paths.sorted_dir, "2024/05/06/IMG_1.MOV")
    film.unlink()
    if how == "changed":
        film.write_bytes(b"another film")
    run = refile(services)
    stay = ["2024/05/06/IMG_1.MOV"] * (how == "changed") + ["2024/05/06/IMG_1.jpg", "2024/05/06/IMG_1.jpg.xmp"]
    assert names(services) == ["2023/IMG_2.jpg", *stay, "2024/IMG_1.jpg"]
    told = report_of(services, run)
    assert (told["moved"], told["stay"]) == (2, 3)
    assert all("IMG_1.MOV" in failure["reason"] for failure in told["failures"])


def test_a_file_that_fails_on_the_way_takes_its_group_back(open_test_services: Opener) -> None:
    before = archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    rename = syscalls.rename_without_replacing

    def refuse_films(source: int, name: bytes, target: int, new_name: bytes) -> None:
        if name == b"IMG_1.MOV":
            raise PermissionError(errno.EACCES, "Permission denied")
        rename(source, name, target, new_name)

    with mock.patch.object(syscalls, "rename_without_replacing", refuse_films):
        run = refile(services)
    after = tree(services)
    assert {name for name in after if name in before} == {name for name in before if "05/06" in name}
    assert (report_of(services, run)["moved"], report_of(services, run)["could_not_move"]) == (2, 3)
    assert_rows_agree(services)
    assert len(events(services, "asset.stayed_in_place")) == 1
    refile(services)
    assert "2024/IMG_1.MOV" in tree(services)


def test_another_zone_moves_what_was_told_in_utc_and_leaves_what_a_clock_showed(open_test_services: Opener) -> None:
    files = {"clock.jpg": make_jpeg("2024:05:06 23:30:00", seed=1), "PXL_20240506_233000000.jpg": make_jpeg(seed=2)}
    archive(open_test_services(sorter={"timezone": "UTC"}), files)
    services = open_test_services(sorter={"timezone": "Asia/Tokyo"})
    planned = plan(services)
    assert (report_of(services, planned)["files"], report_of(services, planned)["dated"]) == (1, 1)
    assert rows(services)[b"2024/05/06/PXL_20240506_233000000.jpg"].taken_local == "2024-05-06T23:30:00"
    refile(services)
    assert names(services) == ["2024/05/06/clock.jpg", "2024/05/07/PXL_20240506_233000000.jpg"]
    moved = rows(services)[b"2024/05/07/PXL_20240506_233000000.jpg"]
    assert (moved.taken_local, moved.taken_from) == ("2024-05-07T08:30:00", "filename")


def test_what_was_never_recorded_is_read_again_and_recorded(open_test_services: Opener) -> None:
    files = {"PXL_20240506_233000000.jpg": make_jpeg(seed=2), "b.jpg": make_jpeg("2024:05:06 10:00:00", seed=3)}
    services = open_test_services(sorter={"timezone": "UTC"})
    archive(services, files)
    ids = [asset.id for asset in rows(services).values()]
    with services.db.transaction() as conn:
        capture_records.drop(conn, ids)
    services = open_test_services(sorter={"timezone": "Asia/Tokyo"})
    refile(services)
    assert names(services) == ["2024/05/06/b.jpg", "2024/05/07/PXL_20240506_233000000.jpg"]
    with services.db.reading() as conn:
        known = capture_records.list_of(conn, ids)
    assert {record.winner.source for record in known.values() if record.winner} == {"filename", "exif"}


def test_what_waits_for_a_review_goes_to_its_day_once_a_person_has_decided(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"weak_dates": "review"})
    archive(services, {"scan_a.jpg": make_jpeg(seed=1), "scan_b.jpg": make_jpeg(seed=2), **LIBRARY})
    assert rows(services)[b"review/scan_a.jpg"].status is AssetStatus.SET_ASIDE
    assert report_of(services, refile(services))["files"] == 0
    decided_at = decide(services, [b"review/scan_a.jpg"], "set", "1985-06-01")
    run = refile(services, RefileWish(decided_since=decided_at))
    archived = rows(services)[b"1985/06/01/scan_a.jpg"]
    assert (archived.status, archived.reason) == (AssetStatus.ARCHIVED, None)
    assert b"review/scan_b.jpg" in rows(services)
    assert_rows_agree(services)
    take_back(services, run)
    back = rows(services)[b"review/scan_a.jpg"]
    assert (back.status, "review" in (back.reason or "")) == (AssetStatus.SET_ASIDE, True)
    refile(services)
    assert b"1985/06/01/scan_a.jpg" in rows(services)


def test_doubtful_dates_go_to_the_review_when_the_settings_say_so(open_test_services: Opener) -> None:
    archive(open_test_services(), {"scan.jpg": make_jpeg(seed=1), **LIBRARY})
    services = open_test_services(sorter={"weak_dates": "review"})
    refile(services)
    aside = rows(services)[b"review/scan.jpg"]
    assert (aside.status, aside.reason) == (AssetStatus.SET_ASIDE, "Its date is doubtful and needs a review.")
    assert_rows_agree(services)


def test_only_what_was_named_moves_and_all_others_keep_their_names(open_test_services: Opener) -> None:
    services = open_test_services(sorter=YEARLY)
    for number, day in enumerate((20, 10)):
        archive(services, {f"{number}/IMG_1.jpg": make_jpeg(f"2024:05:{day} 10:00:00", seed=number)})
    archive(services, {"x/IMG_1.jpg": make_jpeg("2023:05:06 10:00:00", seed=7)})
    moving = rows(services)[b"2023/IMG_1.jpg"].id
    decide(services, [b"2023/IMG_1.jpg"], "set", "2024-01-01")
    before = tree(services)
    refile(services, RefileWish((moving,)))
    after = tree(services)
    assert [*after] == ["2024/IMG_1.jpg", "2024/IMG_1_1.jpg", "2024/IMG_1_2.jpg"]
    assert {name: after[name] for name in before if name in after} == {n: before[n] for n in before if n in after}


def test_with_copies_only_the_copy_in_the_archive_moves(open_test_services: Opener) -> None:
    copying = {"transfer_mode": "copy"}
    first = open_test_services(sorter=copying)
    archive(first, LIBRARY)
    services = open_test_services(sorter={**copying, **YEARLY})
    others = {place: held for place, held in media_tree(services).items() if not place.startswith("archive/")}
    refile(services)
    moved = media_tree(services)
    assert "archive/2024/IMG_1.MOV" in moved
    assert {place: held for place, held in moved.items() if not place.startswith("archive/")} == others
    assert workflow(services).status is RunStatus.DONE
    assert_rows_agree(services)


def test_a_former_place_still_finds_the_file_and_its_batch_can_be_taken_back(open_test_services: Opener) -> None:
    put(open_test_services(), LIBRARY)
    before = media_tree(open_test_services())
    archive(open_test_services())
    services = open_test_services(sorter=YEARLY)
    film = rows(services)[b"2024/05/06/IMG_1.MOV"].id
    refile(services)
    with services.db.reading() as conn:
        assert [found["id"] for found in assets_at(conn, "2024/05/06/IMG_1.MOV")["assets"]] == [film]
    assert undo(services, 1).status is RunStatus.DONE
    assert media_tree(services) == before
