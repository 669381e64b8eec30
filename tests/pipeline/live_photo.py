"""The halves of a Live Photo, each with the identifier that both share."""

from __future__ import annotations

from tests.files import camera_files
from tests.files.test_reading_formats import apple_movie
from tests.files.tiff_data import Shot, apple_note


def still(identifier: str, taken: str = "2024:05:06 10:00:00") -> bytes:
    return camera_files.jpeg(Shot(taken, make="Apple", model=identifier, maker_note=apple_note(identifier)))


def film(identifier: str, taken: str = "2024-05-07T00:30:00+0200") -> bytes:
    return apple_movie({"content.identifier": identifier, "creationdate": taken})
