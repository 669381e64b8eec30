"""Files that belong together stay together, whenever and in whatever order they come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.db import totals, waiting
from app.files.belonging import group_key
from app.files.takeout import takeout_partner
from app.model import AssetStatus, RootKind, RunStatus, Stage
from app.pipeline import batch
from app.pipeline.naming import name_beside, suffixed
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree, write_tree
from tests.pipeline.library import a_step, assert_rows_agree
from tests.pipeline.live_photo import film, still
from tests.pipeline.running import the_batches, workflow
from tests.pipeline.stages import change, events, rows, states, take_stock
from tests.pipeline.undoing import undo

DAY = "2024:05:06 10:00:00"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, dedup={"threads": 1})
    yield services
    services.close()


def take_in(services: Services, *arrivals: Mapping[str, bytes]) -> dict[str, bytes]:
    """Bring in one lot of files after the other, each with a run of its own; returns the archive."""
    for tree in arrivals:
        write_tree(services.config.paths.source_dir, tree)
        run = workflow(services)
        assert run.status is RunStatus.DONE, run.error
    assert_rows_agree(services)
    return archive(services)


def archive(services: Services) -> dict[str, bytes]:
    return read_tree(services.config.paths.sorted_dir)


JPEG = make_jpeg(taken=DAY, seed=1)
OTHER = make_jpeg(taken=DAY, seed=2)


@pytest.mark.parametrize(
    "late",
    [
        {"a/IMG_1.jpg.xmp": b"<x/>"},
        {"a/IMG_1.xmp": b"<x/>"},
        {"a/IMG_1.AAE": b"edits"},
        {"a/IMG_1.jpg.supplemental-metadata.json": json.dumps({"title": "IMG_1.jpg"}).encode()},
        {"a/IMG_1.MOV": b"no real film"},
        {"a/IMG_1.CR2": b"no real raw"},
        {"a/IMG_1-edited.jpg": b"edited"},
    ],
    ids=lambda tree: next(iter(tree)),
)
def test_what_comes_a_day_later_goes_beside_its_photo(one: Services, late: dict[str, bytes]) -> None:
    found = take_in(one, {"a/IMG_1.jpg": JPEG}, late)
    beside = {f"2024/05/06/{os.path.basename(path)}": content for path, content in late.items()}
    assert found == {"2024/05/06/IMG_1.jpg": JPEG, **beside}


def test_a_late_sidecar_has_the_suffix_of_its_photo(one: Services) -> None:
    found = take_in(one, {"a/IMG_1.jpg": JPEG}, {"b/IMG_1.jpg": OTHER}, {"b/IMG_1.jpg.xmp": b"<b/>"},
                    {"a/IMG_1.xmp": b"<a/>"})  # fmt: skip
    assert found == {
        "2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_1.xmp": b"<a/>",
        "2024/05/06/IMG_1_1.jpg": OTHER, "2024/05/06/IMG_1_1.jpg.xmp": b"<b/>",
    }  # fmt: skip


def test_a_late_sidecar_stays_with_its_photo_when_the_pattern_was_changed(tmp_path: Path, one: Services) -> None:
    take_in(one, {"a/IMG_1.jpg": JPEG})
    changed = make_services(tmp_path, sorter={"folder_pattern": "{year}"})
    found = take_in(changed, {"a/IMG_1.jpg.xmp": b"<x/>"})
    changed.close()
    assert set(found) == {"2024/05/06/IMG_1.jpg", "2024/05/06/IMG_1.jpg.xmp"}


def test_a_json_that_comes_before_its_photo_waits_and_goes_with_it(one: Services) -> None:
    told = json.dumps({"title": "IMG_1.jpg"}).encode()
    assert take_in(one, {"a/IMG_1.jpg.json": told}) == {}
    found = take_in(one, {"a/IMG_1.jpg": JPEG})
    assert found == {"2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_1.jpg.json": told}


def test_the_json_of_a_known_photo_goes_beside_the_original(one: Services) -> None:
    """An export from the cloud after the phone's own pictures: only what it adds is taken in."""
    told = json.dumps({"title": "copy.jpg"}).encode()
    found = take_in(one, {"phone/IMG_1.jpg": JPEG}, {"takeout/IMG_1.jpg": JPEG, "takeout/IMG_1.jpg.json": told})
    assert found == {"2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_1.jpg.json": told}
    assert rows(one)[b"takeout/IMG_1.jpg"].status is AssetStatus.DUPLICATE


def test_a_pair_whose_still_is_known_stays_a_pair(one: Services) -> None:
    found = take_in(one, {"a/IMG_1.jpg": JPEG}, {"b/IMG_7.jpg": JPEG, "b/IMG_7.MOV": b"film"})
    assert found == {
        "2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_7.jpg": JPEG, "2024/05/06/IMG_7.MOV": b"film",
    }  # fmt: skip


def test_a_still_that_lies_where_its_pair_would_go_is_not_kept_twice(one: Services) -> None:
    found = take_in(one, {"a/IMG_1.jpg": JPEG}, {"b/IMG_1.jpg": JPEG, "b/IMG_1.MOV": b"film"})
    assert found == {"2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_1.MOV": b"film"}
    assert read_tree(one.root(RootKind.DUPLICATES).path) != {}
    with one.db.reading() as conn:
        counted = {status.value: files for status, (files, _) in totals.read(conn).items() if files}
    assert counted == {"archived": 2, "duplicate": 1}


def test_a_known_pair_that_comes_again_is_a_duplicate_as_a_whole(one: Services) -> None:
    pair = {"IMG_1.jpg": JPEG, "IMG_1.MOV": b"film", "IMG_1.jpg.xmp": b"<x/>"}
    before = take_in(one, {f"a/{name}": content for name, content in pair.items()})
    after = take_in(one, {f"b/{name.replace('_1', '_2')}": content for name, content in pair.items()})
    assert after == before
    again = take_in(one, {f"a/{name}": content for name, content in pair.items()})
    assert again == before


def test_sidecars_of_one_name_from_two_folders_part_no_pair(one: Services) -> None:
    found = take_in(
        one,
        {"a/IMG_1.jpg": JPEG, "a/IMG_1.MOV": b"film", "a/IMG_1.xmp": b"<a/>"},
        {"b/IMG_1.jpg": JPEG, "b/IMG_1.MOV": b"film", "b/IMG_1.xmp": b"<b/>"},
    )
    assert found == {
        "2024/05/06/IMG_1.jpg": JPEG, "2024/05/06/IMG_1.MOV": b"film", "2024/05/06/IMG_1.xmp": b"<a/>",
        "2024/05/06/IMG_1_1.xmp": b"<b/>",
    }  # fmt: skip


def test_a_group_of_which_one_name_cannot_be_sent_is_set_aside_as_a_whole(tmp_path: Path) -> None:
    services = make_services(tmp_path, sync={"target": "syncthing"})
    write_tree(services.config.paths.source_dir, {"IMG_1.jpg": still("ONE"), b"film\xff.MOV": film("ONE")})
    take_stock(services)
    batch.run(services, a_step(services, Stage.BATCH))
    assert set(states(services).values()) == {"set_aside"}
    assert any("belongs to" in message for message in events(services, "asset.set_aside"))
    services.close()


def test_what_was_drawn_along_by_a_late_half_can_be_taken_back_with_its_own_batch(one: Services) -> None:
    arrivals = {"a/IMG_1.MOV": b"no real film"}, {"a/IMG_1.jpg": JPEG, "a/IMG_1.xmp": b"<x/>"}
    take_in(one, *arrivals)
    for taken_back in reversed(the_batches(one)):
        assert undo(one, taken_back.id).status is RunStatus.DONE
        assert_rows_agree(one)
    assert not [path for path in archive(one) if not path.endswith("/")]
    assert read_tree(one.config.paths.source_dir) == {**arrivals[0], **arrivals[1]}


# --- a photo that turned out to be in the archive already, as it was sorted beside its new film

KNOWN = ({"a/IMG_3.jpg": JPEG}, {"b/IMG_3.jpg": JPEG, "b/IMG_3.MOV": b"new film"})


def waiting_for_a_batch(services: Services) -> list[bytes]:
    return [path for path, status in states(services).items() if status in ("discovered", "unique")]


@pytest.mark.parametrize("mode", ["move", "copy"])
@pytest.mark.parametrize("late", ["b/IMG_3.AAE", "b/IMG_3.MP4"])
def test_a_duplicate_found_by_sort_does_not_wait_for_ever_when_more_comes(
    tmp_path: Path, late: str, mode: str
) -> None:
    services = make_services(tmp_path, dedup={"threads": 1}, sorter={"transfer_mode": mode})
    found = take_in(services, *KNOWN, {late: b"late"})
    assert waiting_for_a_batch(services) == []
    assert {path.rpartition("/")[2]: found[path] for path in found if not path.endswith("/")} == {
        "IMG_3.jpg": JPEG, "IMG_3.MOV": b"new film", late.rpartition("/")[2]: b"late",
    }  # fmt: skip
    services.close()


@pytest.mark.parametrize("is_inspected", [True, False])
def test_what_waits_with_the_number_of_a_batch_that_has_ended_is_taken_by_the_next_run(
    one: Services, is_inspected: bool
) -> None:
    take_in(one, *KNOWN)
    (held,) = [asset for asset in rows(one).values() if asset.status is AssetStatus.DUPLICATE]
    assert held.batch_id is not None
    change(one, held, AssetStatus.DISCOVERED)
    instant = held.inspected_at if is_inspected else None
    change(one, rows(one)[held.path], AssetStatus.UNIQUE, inspected_at=instant)
    take_in(one, {"b/IMG_3.AAE": b"late"})
    assert waiting_for_a_batch(one) == []
    assert sum(asset.batch_id == the_batches(one)[-1].id for asset in rows(one).values()) == 2


def test_a_member_that_a_batch_has_taken_holds_up_no_other(one: Services) -> None:
    take_in(one, {"old.jpg": OTHER})
    write_tree(one.config.paths.source_dir, {"a/IMG_1.jpg": JPEG, "a/IMG_1.MOV": b"film"})
    take_stock(one)
    taken = rows(one)[b"a/IMG_1.MOV"]
    change(one, taken, AssetStatus.UNIQUE, batch_id=the_batches(one)[0].id, inspected_at=None)
    with one.db.reading() as conn:
        groups = [(group.key, group.file_count) for group in waiting.list_groups(conn, [taken.root_id])]
    assert groups == [(taken.group_id, 1)]


# --- names


def test_names_that_differ_in_case_alone_are_told_apart_where_names_are_portable(tmp_path: Path) -> None:
    services = make_services(tmp_path, sorter={"safe_names": "portable"})
    pair = {"a/IMG_1.jpg": JPEG, "a/IMG_1.MOV": b"film", "b/img_1.JPG": OTHER, "b/img_1.xmp": b"<b/>"}
    found = take_in(services, pair, {"c/Img_1.jpg": make_jpeg(taken=DAY, seed=3), "a/IMG_1.jpg.xmp": b"<a/>"})
    services.close()
    assert set(found) == {
        f"2024/05/06/{name}" for name in
        ("IMG_1.jpg", "IMG_1.MOV", "IMG_1.jpg.xmp", "img_1_1.JPG", "img_1_1.xmp", "Img_1_2.jpg")
    }  # fmt: skip


def test_long_names_are_cut_alike_for_a_group_and_stay_together() -> None:
    """143 bytes is what encrypted folders of a NAS leave of 255."""
    stem = "n" * 150
    names = [f"{stem}.jpg", f"{stem}.MOV", f"{stem}.jpg.xmp", f"{stem}.jpg.supplemental-metadata.json"]
    for number in (0, 1, 12):
        cut = suffixed([name.encode() for name in names], number, 143)
        assert all(len(name) <= 143 for name in cut)
        assert len({group_key(name) for name in cut[:3]}) == 1
        assert takeout_partner(cut[3], cut[:2]) == cut[0]


@pytest.mark.parametrize(
    ("group", "number", "names"),
    [
        (["IMG_1.HEIC", "IMG_1.HEIC.xmp", "IMG_E1.HEIC"], 2, ["IMG_1_2.HEIC", "IMG_1_2.HEIC.xmp", "IMG_E1_2.HEIC"]),
        (["PXL_1.MP.jpg", "PXL_1.MP"], 1, ["PXL_1_1.MP.jpg", "PXL_1_1.MP"]),
        (["a&b.jpg", "a_b.jpg.json"], 2, ["a&b_2.jpg", "a&b_2.jpg.json"]),
        (["x.jpg", "y.jpg.json"], 1, ["x_1.jpg", "x_1.jpg.json"]),
        (["IMG(1).jpg", "IMG.jpg(1).json"], 3, ["IMG(1)_3.jpg", "IMG(1)_3.jpg.json"]),
        (
            ["IMG(1).jpg", "IMG.jpg.supplemental-metadata(1).json"],
            1,
            ["IMG(1)_1.jpg", "IMG(1)_1.jpg.supplemental-metadata.json"],
        ),
    ],
)
def test_with_a_suffix_sidecars_still_name_their_photo(group: list[str], number: int, names: list[str]) -> None:
    assert suffixed([name.encode() for name in group], number) == [name.encode() for name in names]


@pytest.mark.parametrize(
    ("came_as", "archived_as", "late", "name"),
    [
        ("IMG_1.jpg", "IMG_1.jpg", "IMG_1.jpg.xmp", "IMG_1.jpg.xmp"),
        ("IMG_1.jpg", "IMG_1_2.jpg", "IMG_1.jpg.xmp", "IMG_1_2.jpg.xmp"),
        ("IMG_1.jpg", "IMG_1_2.jpg", "IMG_1.xmp", "IMG_1_2.xmp"),
        ("IMG_1.jpg", "2024-05-06 one.jpg", "IMG_1.MOV", "2024-05-06 one.MOV"),
        ("IMG_1234.HEIC", "IMG_1234_2.HEIC", "IMG_E1234.HEIC", "IMG_E1234_2.HEIC"),
        ("IMG(1).jpg", "IMG(1)_2.jpg", "IMG.jpg(1).json", "IMG(1)_2.jpg.json"),
        ("a.jpg", "b.jpg", "c.xmp", "c.xmp"),
    ],
)
def test_what_comes_late_is_called_after_what_is_archived(came_as: str, archived_as: str, late: str, name: str) -> None:
    assert name_beside(came_as.encode(), archived_as.encode(), late.encode()) == name.encode()
