"""What the members of a group say of their dates: each what is its own, and the work of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from app.files.capture_time import Claim, Reading, choose
from app.files.capture_time.sidecars import NEAREST, Sidecars
from app.filing.dating import Dated, claims_of, lead_gone_on, record, taken_over
from app.model import Asset, AssetStatus
from tests.work import assert_grows_evenly


def test_a_photo_without_a_takeout_file_has_that_of_the_photo_it_was_made_from() -> None:
    exported = [f"IMG_1_BURST{n:03d}.jpg.json".encode() for n in range(100)]
    media = [name[: -len(b".json")] for name in exported] + [b"IMG_1_BURST042-edited.jpg", b"IMG_1_BURST07.jpg"]
    sidecars = Sidecars(media, exported)
    assert sidecars.of(b"IMG_1_BURST041.jpg") == [b"IMG_1_BURST041.jpg.json"]
    assert sidecars.of(b"IMG_1_BURST042-edited.jpg")[0] == b"IMG_1_BURST042.jpg.json"
    assert len(sidecars.of(b"IMG_1_BURST042-edited.jpg")) == NEAREST


def test_which_takeout_file_is_nearest_does_not_depend_on_the_order_in_which_they_came() -> None:
    exported = [b"IMG_1.jpg.json", b"IMG_1-edited.png.json", b"IMG_1.png.json"]
    media = [b"IMG_1.jpg", b"IMG_1.png", b"IMG_1-edited.jpg"]
    found = Sidecars(media, exported).of(b"IMG_1-edited.jpg")
    assert found == Sidecars(media, exported[::-1]).of(b"IMG_1-edited.jpg")
    assert found[0] == b"IMG_1-edited.png.json"


def test_what_comes_late_takes_over_the_doubt_about_a_clock_that_was_reset_and_a_film_keeps_its_own_date() -> None:
    photo = Asset(1, 1, b"2000/01/01/I.JPG", AssetStatus.ARCHIVED, 1, 0, 0, 0, 0, taken_from="exif",
                  taken_local="2000-01-01T00:03:12", taken_at="1999-12-31T23:03:12+00:00")  # fmt: skip
    film, edits = (Asset(2, 1, name, AssetStatus.UNIQUE, 1, 0, 0, 0, 0) for name in (b"I.MOV", b"I.AAE"))
    assert lead_gone_on([film, edits], [photo]) is None
    assert lead_gone_on([edits], [photo]) is photo
    of_edits = Dated(edits, choose([], edits.path, 0, UTC, datetime(2024, 5, 6, tzinfo=UTC)))
    assert taken_over(of_edits, photo)["taken_from"] == "exif"
    assert record(of_edits, of_edits, before=photo).confidence == "weak"


def burst(count: int) -> tuple[list[Asset], dict[int, Reading]]:
    names = [f"in/IMG_1_BURST{n:04d}.jpg{ending}".encode() for n in range(count) for ending in ("", ".json", ".xmp")]
    group = [Asset(number, 1, name, AssetStatus.UNIQUE, 1, 0, 0, 0, 0) for number, name in enumerate(names, start=1)]
    return group, {a.id: Reading(a.id, (Claim("takeout", f"{a.id}"),)) for a in group}


def test_every_photo_of_a_group_has_its_own_claims_and_those_of_its_sidecars() -> None:
    group, readings = burst(3)
    claims = claims_of(group, readings)
    said = {asset_id: [int(claim.text) for claim in of_asset] for asset_id, of_asset in claims.items()}
    assert said == {1: [1, 3, 2], 2: [2], 3: [3], 4: [4, 6, 5], 5: [5], 6: [6], 7: [7, 9, 8], 8: [8], 9: [9]}


def test_sidecars_of_a_copy_in_another_folder_tell_of_the_photo_whatever_the_copy_was_called() -> None:
    names = (b"a/X.jpg", b"a/X.MOV", b"b/X.jpg.json", b"c/Y.jpg.xmp", b"c/Y.thm", b"d/X.jpg.xmp")
    group = [Asset(number, 1, name, AssetStatus.UNIQUE, 1, 0, 0, 0, 0) for number, name in enumerate(names, start=1)]
    claims = claims_of(group, {a.id: Reading(a.id, (Claim("takeout", f"{a.id}"),)) for a in group})
    assert [claim.text for claim in claims[1]] == ["1", "3", "4", "6"]
    assert [claim.text for claim in claims[2]] == ["2", "3", "4", "5"]


def test_the_work_of_a_groups_claims_grows_evenly_with_its_size() -> None:
    def claiming(count: int) -> Callable[[], object]:
        group, readings = burst(count)
        return lambda: claims_of(group, readings)

    assert_grows_evenly(claiming, 50)
