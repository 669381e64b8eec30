"""Hostile and damaged files, what is said of files that cannot be read, and libraries and exiftool on a short lead."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import zlib
from pathlib import Path

import pytest

from app.files.capture_time import aside, exif_tool, formats, reader
from app.files.capture_time.told import Told
from app.files.capture_time.window import Window
from tests.files import camera_files as files
from tests.files.media import box, movie
from tests.files.test_reading_formats import AT, SHOT, TAKEN, said_of, told_by
from tests.files.tiff_data import Shot, tiff


@pytest.mark.timeout(60)
def test_texts_that_unpack_to_much_come_to_an_end() -> None:
    packed = b"XML:com.adobe.xmp\0\0" + zlib.compress(b"<a>" + b" " * (4 << 20) + b"</a>", 9)
    chunk = len(packed).to_bytes(4, "big") + b"zTXt" + packed + bytes(4)
    assert told_by(b"\x89PNG\r\n\x1a\n" + chunk * 2_000).claims == []


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
@pytest.mark.timeout(60)
def test_endless_and_senseless_structures_come_to_an_end_and_tell_nothing(content: bytes) -> None:
    assert told_by(content).claims == []


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


def test_a_disk_that_fails_is_no_damage_of_the_file() -> None:
    unreadable = Window(b"\xff\xd8\xff\xe1\xff\xff", 1_000_000, descriptor=-1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader._read(formats.PICTURE, unreadable, Told())


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
