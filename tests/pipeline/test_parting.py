"""Which photos and films of one name are parted by their days, without a service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from app.db.capture_records import CaptureRecord, Told
from app.db.rebuild_entries import Shot
from app.model import Asset, AssetStatus
from app.pipeline.parting import list_taken, plan_parts
from app.pipeline.rebuild.parted import plan_days
from app.pipeline.spans import Moment, camera_of


class File(NamedTuple):
    """A file of a group: when it says itself that it was taken, by which camera, whether it is archived, its content
    identifier."""

    name: str
    taken: str = ""
    archived: bool = False
    identifier: str | None = None
    camera: tuple[str | None, str | None] = (None, None)


def parts_of(files: Sequence[File]) -> dict[str, list[str]]:
    assets = [
        Asset(
            id=number, root_id=1, path=file.name.encode(), size_bytes=1, mtime_ns=1, ctime_ns=1, device=1, inode=number,
            group_id=1, content_identifier=file.identifier,
            status=AssetStatus.ARCHIVED if file.archived else AssetStatus.UNIQUE,
        )
        for number, file in enumerate(files)
    ]  # fmt: skip
    taken = {
        a.id: Moment(datetime.fromisoformat(f.taken), a.id, camera_of(*f.camera)) if f.taken else None
        for a, f in zip(assets, files, strict=True)
    }
    here = [asset for asset in assets if asset.status is AssetStatus.UNIQUE]
    parts = plan_parts(here, [asset for asset in assets if asset not in here], taken)
    return {day: sorted(asset.path.decode() for asset in members) for day, members in parts.items()}


PHOTO = File("IMG_1.JPG", "2024-05-06 10:00")
CANON, PHONE = ("Canon", "Canon EOS 5D"), ("Apple", "iPhone 8")
EVENING = File("IMG_1.JPG", "2019-05-01 18:00", camera=CANON)
MORNING = File("IMG_1.HEIC", "2019-05-02 09:00", camera=PHONE)
CASES = {
    "a film of another year": ([PHOTO, File("IMG_1.MOV", "2021-05-06 10:00")], {"2021-05-06": ["IMG_1.MOV"]}),
    "a film of that moment": ([PHOTO, File("IMG_1.MOV", "2024-05-06 10:00:02")], {}),
    "a film in a zone at the other end of the world": ([PHOTO, File("IMG_1.MOV", "2024-05-07 12:00")], {}),
    "a film of another day and this photo's identifier": (
        [PHOTO._replace(identifier="A"), File("IMG_1.MOV", "2021-05-06", identifier="A")], {}),
    "a film without a date": ([PHOTO, File("IMG_1.MOV")], {}),
    "a photo without a date": ([File("IMG_1.JPG"), File("IMG_1.MOV", "2021-05-06")], {}),
    "an archived film": ([PHOTO, File("IMG_1.MOV", "2021-05-06", archived=True)], {"2024-05-06": ["IMG_1.JPG"]}),
    "an archived photo without a date": ([File("IMG_1.CR2", archived=True), PHOTO], {}),
    "an export that was edited a year later": ([PHOTO, File("IMG_1-edited.jpg", "2025-01-01")], {}),
    "an edited photo beside two": (
        [PHOTO, File("IMG_1.CR2", "2021-05-06 10:00"), File("IMG_E0001.JPG"), File("IMG_1~2.jpg", "2024-05-06 11:00")],
        {"2024-05-06": ["IMG_1.JPG", "IMG_1~2.jpg"]}),
    "sidecars of whole names, and of the stem": (
        [PHOTO, File("IMG_1.CR2", "2021-05-06"), File("IMG_1.JPG.xmp"), File("IMG_1.CR2.xmp"), File("IMG_1.AAE")],
        {"2024-05-06": ["IMG_1.JPG", "IMG_1.JPG.xmp"]}),
    "what only films have": (
        [PHOTO, File("IMG_1.MP4", "2022-02-02"), File("IMG_1.SRT"), File("IMG_1.AAE")],
        {"2022-02-02": ["IMG_1.MP4", "IMG_1.SRT"]}),
    "what only films have, beside two of one stem": (
        [PHOTO, File("IMG_1.MP4", "2022-02-02"), File("IMG_1.MOV", "2024-05-06 10:00:02"), File("IMG_1.SRT")],
        {"2022-02-02": ["IMG_1.MP4"]}),
    "films of one day, far from the photo": (
        [PHOTO, File("IMG_1.MOV", "2021-05-06 10:00"), File("IMG_1.MP4", "2021-05-06 11:00"), File("IMG_1.MOV.xmp")],
        {"2021-05-06": ["IMG_1.MOV", "IMG_1.MOV.xmp", "IMG_1.MP4"]}),
    "a film that was edited years later": ([PHOTO, File("IMG_E0001.MOV", "2026-05-06 10:00")], {}),
    "two cameras, evening and morning": (
        [EVENING, MORNING, File("IMG_1.HEIC.xmp")], {"2019-05-02 apple iphone 8": ["IMG_1.HEIC", "IMG_1.HEIC.xmp"]}),
    "two cameras, one of them archived": (
        [EVENING, MORNING._replace(archived=True)], {"2019-05-01 canon eos 5d": ["IMG_1.JPG"]}),
    "three cameras on one day": (
        [EVENING, EVENING._replace(name="IMG_1.CR2"), MORNING._replace(taken="2019-05-01 19:00"),
         File("IMG_1.NEF", "2019-05-01 20:00", camera=("NIKON CORPORATION", "NIKON D70"))],
        {"2019-05-01 apple iphone 8": ["IMG_1.HEIC"], "2019-05-01 nikon d70": ["IMG_1.NEF"]}),
    "two cameras within a minute": ([EVENING, MORNING._replace(taken="2019-05-01 18:00:59")], {}),
    "one camera, called differently": (
        [File("IMG_1.NEF", "2019-05-01 18:00", camera=("NIKON CORPORATION", "NIKON D70")),
         File("IMG_1.JPG", "2019-05-01 20:00", camera=("Nikon", "D70"))], {}),
    "one camera, and one that is not known": ([EVENING, MORNING._replace(camera=(None, None))], {}),
    "makers alone": (
        [EVENING._replace(camera=("Canon", None)), MORNING], {"2019-05-02 apple iphone 8": ["IMG_1.HEIC"]}),
    "two cameras, edited and filmed by one of them": (
        [EVENING, MORNING, File("IMG_E0001.JPG"), File("IMG_1~2.jpg", "2019-05-01 21:00", camera=PHONE),
         File("IMG_1.MOV", "2019-05-02 09:00:02")],
        {"2019-05-02 apple iphone 8": ["IMG_1.HEIC", "IMG_1.MOV", "IMG_1~2.jpg"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_of_another_day_leaves_its_group(case: str) -> None:
    files, expected = CASES[case]
    assert parts_of(files) == expected
    assert parts_of(files[::-1]) == expected


def a_shot(group: int, taken: str, name: str = "IMG_1.JPG", source: str = "exif") -> Shot:
    return Shot(f"a/{name}".encode(), 1, group, taken, source)


SHOTS = {
    "one shot, numbered anew": ([a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2019-05-01T18:00:01", "IMG_1.CR2")], {}),
    "two shots of one day": (
        [a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2019-05-01T19:00:00"), a_shot(3, "2019-05-01T20:00:00")],
        {2: "2019-05-01 19:00:00", 3: "2019-05-01 20:00:00"}),
    "another day": ([a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2019-05-02T09:00:00")], {2: "2019-05-02"}),
    "an edited one": ([a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2019-05-02T09:00:00", "IMG_1~2.jpg")], {}),
    "a film of years later": (
        [a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2022-05-02T09:00:00", "IMG_1.MP4", "mvhd")], {2: "2022-05-02"}),
    "another one's date": ([a_shot(1, "2019-05-01T18:00:00"), a_shot(2, "2022-05-02T09:00:00", source="sibling")], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", SHOTS)
def test_a_rebuild_finds_the_groups_that_were_parted(case: str) -> None:
    shots, expected = SHOTS[case]
    assert dict(plan_days(shots)) == dict(plan_days(shots[::-1])) == expected


def test_only_the_json_of_its_own_name_tells_what_parts_a_photo() -> None:
    names = (b"IMG_6.JPG", b"IMG_6.PNG", b"IMG_6-edited.JPG", b"IMG_6.JPG.json", b"IMG_6.PNG.supplemental-met.json")
    files = [Asset(n, 1, name, AssetStatus.UNIQUE, 1, 1, 1, 1, 1, group_id=1) for n, name in enumerate(names)]
    told = {
        n: CaptureRecord(n, (Told("takeout", f"2018-0{n + 1}-02 10:00:00", "utc"),), None, None, "likely")
        for n in range(3)
    }
    taken = list_taken(files[:3], told, UTC, datetime(2026, 1, 1, tzinfo=UTC), files)
    assert [one and str(one.at) for one in taken.values()] == ["2018-01-02 10:00:00", "2018-02-02 10:00:00", None]
    assert plan_parts(files, [], taken) == {"2018-02-02": [files[1], files[4]]}
