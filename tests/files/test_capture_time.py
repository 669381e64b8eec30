"""When was it taken: what files of every kind say, what is believed, and what hostile files can do (nothing)."""

from __future__ import annotations

import os
import random
import resource
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.files.capture_time import CaptureReaders, CaptureTime, Claim, Reading, choose, read_capture_time
from app.files.digest import Wanted
from app.files.walk import signature_at
from app.model import Place, Root, RootKind
from tests.files.media import exif_bytes, movie, picture

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MTIME_NS = 1_700_000_000_000_000_000
TAKEN = "2024:05:06 07:08:09"


def local(*parts: int) -> datetime:
    """A wall time, as a file tells it."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - without a zone on purpose


def place(folder: Path, name: str) -> Place:
    return Place(Root(1, RootKind.INGEST, "", os.fsencode(folder), "marker"), os.fsencode(name))


def taken(folder: Path, name: str, content: bytes) -> CaptureTime:
    (folder / name).write_bytes(content)
    return read_capture_time(place(folder, name), MTIME_NS, BERLIN)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP"), ("a.tif", "TIFF"), ("a.dng", "TIFF"), ("a.avif", "AVIF"),
     ("a.heic", "HEIF"), ("a named wrongly.mov", "JPEG")],
)  # fmt: skip
def test_the_exif_date_of_every_kind_of_picture_is_read(tmp_path: Path, name: str, kind: str) -> None:
    found = taken(tmp_path, name, picture(kind, exif_bytes(TAKEN)))
    assert (found.taken_local, found.source, found.weak) == (local(2024, 5, 6, 7, 8, 9), "exif", False)
    assert found.taken_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)


def test_offset_and_fraction_make_the_instant_exact(tmp_path: Path) -> None:
    found = taken(tmp_path, "a.jpg", picture("JPEG", exif_bytes(TAKEN, offset="-05:00", fraction="25")))
    assert found.taken_local == local(2024, 5, 6, 7, 8, 9, 250_000)
    assert found.taken_at == datetime(2024, 5, 6, 12, 8, 9, 250_000, tzinfo=UTC)


def test_the_digitized_date_stands_in_for_a_date_that_cannot_be(tmp_path: Path) -> None:
    found = taken(tmp_path, "a.jpg", picture("JPEG", exif_bytes("0000:00:00 00:00:00", "2020:01:02 03:04:05")))
    assert (found.taken_local, found.source) == (local(2020, 1, 2, 3, 4, 5), "exif_digitized")
    assert found.candidates[0].rejected


def test_a_movie_tells_its_local_date_or_else_utc(tmp_path: Path) -> None:
    created = datetime(2023, 7, 1, 22, 30, tzinfo=UTC)
    apple = taken(tmp_path, "a.mov", movie(created, "2023-07-02T00:30:00+0200"))
    assert (apple.taken_local, apple.source) == (local(2023, 7, 2, 0, 30), "quicktime")
    plain = taken(tmp_path, "b.mp4", movie(created, brand=b"isom"))
    assert (plain.taken_local, plain.taken_at, plain.source) == (local(2023, 7, 2, 0, 30), created, "mvhd")
    empty = taken(tmp_path, "c.mp4", movie(brand=b"isom"))
    assert (empty.source, empty.weak) == ("mtime", True)


@pytest.mark.parametrize(
    "text",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "1904:01:01 00:00:00", "1970:01:01 00:00:00", "1980:01:01 00:00:00",
     "2026:01:03 00:00:01",
     "2024:02:30 10:00:00", "2023:07:01 24:00:00", "\0\0\0", "", "garbage", "9999:12:31 23:59:59"],
)  # fmt: skip
def test_a_value_that_cannot_be_is_passed_over_with_a_reason(text: str) -> None:
    found = choose([Claim("exif", text)], b"a.jpg", MTIME_NS, UTC, NOW)
    assert (found.source, found.weak) == ("mtime", True)
    assert found.candidates[0].rejected
    assert found.note.startswith("its exif date")


def test_trailing_nuls_and_tomorrow_in_another_zone_are_believed() -> None:
    assert choose([Claim("exif", "2024:05:06 07:08:09\0")], b"a.jpg", MTIME_NS, UTC, NOW).source == "exif"
    assert choose([Claim("exif", "2026:01:01 13:00:00")], b"a.jpg", MTIME_NS, UTC, NOW).source == "exif"


@pytest.mark.parametrize(
    ("name", "wall_time"),
    [
        (b"IMG_20230701_235959.jpg", local(2023, 7, 1, 23, 59, 59)),
        (b"PXL_20230701_233000123.jpg", local(2023, 7, 2, 1, 30, 0, 123_000)),
        (b"IMG-20230701-WA0001.jpg", local(2023, 7, 1)),
        (b"Screenshot_2023-07-01-12-34-56.png", local(2023, 7, 1, 12, 34, 56)),
        (b"2023-07-01 12.34.56.jpg", local(2023, 7, 1, 12, 34, 56)),
        (b"20230701123456.jpg", local(2023, 7, 1, 12, 34, 56)),
        (b"signal-2023-07-01-12-34-56-789.jpg", local(2023, 7, 1, 12, 34, 56)),
        (b"VID_20230701_123456.mp4", local(2023, 7, 1, 12, 34, 56)),
    ],
)
def test_a_date_in_the_name_is_better_than_the_modification_time(name: bytes, wall_time: datetime) -> None:
    found = choose([], name, MTIME_NS, BERLIN, NOW)
    assert (found.taken_local, found.source, found.weak) == (wall_time, "filename", False)


@pytest.mark.parametrize("name", [b"IMG_1234.jpg", b"DSC20231399.jpg", b"1234567890123456.jpg", b"18991231.jpg"])
def test_other_numbers_in_a_name_are_no_date(name: bytes) -> None:
    assert choose([], name, MTIME_NS, UTC, NOW).source == "mtime"


def test_the_configured_zone_decides_the_day_in_summer_and_winter() -> None:
    for month, hour in ((1, 23), (7, 22)):
        found = choose([Claim("mvhd", f"2023-{month:02d}-01 {hour}:30:00", "utc")], b"a.mp4", MTIME_NS, BERLIN, NOW)
        assert found.taken_local == local(2023, month, 2, 0, 30)


@pytest.mark.parametrize("mtime_ns", [-(10**25), 10**25, -(10**18), 0])
def test_any_modification_time_gives_some_date(mtime_ns: int) -> None:
    assert choose([], b"a.jpg", mtime_ns, BERLIN, NOW).weak


def bomb() -> bytes:
    """A PNG that says it has 80 million pixels, in 80 kB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = struct.pack(">IIBBBBB", 10_000, 8_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_001 * 8_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def read_all(folder: Path) -> dict[str, Reading]:
    names = sorted(os.listdir(folder))
    wanted = []
    for key, name in enumerate(names):
        where = place(folder, name)
        signature = signature_at(where.root, where.path)
        assert signature is not None
        wanted.append(Wanted(key, where, signature))
    with CaptureReaders(1) as readers:
        return {names[r.key]: r for r in readers.read(wanted) if r is not None}


def test_damage_and_bombs_end_in_a_note_and_stop_nothing(tmp_path: Path) -> None:
    whole = picture("JPEG", exif_bytes(TAKEN))
    tiff = picture("TIFF", exif_bytes(TAKEN))
    files = {
        "bomb.png": bomb(),
        "empty.jpg": b"",
        "garbage.jpg": random.Random(5).randbytes(5_000),
        "garbage.mp4": b"\0\0\0\x18ftypisom" + random.Random(6).randbytes(5_000),
        "truncated.tif": tiff[:100],
        "truncated early.jpg": whole[:30],
        "endless.mov": box_of_size_zero(),
        "whole.jpg": whole,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = read_all(tmp_path)
    assert set(found) == set(files)
    assert [c.text for c in found["whole.jpg"].claims] == [TAKEN]
    for name in ("empty.jpg", "garbage.jpg"):
        assert found[name].note
    for name in files.keys() - {"whole.jpg"}:
        judged = choose(found[name].claims, b"x", MTIME_NS, UTC, NOW, found[name].note)
        assert judged.source == "mtime"
        assert judged.note


def box_of_size_zero() -> bytes:
    nested = b"".join(struct.pack(">I", 8 * (200 - i)) + b"moov" for i in range(200))
    return b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + nested


def test_mutated_files_never_stop_the_reading(tmp_path: Path) -> None:
    numbers = random.Random(9)
    seeds = [picture(k, exif_bytes(TAKEN)) for k in ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF")] + [movie(NOW)]
    for i in range(120):
        content = bytearray(seeds[i % len(seeds)])
        for _ in range(numbers.randint(1, 20)):
            content[numbers.randrange(len(content))] = numbers.randrange(256)
        (tmp_path / f"{i}.jpg").write_bytes(content[: numbers.randint(1, len(content))])
    assert len(read_all(tmp_path)) == 120
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 512 * 1024


def test_a_file_that_was_replaced_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(picture("JPEG", exif_bytes(TAKEN)))
    where = place(tmp_path, "a.jpg")
    signature = signature_at(where.root, where.path)
    assert signature is not None
    path.write_bytes(b"another")
    with CaptureReaders(1) as readers:
        assert [r.moved_on for r in readers.read([Wanted(0, where, signature)]) if r is not None] == [True]


def test_reading_never_changes_a_file(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG", "TIFF", "HEIF"):
        (tmp_path / f"a.{kind.lower()}").write_bytes(picture(kind, exif_bytes(TAKEN)))
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in tmp_path.iterdir()}
    read_all(tmp_path)
    assert before == {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in tmp_path.iterdir()}
