"""Which member of a group says its date: as files are inspected, and again as they are filed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.config.schema import Sorter
from app.files.belonging import is_edited
from app.files.capture_time import Claim, choose
from app.filing import choose as filing
from app.filing.dating import Dated, choose_lead, columns, disagreement
from app.filing.group_values import Circumstances
from app.model import Asset, AssetStatus

PRESENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
GIVEN = Circumstances(PRESENT.date(), ZONE)

#: By what is tried: each file with what is claimed for it; the first is the lead.
File = tuple[str, Sequence[Claim]]
LEADS: dict[str, list[File]] = {
    "an edited photo with an earlier date": [
        ("IMG_2000.JPG", [Claim("exif", "2019:09:09 10:00:00")]),
        ("IMG_E2000.JPG", [Claim("exif", "2011:11:11 10:00:00")])],
    "a short name of an edited photo": [
        ("Tour.jpg", [Claim("exif", "2017:07:07 10:00:00")]), ("Tour~1.jpg", [Claim("exif", "2016:06:06 10:00:00")])],
    "an editor that wrote UTC": [
        ("IMG_1.JPG", [Claim("exif", "2019:07:02 00:30:00", "+02:00")]),
        ("IMG_1-edited.JPG", [Claim("exif", "2019:07:01 22:30:00")])],
    "an editor that wrote an offset": [
        ("IMG_2.JPG", [Claim("exif", "2019:07:02 00:30:00")]),
        ("IMG_2-bearbeitet.JPG", [Claim("exif", "2019:07:01 22:30:00", "+00:00")])],
    "an original of which a camera is only likely": [
        ("IMG_3.JPG", [Claim("exif_digitized", "2019:07:02 10:00:00")]),
        ("IMG_3-edited.JPG", [Claim("exif", "2018:07:01 22:30:00")])],
    "an original that only an export dates": [
        ("IMG_3-edited.JPG", [Claim("exif", "2018:07:01 22:30:00")]),
        ("IMG_3.JPG", [Claim("takeout", "2017-07-02 10:00:00", "utc")])],
    "a photo with an offset": [
        ("IMG_3.HEIC", [Claim("exif", "2019:07:02 00:10:00", "+09:00")]),
        ("IMG_3.JPG", [Claim("exif", "2019:07:01 17:10:00")])],
    "an edited film": [
        ("IMG_5.MOV", [Claim("quicktime", "2019-07-02 00:30:00", "+02:00")]),
        ("IMG_E5.MOV", [Claim("mvhd", "2018-07-01 22:30:00", "utc")])],
    "a still with an earlier film": [
        ("IMG_6.HEIC", [Claim("exif", "2019:07:02 10:00:00")]),
        ("IMG_6.MOV", [Claim("quicktime", "2019-07-01 08:00:00", "+02:00")])],
}  # fmt: skip


def dated(files: Sequence[File]) -> list[Dated]:
    assets = [Asset(n, 1, b"in/" + name.encode(), AssetStatus.UNIQUE, 1, 10**18, 1, 1, 1, group_id=7)
              for n, (name, _) in enumerate(files)]  # fmt: skip
    return [Dated(a, choose(list(claims), a.path, a.mtime_ns, ZONE, PRESENT))
            for a, (_, claims) in zip(assets, files, strict=True)]  # fmt: skip


def as_if_alone(one: Dated) -> Asset:
    """What is written of a file that came in a run of its own."""
    own = columns(one, one)
    return Asset(one.asset.id, 1, one.asset.path, AssetStatus.ARCHIVED, 1, 10**18, 1, 1, 1, group_id=7,
                 taken_local=own["taken_local"], taken_at=own["taken_at"], taken_from=own["taken_from"])  # fmt: skip


@pytest.mark.parametrize("case", LEADS)
def test_the_lead_is_the_same_whether_files_come_at_once_or_one_by_one_in_any_order(case: str) -> None:
    members = dated(LEADS[case])
    alone = [as_if_alone(one) for one in members]
    assert [choose_lead(order).asset.id for order in (members, members[::-1])] == [0, 0]
    assert [filing.choose_lead(order, GIVEN).id for order in (alone, alone[::-1])] == [0, 0]


@pytest.mark.parametrize(
    ("name", "edited"),
    [(b"IMG_E1234.JPG", True), (b"IMG_1234-edited.jpg", True), (b"a-bearbeitet_1.jpg", True), (b"Tour~1.jpg", True),
     (b"IMG_1234.JPG", False), (b"IMG_O1234.AAE", False), (b"IMG_1_BURST001.jpg", False),
     (b"PXL_20190704_101112123.MP.jpg", False), (b"20231207_101605_001.jpg", False), (b"holiday-e.jpg", False)],
)  # fmt: skip
def test_what_is_edited_is_told_from_its_name(name: bytes, edited: bool) -> None:
    assert is_edited(name) is edited


def test_a_sidecar_never_leads_while_a_photo_or_video_is_in_the_group() -> None:
    photo, film, sidecar = (
        Asset(n, 1, name, AssetStatus.UNIQUE, 1, 10**18, 1, 1, 1, taken_local="2018-01-03T10:00:00",
              taken_at="2018-01-03T09:00:00+00:00", taken_from=source)
        for n, (name, source) in enumerate(
            [(b"IMG_8.JPG", "exif"), (b"IMG_8.MOV", "sibling"), (b"IMG_8.JPG.json", "sibling")])
    )  # fmt: skip
    doubtful = Circumstances(PRESENT.date(), ZONE, weak_ids={0, 1})
    settings = Sorter.model_validate({"weak_dates": "unknown_folder", "name_pattern": "{name}"})
    assert filing.choose_filing([photo, film, sidecar], settings, doubtful).folder == b"unknown-date"
    named = filing.choose_filing([sidecar, film, photo], settings, GIVEN)
    assert named.names == (b"IMG_8.JPG.json", b"IMG_8.MOV", b"IMG_8.JPG")
    assert choose_lead(dated([("IMG_8.JPG", []), ("IMG_8.THM", [Claim("exif", "2018:01:03 10:00:00")])])).asset.id == 0


def test_what_a_camera_is_sure_of_is_not_doubtful_for_the_json_of_another_photo() -> None:
    photo, edited = LEADS["an edited photo with an earlier date"]
    told = dated([photo, ("IMG_E2000.JPG", [Claim("takeout", "2011-11-11 10:00:00", "utc")])])
    assert disagreement(told, choose_lead(told)) == ""
    own = dated([photo, edited])
    assert "IMG_E2000.JPG 2011-11-11" in disagreement(own, choose_lead(own))
