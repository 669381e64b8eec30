"""The sample library and the first configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pi_heif import register_heif_opener
from PIL import Image

from app.config.parse import parse

ROOT = Path(__file__).resolve().parents[2]
EXIF_IFD, TAKEN = 0x8769, 0x9003


def make(folder: Path) -> str:
    script = ROOT / "scripts" / "demo_library.py"
    return subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=True).stdout


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_sample_library_is_always_the_same_and_makes_only_what_is_missing(tmp_path: Path) -> None:
    make(tmp_path / "a")
    make(tmp_path / "b")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    (tmp_path / "a" / "camera" / "IMG_0001.JPG").unlink()
    assert "1 files made" in make(tmp_path / "a")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_the_sample_library_holds_real_pictures_with_dates(tmp_path: Path) -> None:
    register_heif_opener()
    make(tmp_path)
    for name, taken in {
        "camera/IMG_0001.JPG": "2024:07:01 10:15:00",
        "camera/DSC_0100.DNG": "2024:07:02 18:30:00",
        "phone/IMG_2001.HEIC": "2024:08:16 21:30:05",
        "phone/IMG_2002.HEIC": "2024:08:17 09:12:45",
    }.items():
        with Image.open(tmp_path / name) as image:
            image.load()
            assert image.getexif().get_ifd(EXIF_IFD)[TAKEN] == taken


def test_the_sample_film_can_be_played_and_has_a_date(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("phone/VID_20240818_140000.mp4", "phone/IMG_2002.MOV"):
        decoded = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", tmp_path / name, "-f", "null", "-"], capture_output=True, check=True
        )
        assert decoded.stderr == b""
    dates = subprocess.run(
        ["exiftool", "-s3", "-CreateDate", tmp_path / "phone/VID_20240818_140000.mp4"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert dates.stdout.strip() == "2024:08:18 12:00:00"


def test_a_first_configuration_is_complete_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "with spaces" / "config.yaml"
    command = [
        sys.executable, ROOT / "scripts" / "write_config.py", path,
        "--media", tmp_path / "media", "--state", path.parent,
        "--set", "sync.target=folder", "--set", f"sync.folder_dir={tmp_path}/to: a # folder",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    config = parse(path.read_text(), {}).config
    assert config.sync.folder_dir == f"{tmp_path}/to: a # folder"
    assert config.paths.source_dir == f"{tmp_path}/media/ingest"
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("mine")
    subprocess.run(command, check=True)
    assert path.read_text() == "mine"
