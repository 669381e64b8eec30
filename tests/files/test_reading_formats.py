"""What files of every kind say beside their dates, and dates that are written in unusual ways."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.files.capture_time import Reading
from app.files.capture_time.formats import format_of
from app.files.capture_time.told import Odd, Told
from app.files.capture_time.window import Window
from tests.files import camera_files as files
from tests.files.media import box
from tests.files.test_agreement import read
from tests.files.tiff_data import Shot, apple_note, tiff

TAKEN = "2024:05:06 07:08:09"
SHOT = Shot(TAKEN, make="Apple", model="iPhone 15", maker_note=apple_note("ABC-123"))
AT = datetime(2023, 7, 1, 22, 30, tzinfo=UTC)


def told_by(content: bytes) -> Told:
    """What our own readers make of a file, whatever is odd about it."""
    told, window = Told(), Window.of_bytes(content)
    kind = format_of(content)
    assert kind is not None
    try:
        kind.read(window, told)
    except Odd:
        return told
    return told


def said_of(folder: Path, content: dict[str, bytes]) -> dict[str, Reading]:
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return read(folder)


@pytest.mark.parametrize(
    "content",
    [
        files.jpeg(SHOT),
        files.jpeg(SHOT, ">"),
        files.heif(SHOT),
        files.picture("HEIF", files.exif_segment(SHOT)),
        tiff(SHOT),
    ],
)
def test_camera_and_apples_identifier_are_told_of_photos(content: bytes) -> None:
    told = told_by(content)
    assert (told.make, told.model, told.content_identifier) == ("Apple", "iPhone 15", "ABC-123")


def apple_movie(values: dict[str, str]) -> bytes:
    """A QuickTime movie with Apple's values under `com.apple.quicktime.`."""
    names = [b"com.apple.quicktime." + name.encode() for name in values]
    table = b"".join(len(name + b"-" * 8).to_bytes(4, "big") + b"mdta" + name for name in names)
    items = b""
    for number, value in enumerate(values.values(), 1):
        items += box(number.to_bytes(4, "big"), box(b"data", bytes((0, 0, 0, 1, 0, 0, 0, 0)), value.encode()))
    keys = box(b"keys", bytes(4), len(names).to_bytes(4, "big"), table)
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(13))
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"meta", handler, keys, box(b"ilst", items)))


def test_camera_and_apples_identifier_are_told_of_films() -> None:
    values = {"content.identifier": "ABC-123", "make": "Apple", "model": "iPhone 15", "software": "17.1"}
    told = told_by(apple_movie({**values, "creationdate": "2024-05-06T07:08:09+0200"}))
    assert (told.make, told.model, told.content_identifier) == ("Apple", "iPhone 15", "ABC-123")
    assert told.claims[0] == ("quicktime", "2024-05-06T07:08:09", "+0200")


def test_names_of_cameras_are_cleaned_and_cut(tmp_path: Path) -> None:
    shot = Shot(TAKEN, make="  Ma\n\x1bker\0\0", model="M" * 500)
    said = said_of(tmp_path, {"a.jpg": files.jpeg(shot), "b.jpg": files.jpeg(Shot(TAKEN, make=" \n "))})
    assert (said["a.jpg"].camera_make, said["a.jpg"].camera_model) == ("Ma ker", "M" * 64)
    assert (said["b.jpg"].camera_make, said["b.jpg"].camera_model) == (None, None)


def test_a_photo_with_its_film_inside_is_told_from_a_plain_one() -> None:
    for mark in ("GCamera_MotionPhoto", "GCamera_MicroVideo"):
        assert told_by(files.jpeg(Shot(TAKEN, xmp=files.xmp_packet(**{mark: "1"})))).motion_photo
        assert not told_by(files.jpeg(Shot(TAKEN, xmp=files.xmp_packet(**{mark: "0"})))).motion_photo
    table = b"SEFH" + bytes((101, 0, 0, 0, 1, 0, 0, 0)) + bytes((0, 0, 0x30, 0x0A)) + bytes(8)
    end = table + len(table).to_bytes(4, "little") + b"SEFT"
    assert told_by(files.jpeg(Shot(TAKEN, make="samsung")) + end).motion_photo
    assert told_by(files.heif(SHOT) + box(b"mpvd", bytes(8))).motion_photo
    assert not told_by(files.jpeg(SHOT)).motion_photo


def test_time_of_satellites_and_fractions_are_told() -> None:
    shot = Shot(TAKEN, fraction="25", offset="-05:00", gps_date="2024:05:06", gps_time=(12, 8, 9))
    assert told_by(files.jpeg(shot)).claims == [
        ("exif", TAKEN + ".25", "-05:00"),
        ("gps", "2024:05:06 12:08:09", "utc"),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0000:00:00 00:00:00"), (1_688_250_600, "2023:07:01 22:30:00"), (3_771_095_400, "2023:07:01 22:30:00")],
)
def test_a_films_clock_counts_from_1904_or_by_mistake_from_1970(seconds: int, text: str) -> None:
    header = box(b"mvhd", bytes(4) + seconds.to_bytes(4, "big") + bytes(92))
    assert told_by(box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", header)).claims == [("mvhd", text, "utc")]


def test_the_time_of_a_track_stands_in_for_a_film_without_one() -> None:
    track = box(b"trak", box(b"tkhd", bytes(4) + (3_771_095_400).to_bytes(4, "big") + bytes(84)))
    content = box(b"ftyp", b"isom\0\0\0\0isom") + box(b"moov", box(b"mvhd", bytes(100)), track)
    assert told_by(content).claims == [("mvhd", "2023:07:01 22:30:00", "utc")]


def test_sonys_and_international_texts_of_films_are_told() -> None:
    sony = b'<NonRealTimeMeta><CreationDate value="2019-05-06T07:08:09+02:00"/>'
    sony += b'<Device manufacturer="Sony" modelName="ILCE-7"/></NonRealTimeMeta>'
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"nrtm", bytes(13)), box(b"xml ", sony))
    user = box(b"udta", box(b"\xa9day", b"\0\x19\x55\xc4" + b"2010-05-06T07:08:09+0200\0"))
    start = box(b"ftyp", b"XAVC\0\0\0\0XAVC")
    told = told_by(start + box(b"moov", meta))
    assert (told.claims[0], told.model) == (("quicktime", "2019-05-06T07:08:09", "+02:00"), "ILCE-7")
    assert told_by(start + box(b"moov", user)).claims[0] == ("quicktime", "2010-05-06T07:08:09", "+0200")


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("Sat, 1 Jul 2023 12:00:00 +0200", ("2023:07:01 12:00:00", "+02:00")),
        ("1 Jul 2023 12:00:00 -0330", ("2023:07:01 12:00:00", "-03:30")),
        ("2023-07-01T12:00:00+02:00", ("2023-07-01T12:00:00", "+02:00")),
        ("2023:07:01 12:00:00", ("2023:07:01 12:00:00", "local")),
        ("99 Foo 2023 99:99:99", ("99 Foo 2023 99:99:99", "local")),
    ],
)
def test_the_text_of_a_png_tells_when_it_was_made(text: str, claim: tuple[str, str]) -> None:
    texts, buffer = PngInfo(), io.BytesIO()
    texts.add_text("Creation Time", text)
    texts.add_text("Software", "1 Jul 1999 12:00:00")
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=texts)
    assert told_by(buffer.getvalue()).claims == [("exif_digitized", *claim)]


def test_what_a_photo_was_made_from_does_not_date_it() -> None:
    inner = b'<y:Ingredients xmlns:y="y"><rdf:Bag><rdf:li xmp:CreateDate="1999-01-01"/></rdf:Bag></y:Ingredients>'
    packet = files.xmp_packet(tiff_Make="Maker").replace(
        b'Make="Maker"/>', b'Make="Maker">' + inner + b"</rdf:Description>"
    )
    told = told_by(files.jpeg(Shot(xmp=packet)))
    assert (told.make, told.claims) == ("Maker", [])
