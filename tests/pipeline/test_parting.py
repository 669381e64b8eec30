"""Which photos and films of one name are parted by their days, without a service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import pytest

from app.model import Asset, AssetStatus
from app.pipeline.parting import plan_parts


class File(NamedTuple):
    """A file of a group: when its camera says it was taken, whether it is archived, its content identifier."""

    name: str
    taken: str = ""
    archived: bool = False
    identifier: str | None = None


def parts_of(files: Sequence[File]) -> dict[str, list[str]]:
    assets = [
        Asset(
            id=number, root_id=1, path=file.name.encode(), size_bytes=1, mtime_ns=1, ctime_ns=1, device=1, inode=number,
            group_id=1, content_identifier=file.identifier,
            status=AssetStatus.ARCHIVED if file.archived else AssetStatus.UNIQUE,
        )
        for number, file in enumerate(files)
    ]  # fmt: skip
    taken = {a.id: datetime.fromisoformat(f.taken) if f.taken else None for a, f in zip(assets, files, strict=True)}
    here = [asset for asset in assets if asset.status is AssetStatus.UNIQUE]
    parts = plan_parts(here, [asset for asset in assets if asset not in here], taken)
    return {day: sorted(asset.path.decode() for asset in members) for day, members in parts.items()}


PHOTO = File("IMG_1.JPG", "2024-05-06 10:00")
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
    "films of one day, far from the photo": (
        [PHOTO, File("IMG_1.MOV", "2021-05-06 10:00"), File("IMG_1.MP4", "2021-05-06 11:00"), File("IMG_1.MOV.xmp")],
        {"2021-05-06": ["IMG_1.MOV", "IMG_1.MOV.xmp", "IMG_1.MP4"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_of_another_day_leaves_its_group(case: str) -> None:
    files, expected = CASES[case]
    assert parts_of(files) == expected
    assert parts_of(files[::-1]) == expected
