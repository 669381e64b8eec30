"""The quick reader of EXIF data says what Pillow says, or nothing."""

from __future__ import annotations

import random

import pytest

from app.files.capture_time import exif, pillow
from tests.files.media import exif_bytes

DATE = "2023:07:01 12:00:00"
START = b"Exif\0\0"


def tiff(**fields: str) -> bytes:
    return exif_bytes(**fields).removeprefix(START)


@pytest.mark.parametrize(
    "fields",
    [
        {"taken": DATE},
        {"digitized": DATE},
        {"taken": DATE, "digitized": "2023:07:02 01:02:03", "offset": "+02:00", "fraction": "5"},
        {"taken": DATE, "fraction": "123456", "offset": "-09:30"},
        {"taken": "0000:00:00 00:00:00"},
    ],
)
def test_plain_data_is_read_as_pillow_reads_it(fields: dict[str, str]) -> None:
    data = tiff(**fields)
    assert exif.read(data) == pillow.read_segment(START + data) != []


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"MM\0*\0\0\0\x08", tiff(), tiff(taken="yesterday"), tiff(taken=DATE)[:60]]
)
def test_data_without_a_plain_date_is_left_to_pillow(data: bytes) -> None:
    assert exif.read(data) is None


def test_damaged_data_gives_a_well_formed_date_or_nothing() -> None:
    source, sound = random.Random(7), tiff(taken=DATE, offset="+02:00")
    for _ in range(2_000):
        damaged = bytearray(sound)
        for _ in range(source.randint(1, 4)):
            damaged[source.randrange(len(damaged))] = source.choice((0, 1, 3, 255))
        found = exif.read(bytes(damaged[: source.randint(0, len(damaged) * 2)]))
        assert found is None or all(len(text) == len(DATE) for _, text, _ in found)
