"""EXIF data: our reader says what Pillow says, and damage gives a well-formed date or nothing."""

from __future__ import annotations

import io
import random

import pytest

from app.files.capture_time import exif, pillow
from app.files.capture_time.told import Odd, Told
from app.files.capture_time.window import Window
from tests.files.media import exif_bytes, picture

DATE = "2023:07:01 12:00:00"
START = b"Exif\0\0"


def tiff(**fields: str) -> bytes:
    return exif_bytes(**fields).removeprefix(START)


def ours(data: bytes) -> Told:
    told = Told()
    exif.read(Window.of_bytes(data), told)
    return told


def pillows(data: bytes) -> Told:
    told = Told()
    pillow.read_picture(io.BytesIO(picture("JPEG", START + data)), told)
    return told


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"taken": DATE},
        {"digitized": DATE},
        {"taken": DATE, "digitized": "2023:07:02 01:02:03", "offset": "+02:00", "fraction": "5"},
        {"taken": DATE, "fraction": "123456", "offset": "-09:30"},
        {"taken": "0000:00:00 00:00:00"},
        {"taken": "yesterday"},
    ],
)
def test_data_is_read_as_pillow_reads_it(fields: dict[str, str]) -> None:
    data = tiff(**fields)
    assert ours(data) == pillows(data)
    assert ours(data).make == "Maker"


@pytest.mark.parametrize("data", [b"", b"II*\0", b"MM\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff", tiff(taken=DATE)[:60]])
def test_data_that_is_cut_off_is_called_odd(data: bytes) -> None:
    with pytest.raises(Odd):
        ours(data)


def test_damage_never_ends_in_anything_but_what_is_told_or_odd() -> None:
    source, sound = random.Random(7), tiff(taken=DATE, offset="+02:00")
    for _ in range(5_000):
        damaged = bytearray(sound)
        for _ in range(source.randint(1, 4)):
            damaged[source.randrange(len(damaged))] = source.choice((0, 1, 3, 255))
        told = Told()
        try:
            exif.read(Window.of_bytes(bytes(damaged[: source.randint(0, len(damaged) * 2)])), told)
        except Odd:
            continue
        assert all(len(text) <= 100 for _, text, _ in told.claims)
