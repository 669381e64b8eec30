"""Thumbnails: the right way up, of every kind of file, never of what hostile files ask for, kept within a bound."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from app.files.thumbnails import maker
from app.files.thumbnails.drawing import Drawers, Drawn
from app.files.thumbnails.shelf import Shelf, is_drawable, key_of
from app.model import Asset, AssetStatus, Place, Root, RootKind, Signature
from tests.files.camera_files import film

KEY = "ab" * 32


@pytest.fixture(scope="module")
def drawers() -> Iterator[Drawers]:
    with Drawers(timeout_seconds=20) as started:
        yield started


def draw(drawers: Drawers, path: Path) -> Drawn:
    root = Root(1, RootKind.INGEST, "", os.fsencode(path.parent), "marker")
    return drawers.draw(Place(root, os.fsencode(path.name)), signature_of(path))


def signature_of(path: Path) -> Signature:
    s = path.stat()
    return Signature(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def flag(size: tuple[int, int] = (640, 320)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, *size))
    return image


def jpeg(image: Image.Image, orientation: int = 1) -> bytes:
    exif, made = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image.save(made, "JPEG", exif=exif)
    return made.getvalue()


def colours(content: bytes) -> str:
    """What the picture shows at its left, right, top and bottom: r or b."""
    with Image.open(io.BytesIO(content)) as image:
        shown = image.convert("RGB")
    wide, high = shown.size
    spots = ((2, high // 2), (wide - 3, high // 2), (wide // 2, 2), (wide // 2, high - 3))
    values = [shown.getpixel(spot) for spot in spots]
    return "".join("r" if value[0] > value[2] else "b" for value in values)  # type: ignore[index]


def side(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "WEBP" and not image.getexif()
        return image.size


def test_each_kind_of_picture_is_drawn_small_and_the_right_way_up(drawers: Drawers, tmp_path: Path) -> None:
    for kind, name in (("PNG", "a.png"), ("WEBP", "a.webp"), ("TIFF", "a.tif"), ("GIF", "a.gif"), ("AVIF", "a.avif")):
        flag().save(tmp_path / name, kind)
    pillow_heif.from_pillow(flag()).save(tmp_path / "a.heic")
    flag().convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.new("I;16", (640, 320), 40_000).save(tmp_path / "deep.png")
    Image.new("RGBA", (640, 320), (200, 30, 30, 80)).save(tmp_path / "clear.png")
    for path in sorted(tmp_path.iterdir()):
        drawn = draw(drawers, path)
        assert (drawn.note, side(drawn.content)) == ("", (256, 128)), path
    (tmp_path / "turned.jpg").write_bytes(jpeg(flag(), orientation=6))
    turned = draw(drawers, tmp_path / "turned.jpg").content
    assert side(turned) == (128, 256) and colours(turned)[2:] == "rb"


def test_a_raw_file_shows_its_largest_preview_turned_as_it_says(drawers: Drawers, tmp_path: Path) -> None:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 8, 0)
    head = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    small, large = jpeg(flag((160, 120))), jpeg(flag((1200, 600)))
    plain = io.BytesIO()
    flag((1200, 600)).save(plain, "JPEG")
    noise = os.urandom(3_000)
    (tmp_path / "a.nef").write_bytes(head + noise + small + noise + plain.getvalue() + noise)
    (tmp_path / "b.arw").write_bytes(head + noise + large + noise)
    (tmp_path / "c.dng").write_bytes(head + noise)
    drawn = draw(drawers, tmp_path / "a.nef").content
    assert side(drawn) == (128, 256) and colours(drawn)[2:] == "br"
    # This preview says itself how it stands.
    assert side(draw(drawers, tmp_path / "b.arw").content) == (256, 128)
    assert draw(drawers, tmp_path / "c.dng").note == "no preview was found in it"


def test_a_film_shows_a_frame_and_a_playlist_that_names_other_files_shows_none(
    drawers: Drawers, tmp_path: Path
) -> None:
    film(tmp_path, "a.mp4")
    assert side(draw(drawers, tmp_path / "a.mp4").content) == (176, 144)
    lured = str(tmp_path / "a.mp4")
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{lured}\n")
    (tmp_path / "joined.mov").write_text(f"ffconcat version 1.0\nfile '{lured}'\n")
    for name in ("list.mp4", "joined.mov"):
        assert draw(drawers, tmp_path / name) == Drawn(note="ffmpeg found no picture in it")


def test_bombs_damage_and_what_is_no_picture_end_in_a_note(drawers: Drawers, tmp_path: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(tmp_path / "bomb.png")
    cut = jpeg(flag())
    (tmp_path / "cut.jpg").write_bytes(cut[: len(cut) // 2])
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "svg.jpg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "broken.heic").write_bytes(b"\0\0\0\x18ftypheic" + os.urandom(4_000))
    notes = {path.name: draw(drawers, path).note for path in sorted(tmp_path.iterdir())}
    assert notes["bomb.png"] == "it has too many pixels"
    assert all(notes.values()), notes
    os.symlink(tmp_path / "text.jpg", tmp_path / "link.jpg")
    assert draw(drawers, tmp_path / "link.jpg").content == b""


def test_a_file_that_is_another_one_by_now_is_not_drawn(drawers: Drawers, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(flag()))
    root, before = Root(1, RootKind.INGEST, "", os.fsencode(tmp_path), "marker"), signature_of(path)
    path.write_bytes(jpeg(flag((320, 640))))
    assert drawers.draw(Place(root, b"a.jpg"), before).moved_on
    assert drawers.draw(Place(root, b"gone.jpg"), before).moved_on


WRITES = """
import os, sys
from app.files.thumbnails import maker
maker._limit()
try:
    with open(sys.argv[1], "wb", buffering=0) as file:
        file.write(b"x")
except OSError:
    sys.exit(0 if os.nice(0) >= maker.NICENESS else 2)
sys.exit(1)
"""


def test_the_drawing_process_can_write_no_file_and_yields_to_others(tmp_path: Path) -> None:
    home = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", WRITES, tmp_path / "x"], cwd=home, check=False)
    assert done.returncode == 0 and maker.MEMORY_BYTES <= 1 << 30


def test_the_shelf_keeps_what_is_newest_within_its_bound_and_forgets_old_notes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.read(KEY) is None and shelf.used_bytes() == 0
    shelf.note(KEY, "damaged")
    assert shelf.has(KEY) and shelf.why_none(KEY) == "damaged"
    shelf.put(KEY, b"RIFF" + bytes(996))
    assert shelf.read(KEY) and shelf.why_none(KEY) is None
    for n in range(10):
        key = f"{n:02d}" * 32
        shelf.put(key, b"RIFF" + bytes(996))
        os.utime(shelf.folder / key[:2] / f"{key}.webp", (1_000_000 + n, 1_000_000 + n))
    assert shelf.used_bytes() == 11_000
    assert shelf.prune(5_000) == 4_000
    left = sorted(path.name[:2] for path in shelf.folder.rglob("*.webp"))
    assert left == ["07", "08", "09", "ab"]
    shelf.note("cd" * 32, "ffmpeg is not installed, which draws films")
    os.utime(shelf.folder / "cd" / f"{'cd' * 32}.txt", (1_000_000, 1_000_000))
    assert not shelf.has("cd" * 32)
    (shelf.folder / "ab" / f"{KEY}.webp").write_bytes(b"")
    assert shelf.read(KEY) is None


def test_the_same_content_has_one_thumbnail_wherever_it_lies() -> None:
    asset = Asset(7, 1, b"a.jpg", AssetStatus.ARCHIVED, 10, 20, 30, 1, 2, sha256="cd" * 32)
    moved = Asset(9, 2, b"2024/a_1.jpg", AssetStatus.DUPLICATE, 10, 20, 99, 3, 4, sha256="cd" * 32)
    unread = Asset(7, 1, b"a.jpg", AssetStatus.DISCOVERED, 10, 20, 30, 1, 2)
    assert key_of(asset) == key_of(moved) != key_of(unread)
    assert [is_drawable(name) for name in (b"a.JPG", b"b.mov", b"c.thm", b"d.xmp", b"e.json", b"f")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
