"""Groups whose files come in several runs, are duplicates in part, or are taken back: never parted, always told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app import jobs
from app.db import capture_records
from app.model import RunStatus, Stage
from app.pipeline import batch
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree, write_tree
from tests.files.camera_files import heif, jpeg, picture
from tests.files.tiff_data import Shot
from tests.pipeline.date_cases import film as a_film
from tests.pipeline.library import a_step
from tests.pipeline.live_photo import film, still
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.refiling import refile
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows, states, take_stock
from tests.pipeline.test_preview_equals_reality import check_library
from tests.pipeline.undoing import end_runs, undo

PHOTO = make_jpeg(taken="2024:05:06 10:00:00", seed=1)
NEW_YEAR = 1577880000  # 2020-01-01


def put(services: Services, tree: Mapping[str | bytes, bytes]) -> None:
    """Files in the ingest folder, last changed at New Year 2020."""
    ingest = services.config.paths.source_dir
    write_tree(ingest, tree)
    for path in tree:
        os.utime(os.path.join(os.fsencode(ingest), os.fsencode(path)), (NEW_YEAR, NEW_YEAR))


def waiting(services: Services) -> list[bytes | None]:
    return [a.origin_path for a in rows(services).values() if a.status.value in ("unique", "discovered")]


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_group_that_is_joined_to_a_duplicate_half_does_not_wait(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode})
    put(services, {"a/IMG_3.HEIC": still("ID1")})
    workflow(services)
    put(services, {"b/IMG_3.HEIC": still("ID1"), "b/IMG_3.MP4": b"new film"})
    workflow(services)
    put(services, {"b/IMG_9.MOV": film("ID1"), "b/IMG_9.xmp": b"<x/>"})
    workflow(services)
    workflow(services)
    assert waiting(services) == []


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_preview_dates_a_half_that_it_thinks_of_in_the_duplicates_folder(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode}, dedup={"duplicate_policy": "quarantine"})
    put(services, {"old/IMG_A.HEIC": still("ID1")})
    workflow(services)
    put(services, {"new/IMG_B.HEIC": still("ID1"), "new/IMG_C.MOV": film("ID1")})
    check_library(services, (tmp_path, tmp_path))


# --- a name that Syncthing would not carry


@pytest.fixture
def to_a_peer(tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, sync={"target": "syncthing"})
    put(services, {"IMG_1.jpg": still("ONE"), b"film\xff.MOV": film("ONE"), "IMG_1.AAE": b"edits"})
    prepare_batch(services)
    yield services
    services.close()


def prepare_batch(services: Services) -> None:
    take_stock(services)
    batch.run(services, a_step(services, Stage.BATCH))
    end_runs(services)


def test_what_waits_with_a_bad_name_goes_on_when_that_has_a_new_one(to_a_peer: Services) -> None:
    assert set(states(to_a_peer).values()) == {"set_aside"}
    ingest = os.fsencode(to_a_peer.config.paths.source_dir)
    os.rename(ingest + b"/film\xff.MOV", ingest + b"/film.MOV")
    prepare_batch(to_a_peer)
    found = {a.origin_path: (a.status.value, a.batch_id) for a in rows(to_a_peer).values() if a.status.value != "gone"}
    assert found == {b"IMG_1.jpg": ("batched", 1), b"IMG_1.AAE": ("batched", 1), b"film.MOV": ("batched", 1)}


def test_what_waits_with_a_bad_name_goes_on_when_that_is_taken_away(to_a_peer: Services) -> None:
    os.unlink(os.fsencode(to_a_peer.config.paths.source_dir) + b"/film\xff.MOV")
    prepare_batch(to_a_peer)
    assert {a.status.value for a in rows(to_a_peer).values() if a.status.value != "gone"} == {"batched"}


def test_what_comes_late_to_a_bad_name_waits_with_it(to_a_peer: Services) -> None:
    put(to_a_peer, {"IMG_1.xmp": b"<x/>"})
    prepare_batch(to_a_peer)
    assert set(states(to_a_peer).values()) == {"set_aside"}
    assert rows(to_a_peer)[b"IMG_1.xmp"].reason == rows(to_a_peer)[b"IMG_1.AAE"].reason


# --- names that come again


def archived(services: Services) -> dict[str, bytes]:
    return {path: held for path, held in read_tree(services.config.paths.sorted_dir).items() if not path.endswith("/")}


def groups_of(services: Services) -> list[list[bytes]]:
    """What lies together in groups, by where it is."""
    groups: dict[int | None, list[bytes]] = {}
    for asset in rows(services).values():
        groups.setdefault(asset.group_id, []).append(asset.path)
    return sorted(map(sorted, groups.values()))


MAY = make_jpeg(taken="2024:05:06 10:00:00", seed=11)
JANUARY = make_jpeg(taken="2023:01:02 10:00:00", seed=12)
AGAIN = ({"IMG_1.JPG": MAY, "IMG_1.MOV": b"one"}, {"IMG_1.JPG": JANUARY, "IMG_1.MOV": b"two"}, {"IMG_1.AAE": b"late"})
EACH_BY_ITSELF = {
    "2024/05/06/IMG_1.JPG": MAY, "2024/05/06/IMG_1.MOV": b"one", "2023/01/02/IMG_1.JPG": JANUARY,
    "2023/01/02/IMG_1.MOV": b"two", "2023/01/02/IMG_1.AAE": b"late",
}  # fmt: skip


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_name_that_comes_again_is_another_photo_and_moves_no_archived_one(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode})
    for lot in AGAIN:
        put(services, lot)
        check_library(services, (tmp_path, tmp_path))
    assert archived(services) == EACH_BY_ITSELF
    assert len({a.group_id for a in rows(services).values()}) == 2
    services.close()


def test_what_came_before_a_name_came_again_is_still_known(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    for lot in (*AGAIN, AGAIN[0]):
        put(services, lot)
        workflow(services)
    assert archived(services) == EACH_BY_ITSELF
    assert sorted(states(services).values()).count("duplicate") == 2
    services.close()


def test_a_batch_whose_names_came_again_is_taken_back(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    for lot in AGAIN:
        put(services, lot)
        workflow(services)
    assert undo(services, 3).status is RunStatus.DONE
    assert undo(services, 2).status is RunStatus.DONE
    assert archived(services) == {path: held for path, held in EACH_BY_ITSELF.items() if path.startswith("2024")}
    services.close()


def test_a_rebuild_keeps_apart_what_came_under_one_name(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    for lot in AGAIN:
        put(services, lot)
        workflow(services)
    services.close()
    lose_database(services.config)
    rebuilt, _ = rebuild(services.config)
    assert groups_of(rebuilt) == [
        [b"2023/01/02/IMG_1.AAE", b"2023/01/02/IMG_1.JPG", b"2023/01/02/IMG_1.MOV"],
        [b"2024/05/06/IMG_1.JPG", b"2024/05/06/IMG_1.MOV"],
    ]
    rebuilt.close()


# --- one name, several days

OLD_FILM = a_film(apple="2021-03-04T10:00:00+0200")
OF_DAYS = {
    "IMG_1.JPG": MAY, "IMG_1.CR2": JANUARY, "IMG_1.MOV": OLD_FILM,
    "IMG_1.JPG.xmp": b"<x/>", "IMG_1.CR2.xmp": b"<y/>", "IMG_1.MOV.xmp": b"<z/>",
}  # fmt: skip
DAYS = {"IMG_1.JPG": "2024/05/06/", "IMG_1.CR2": "2023/01/02/", "IMG_1.MOV": "2021/03/04/"}
BY_DAY = {DAYS[name.removesuffix(".xmp")] + name: held for name, held in OF_DAYS.items()}
COMES_FIRST = (["IMG_1.JPG", "IMG_1.JPG.xmp"], ["IMG_1.MOV"], list(DAYS), list(OF_DAYS))


def put_in_two_lots(services: Services, first: list[str]) -> None:
    put(services, {name: OF_DAYS[name] for name in first})
    workflow(services)
    put(services, {name: held for name, held in OF_DAYS.items() if name not in first})


@pytest.mark.parametrize("first", COMES_FIRST)
def test_what_has_one_name_and_several_days_goes_each_to_its_own(tmp_path: Path, first: list[str]) -> None:
    services = make_services(tmp_path)
    put_in_two_lots(services, first)
    check_library(services, (tmp_path, tmp_path))
    assert archived(services) == BY_DAY
    assert [len(group) for group in groups_of(services)] == [2, 2, 2]
    assert waiting(services) == []
    services.close()


def test_a_batch_whose_names_had_other_days_is_taken_back(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    put_in_two_lots(services, ["IMG_1.MOV"])
    workflow(services)
    assert undo(services, 2).status is RunStatus.DONE
    assert archived(services) == {"2021/03/04/IMG_1.MOV": OLD_FILM}
    services.close()


def test_a_rebuild_keeps_apart_what_was_parted_by_its_days(tmp_path: Path) -> None:
    """Also what comes afterwards goes to its day."""
    services = make_services(tmp_path)
    put_in_two_lots(services, ["IMG_1.MOV"])
    workflow(services)
    groups = groups_of(services)
    services.close()
    lose_database(services.config)
    rebuilt, _ = rebuild(services.config)
    assert groups_of(rebuilt) == groups
    jobs.confirm_rebuild(rebuilt)
    put(rebuilt, {"IMG_1.NEF": make_jpeg(taken="2023:01:02 10:00:00", seed=14),
                  "IMG_1.DNG": make_jpeg(taken="2019:01:02 10:00:00", seed=15)})
    workflow(rebuilt)
    assert archived(rebuilt).keys() - BY_DAY.keys() == {"2023/01/02/IMG_1.NEF", "2019/01/02/IMG_1.DNG"}
    assert [len(group) for group in groups_of(rebuilt)] == [1, 2, 3, 2]
    rebuilt.close()


# --- one name, several cameras

PLAIN_PNG = picture("PNG")
OF_CAMERAS = {
    "IMG_1.JPG": jpeg(Shot("2019:05:01 18:00:00", make="Canon", model="Canon EOS 5D")),
    "IMG_1.HEIC": heif(Shot("2019:05:02 09:00:00", make="Apple", model="iPhone 8")),
    "IMG_1.MP4": a_film("2022-08-09 10:00:00"), "IMG_1.PNG": PLAIN_PNG,
}  # fmt: skip
BY_CAMERA = {
    "2019/05/01/IMG_1.JPG", "2019/05/01/IMG_1.PNG", "2019/05/02/IMG_1.HEIC", "2022/08/09/IMG_1.MP4",
}  # fmt: skip


@pytest.mark.parametrize("first", [[], ["IMG_1.HEIC"], ["IMG_1.MP4", "IMG_1.JPG"]])
def test_what_has_one_name_and_several_cameras_goes_each_to_its_own_day(tmp_path: Path, first: list[str]) -> None:
    """Also after a rebuild, and when all is filed anew. What tells no date goes with the photo that was first."""
    services = make_services(tmp_path)
    put(services, {name: OF_CAMERAS[name] for name in first})
    workflow(services)
    put(services, {name: held for name, held in OF_CAMERAS.items() if name not in first})
    workflow(services)
    places = BY_CAMERA
    if "IMG_1.HEIC" in first:
        places = places - {"2019/05/01/IMG_1.PNG"} | {"2019/05/02/IMG_1.PNG"}
    assert set(archived(services)) == places
    groups = groups_of(services)
    assert sorted(map(len, groups)) == [1, 1, 2]
    refile(services)
    assert set(archived(services)) == places
    services.close()
    lose_database(services.config)
    rebuilt, _ = rebuild(services.config)
    assert groups_of(rebuilt) == groups
    rebuilt.close()


def test_a_photo_without_a_date_beside_one_of_its_name_is_doubtful(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    put(services, {"IMG_1.JPG": MAY, "IMG_1.PNG": PLAIN_PNG, "IMG_1.CR2": make_jpeg(seed=16)})
    take_stock(services)
    found = {asset.path: asset for asset in rows(services).values()}
    assert [found[name].taken_from for name in (b"IMG_1.JPG", b"IMG_1.PNG", b"IMG_1.CR2")] == ["exif", *["sibling"] * 2]
    with services.db.reading() as conn:
        kept = capture_records.list_of(conn, [asset.id for asset in found.values()])
    assert {path: kept[asset.id].confidence for path, asset in found.items()} == {
        b"IMG_1.JPG": "sure", b"IMG_1.PNG": "weak", b"IMG_1.CR2": "sure",
    }  # fmt: skip
    services.close()


def test_films_of_one_number_and_several_days_are_no_group(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    put(services, {"IMG_1.MP4": a_film("2024-05-06 10:00:00"), "IMG_1.MOV": a_film("2023-01-02 10:00:00")})
    workflow(services)
    assert set(archived(services)) == {"2024/05/06/IMG_1.MP4", "2023/01/02/IMG_1.MOV"}
    services.close()


def test_a_raw_file_and_its_jpeg_of_one_moment_stay_together(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    put(services, {"IMG_1.CR2": make_jpeg(taken="2024:05:06 10:00:01", seed=13)})
    workflow(services)
    put(services, {"IMG_1.JPG": MAY})
    workflow(services)
    assert len({a.group_id for a in rows(services).values()}) == 1
    services.close()
