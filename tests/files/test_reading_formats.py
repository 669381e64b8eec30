"""What files say beside their dates, what is said of files that cannot be read, and exiftool kept on a short lead."""

from __future__ import annotations

import io
import os
import random
import resource
import signal
import stat
import subprocess
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.files.capture_time import Reading, aside, exif_tool
from app.files.capture_time.formats import format_of
from app.files.capture_time.told import Odd, Told
from app.files.capture_time.window import Window
from tests.files import camera_files as files
from tests.files.media import box, movie
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


def test_many_texts_that_unpack_to_much_take_no_time() -> None:
    packed = b"XML:com.adobe.xmp\0\0" + zlib.compress(b"<a>" + b" " * (4 << 20) + b"</a>", 9)
    chunk = len(packed).to_bytes(4, "big") + b"zTXt" + packed + bytes(4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert told_by(b"\x89PNG\r\n\x1a\n" + chunk * 2_000).claims == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 5


BILLION = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "packet",
    [
        BILLION + files.xmp_packet(xmp_CreateDate="2024-05-06"),
        b"<a>" * 5_000,
        b"<a/>" + b"x" * 100,
        b"\xff\xfe<",
        b"x" * (5 << 20),
    ],
)
def test_hostile_xmp_tells_nothing_and_keeps_the_rest(packet: bytes) -> None:
    shot = Shot(TAKEN, xmp=packet)
    assert told_by(tiff(shot)).claims == [("exif", TAKEN, "local")]


def test_damage_in_one_part_leaves_the_others_to_be_read() -> None:
    broken = b"http://ns.adobe.com/xap/1.0/\0<a"
    segment = b"\xff\xe1" + (len(broken) + 2).to_bytes(2, "big") + broken
    photo = files.jpeg(SHOT)
    assert told_by(photo[:2] + segment + photo[2:]).claims == [("exif", TAKEN, "local")]
    assert told_by(files.heif(SHOT, xmp=b"<a")).claims == [("exif", TAKEN, "local")]


def test_what_a_photo_was_made_from_does_not_date_it() -> None:
    inner = b'<y:Ingredients xmlns:y="y"><rdf:Bag><rdf:li xmp:CreateDate="1999-01-01"/></rdf:Bag></y:Ingredients>'
    packet = files.xmp_packet(tiff_Make="Maker").replace(
        b'Make="Maker"/>', b'Make="Maker">' + inner + b"</rdf:Description>"
    )
    told = told_by(files.jpeg(Shot(xmp=packet)))
    assert (told.make, told.claims) == ("Maker", [])


@pytest.mark.parametrize(
    "content",
    [
        box(b"ftyp", b"isom\0\0\0\0isom") + b"\0\0\0\0moov" * 3,
        box(b"ftyp", b"isom\0\0\0\0isom") + b"\0\0\0\1moov" + b"\xff" * 8,
        box(b"ftyp", b"heic\0\0\0\0mif1") + box(b"meta", bytes(4), box(b"iinf", bytes(6)), box(b"iloc", bytes(9_999))),
        box(b"ftyp", b"heic\0\0\0\0mif1") + b"".join(box(b"free") for _ in range(100_000)),
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0abcd\0\0\0\0" * 100_000,
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000,
        b"II*\0" + bytes((8, 0, 0, 0)) + b"\xff\xff" + bytes(900_000),
        b"RIFF\xff\xff\xff\xffWEBP" + b"ANMF\0\0\0\0" * 100_000,
        b"\x1aE\xdf\xa3\x80" + b"\x18\x53\x80\x67\x80" * 100_000,
        b"FUJIFILMCCD-RAW " + b"\xff" * 1_000,
        b"FOVb" + b"\0\0\0\0" * 100,
        b"\x47" * 1_000_000,
    ],
)  # fmt: skip
def test_endless_and_senseless_structures_end_soon_and_tell_nothing(content: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert told_by(content).claims == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 5


def test_without_exiftool_what_it_alone_reads_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    content = {"a.crw": b"II\x1a\0\0\0HEAPCCDR" + bytes(100), "a.r3d": b"\0\0\1\0RED1" + bytes(100),
               "a.mts": camcorder_without_date(), "a.jpg": files.jpeg(SHOT), "b.jpg": b"text" * 20}  # fmt: skip
    said = said_of(tmp_path, content)
    for name in ("a.crw", "a.r3d", "a.mts"):
        assert said[name].note == "its date may be where only exiftool reads it, which is not installed"
    assert (said["a.jpg"].note, said["a.jpg"].claims[0].text) == ("", TAKEN)
    assert said["b.jpg"].note == "it is not the photo or video that its name says"


def camcorder_without_date() -> bytes:
    return (b"\x47\x40\x11\x10" + bytes(184)) * 20


def test_damage_is_named_and_no_other_file_is_called_damaged(tmp_path: Path) -> None:
    film, photo = movie(AT), files.jpeg(SHOT)
    content = {
        "empty.jpg": b"", "cut.mov": film[:40], "cut.jpg": photo[:40], "undated.jpg": files.picture("JPEG"),
        "undated.png": files.picture("PNG"), "a.gif": files.gif(b""), "a.bmp": files.picture("BMP"),
        "whole.jpg": photo, "whole.mov": film, "a.mts": camcorder_without_date(),
    }  # fmt: skip
    notes = {name: said.note for name, said in said_of(tmp_path, content).items() if said.note}
    assert notes.pop("empty.jpg") == "the file is empty"
    assert set(notes) == {"cut.mov", "cut.jpg"}
    assert all(note.startswith("it is damaged or too large to open: ") for note in notes.values())


FAULTS = (ValueError,)


def hang(told: Told) -> None:
    told.date("exif", TAKEN)
    while True:
        pass


def crash(_told: Told) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(told: Told) -> None:
    told.date("exif", TAKEN)
    raise ValueError


def succeed(told: Told) -> None:
    told.date("exif", TAKEN)
    told.camera("Maker", None)


def test_a_library_that_hangs_or_crashes_costs_its_own_answer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "ANSWER_SECONDS", 0.5)
    for misbehave in (hang, crash):
        told = Told(make="known")
        assert not aside.ask(misbehave, FAULTS, told)
        assert told == Told(make="known")
    told = Told()
    assert not aside.ask(fail, FAULTS, told)
    assert told == Told(claims=[("exif", TAKEN, "local")])


def test_what_a_library_tells_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "ANSWER_SECONDS", 60.0)
    told = Told(claims=[("gps", TAKEN, "utc")])
    assert aside.ask(succeed, FAULTS, told)
    assert told == Told(claims=[("gps", TAKEN, "utc"), ("exif", TAKEN, "local")], make="Maker")


def fake_exiftool(folder: Path, script: str) -> None:
    path = folder / "exiftool"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def fresh_exiftool(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(exif_tool, "_state", {})
    monkeypatch.setattr(exif_tool, "ANSWER_SECONDS", 1.0)
    return monkeypatch


@pytest.mark.parametrize(
    "script", ["exec sleep 60", "exit 1", "while :; do :; done", "echo '[]'; exec sleep 60", "yes"]
)
def test_an_exiftool_that_gives_no_answer_is_ended(
    tmp_path: Path, fresh_exiftool: pytest.MonkeyPatch, script: str
) -> None:
    fake_exiftool(tmp_path, script)
    fresh_exiftool.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "a.crw").write_bytes(b"II\x1a\0\0\0HEAPCCDR")
    with open(tmp_path / "a.crw", "rb") as file, pytest.raises(exif_tool.Silent):
        exif_tool.read(file.fileno(), Told())
    assert "tool" not in exif_tool._state


def test_exiftool_is_started_again_when_it_died_and_has_limits_of_its_own(
    tmp_path: Path, fresh_exiftool: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(files.jpeg(SHOT))
    fresh_exiftool.setattr(exif_tool, "ANSWER_SECONDS", 30.0)
    with open(tmp_path / "a.jpg", "rb") as file:
        told = Told()
        assert exif_tool.read(file.fileno(), told) == "JPEG"
        assert (told.claims[0], told.content_identifier) == (("exif", TAKEN, "local"), "ABC-123")
        process: subprocess.Popen[bytes] = exif_tool._state["tool"]._process
        assert resource.prlimit(process.pid, resource.RLIMIT_AS)[0] == exif_tool.MEMORY_BYTES
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with pytest.raises(exif_tool.Silent):
            exif_tool.read(file.fileno(), Told())
        assert exif_tool.read(file.fileno(), Told()) == "JPEG"
        exif_tool._state["tool"].end()


def test_a_file_of_random_bytes_of_any_name_is_answered(tmp_path: Path) -> None:
    chance = random.Random(3)
    endings = ["jpg", "heic", "png", "mp4", "mts", "mkv", "cr3", "raf", "x3f", "dng", "gif", "webp"]
    names = [f"a.{ending}" for ending in endings]
    said = said_of(tmp_path, {name: chance.randbytes(3_000) for name in names})
    assert set(said) == set(names)
    assert not any(reading.claims for reading in said.values())
