"""Live Photos whose halves say in their content that they belong together, whatever they are called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path

import pytest

from app.db import assets, runs
from app.db.groups import Member
from app.model import AssetStatus, BatchStatus, RunStatus, Stage
from app.pipeline import sort
from app.pipeline.grouping import plan_joins, plan_splits
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.pipeline.library import a_step
from tests.pipeline.live_photo import film, still
from tests.pipeline.running import the_batches, workflow
from tests.pipeline.stages import events, rows, states, take_stock
from tests.pipeline.test_groups import take_in


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, dedup={"threads": 1})
    yield services
    services.close()


def groups_of(services: Services) -> set[frozenset[bytes]]:
    found: dict[int | None, set[bytes]] = {}
    for path, asset in rows(services).items():
        found.setdefault(asset.group_id, set()).add(asset.origin_path or path)
    return {frozenset(paths) for paths in found.values()}


PAIR = {"a/IMG_1.jpg": still("ONE"), "a/IMG_9.MOV": film("ONE")}


def test_halves_of_other_names_are_one_group_with_one_date(one: Services) -> None:
    found = take_in(one, PAIR)
    assert set(found) == {"2024/05/06/IMG_1.jpg", "2024/05/06/IMG_9.MOV"}
    assert groups_of(one) == {frozenset({b"a/IMG_1.jpg", b"a/IMG_9.MOV"})}
    assert {asset.taken_local for asset in rows(one).values()} == {"2024-05-06T10:00:00"}


def test_a_half_that_comes_late_goes_beside_the_other(one: Services) -> None:
    found = take_in(one, {"a/IMG_1.jpg": PAIR["a/IMG_1.jpg"]}, {"a/IMG_9.MOV": PAIR["a/IMG_9.MOV"]})
    assert set(found) == {"2024/05/06/IMG_1.jpg", "2024/05/06/IMG_9.MOV"}
    assert len(groups_of(one)) == 1


def test_a_still_that_comes_late_draws_its_film_along_to_its_day(one: Services) -> None:
    found = take_in(one, {"a/IMG_9.MOV": PAIR["a/IMG_9.MOV"]}, {"a/IMG_1.jpg": PAIR["a/IMG_1.jpg"]})
    assert {path for path in found if not path.endswith("/")} == {"2024/05/06/IMG_1.jpg", "2024/05/06/IMG_9.MOV"}
    assert {asset.taken_local for asset in rows(one).values()} == {"2024-05-06T10:00:00"}


def test_a_film_whose_drawing_along_a_start_had_to_finish_gets_the_date_of_its_group(one: Services) -> None:
    take_in(one, {"a/IMG_9.MOV": PAIR["a/IMG_9.MOV"]})
    (before,) = rows(one).values()
    take_in(one, {"a/IMG_1.jpg": PAIR["a/IMG_1.jpg"]})
    late = the_batches(one)[-1]
    columns = {"taken_local": before.taken_local, "taken_at": before.taken_at, "taken_from": before.taken_from}
    with one.db.transaction() as conn:
        assets.set_columns(conn, [(before.id, columns)])
        conn.exec_driver_sql("UPDATE batches SET status = ? WHERE id = ?", (BatchStatus.SORTING.value, late.id))
    sort.run(one, a_step(one, Stage.SORT, late.id))
    film_row = rows(one)[b"2024/05/06/IMG_9.MOV"]
    assert (film_row.taken_local, film_row.taken_from) == ("2024-05-06T10:00:00", "sibling")


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_film_that_cannot_be_drawn_along_keeps_its_date_and_is_told(one: Services, is_deleted: bool) -> None:
    write_tree(one.config.paths.source_dir, {"IMG_1.MOV": b"no real film"})
    os.utime(Path(one.config.paths.source_dir, "IMG_1.MOV"), (1_577_880_000, 1_577_880_000))
    workflow(one)
    before = rows(one)[b"2020/01/01/IMG_1.MOV"]
    lying = Path(one.config.paths.sorted_dir, "2020/01/01/IMG_1.MOV")
    lying.unlink() if is_deleted else lying.write_bytes(b"edited")
    write_tree(one.config.paths.source_dir, {"IMG_1.JPG": PAIR["a/IMG_1.jpg"]})
    run = workflow(one)
    assert run.status is RunStatus.DONE
    after = rows(one)[b"2020/01/01/IMG_1.MOV"]
    assert (after.taken_local, after.taken_from) == (before.taken_local, before.taken_from)
    assert rows(one)[b"2024/05/06/IMG_1.JPG"].status is AssetStatus.ARCHIVED
    (said,) = events(one, "asset.stayed_apart")
    assert said.startswith("2020/01/01/IMG_1.MOV stays where it is. It could not be brought to the rest of its group")
    with one.db.reading() as conn:
        (report,) = [step.report for step in runs.list_steps(conn, run.id) if step.stage is Stage.SORT]
    assert [failure["path"] for failure in report["failures"]] == ["2020/01/01/IMG_1.MOV"]
    assert "1 file archived before could not be brought to the others" in report["message"]


def test_a_film_of_the_same_name_that_belongs_to_another_photo_is_a_group_of_its_own(one: Services) -> None:
    found = take_in(one, {
        "a/IMG_1.jpg": still("ONE"), "a/IMG_1.MOV": film("TWO"), "a/IMG_1.MOV.xmp": b"<x/>", "a/IMG_1.jpg.xmp": b"<y/>",
    })  # fmt: skip
    assert set(found) == {
        "2024/05/06/IMG_1.jpg", "2024/05/06/IMG_1.jpg.xmp", "2024/05/07/IMG_1.MOV", "2024/05/07/IMG_1.MOV.xmp",
    }  # fmt: skip


def test_films_that_were_swapped_find_their_photos(one: Services) -> None:
    take_in(one, {
        "a/IMG_1.jpg": still("ONE"), "a/IMG_1.MOV": film("TWO"),
        "a/IMG_2.jpg": still("TWO"), "a/IMG_2.MOV": film("ONE"),
    })  # fmt: skip
    assert groups_of(one) == {
        frozenset({b"a/IMG_1.jpg", b"a/IMG_2.MOV"}), frozenset({b"a/IMG_2.jpg", b"a/IMG_1.MOV"}),
    }  # fmt: skip


def test_a_film_without_an_identifier_stays_with_the_photo_of_its_name(one: Services) -> None:
    take_in(one, {"a/IMG_1.jpg": still("ONE"), "a/IMG_1.MOV": b"no real film"})
    assert len(groups_of(one)) == 1


def test_pairs_in_different_folders_are_not_joined(one: Services) -> None:
    write_tree(one.config.paths.source_dir, {"a/IMG_1.jpg": still("ONE"), "b/IMG_9.MOV": film("ONE")})
    take_stock(one)
    assert len(groups_of(one)) == 2


def test_a_still_that_was_called_a_duplicate_comes_back_with_its_new_film(one: Services) -> None:
    take_in(one, {"phone/IMG_1.jpg": PAIR["a/IMG_1.jpg"]})
    write_tree(one.config.paths.source_dir, {"a/IMG_1.jpg": PAIR["a/IMG_1.jpg"]})
    take_stock(one)
    assert states(one)[b"a/IMG_1.jpg"] == "duplicate"
    write_tree(one.config.paths.source_dir, {"a/IMG_9.MOV": PAIR["a/IMG_9.MOV"]})
    take_stock(one)
    assert (states(one)[b"a/IMG_1.jpg"], states(one)[b"a/IMG_9.MOV"]) == ("unique", "unique")
    take_in(one)
    assert groups_of(one) >= {frozenset({b"a/IMG_1.jpg", b"a/IMG_9.MOV"})}


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_still_that_sort_found_to_be_a_duplicate_holds_up_no_film_that_belongs_to_it(
    tmp_path: Path, mode: str
) -> None:
    services = make_services(tmp_path, dedup={"threads": 1}, sorter={"transfer_mode": mode})
    found = take_in(
        services,
        {"a/IMG_3.jpg": still("ONE")},
        {"b/IMG_3.jpg": still("ONE"), "b/IMG_3.MP4": b"no real film"},
        {"b/IMG_9.MOV": film("ONE"), "b/IMG_9.xmp": b"<x/>"},
    )
    assert not {"unique", "discovered"} & set(states(services).values())
    assert {f"2024/05/06/{name}" for name in ("IMG_3.jpg", "IMG_9.MOV", "IMG_9.xmp")} <= set(found)
    services.close()


# --- the plan alone


def member(number: int, group_id: int, name: str, identifier: str | None, status: str = "unique") -> Member:
    return Member(number, group_id, AssetStatus(status), None, name.encode(), identifier)


FOLDER = [
    member(1, 1, "IMG_1.HEIC", "ONE"), member(2, 2, "IMG_9.MOV", "ONE"), member(3, 2, "IMG_9.MOV.xmp", None),
    member(4, 3, "IMG_3.HEIC", "THREE"), member(5, 4, "copy of IMG_3.HEIC", "THREE"), member(6, 5, "film.MOV", "THREE"),
    member(7, 6, "IMG_5.HEIC", "FIVE"), member(8, 6, "IMG_5.MOV", "FIVE"), member(9, 7, "IMG_6.JPG", None),
]  # fmt: skip


def outcome(folder: list[Member]) -> Mapping[int, int]:
    return {join.moved: join.target for join in plan_joins(folder)}


def test_the_plan_does_not_depend_on_the_order_of_the_files() -> None:
    orders = permutations(FOLDER[:6])
    assert {frozenset(outcome([*order, *FOLDER[6:]]).items()) for order in orders} == {frozenset({2: 1, 5: 3}.items())}


def test_a_half_that_has_gone_on_keeps_its_group() -> None:
    gone_on = FOLDER[1]._replace(status=AssetStatus.ARCHIVED, batch_id=1)
    assert outcome([FOLDER[0], gone_on]) == {1: 2}
    both = [FOLDER[0]._replace(status=AssetStatus.ARCHIVED, batch_id=1), gone_on]
    assert outcome(both) == {}


def test_nothing_is_parted_while_a_photo_of_the_group_says_nothing() -> None:
    folder = [member(1, 1, "IMG_1.HEIC", "ONE"), member(2, 1, "IMG_1.JPG", None), member(3, 1, "IMG_1.MOV", "TWO")]
    assert plan_splits(folder) == []
    assert [split.members for split in plan_splits([folder[0], folder[2]])] == [(folder[2],)]
