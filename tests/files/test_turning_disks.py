"""Which disks turn, as the kernel tells it of disks and of their partitions."""

from __future__ import annotations

import os
from pathlib import Path

from app.files.turning_disks import turns


def tell(devices: Path, disk: Path, words: str) -> None:
    """What the kernel would say of the disk that holds the test's folder."""
    device = os.stat(devices.parent).st_dev
    (disk / "queue").mkdir(parents=True)
    (disk / "queue/rotational").write_text(words)
    devices.mkdir(exist_ok=True)
    link = devices / f"{os.major(device)}:{os.minor(device)}"
    link.unlink(missing_ok=True)
    link.symlink_to(disk)


def test_a_disk_tells_by_itself_whether_it_turns(tmp_path: Path) -> None:
    devices = tmp_path / "devices"
    for number, (words, expected) in enumerate((("1\n", True), ("0\n", False))):
        tell(devices, tmp_path / f"disk{number}", words)
        assert turns(os.fsencode(tmp_path), devices) is expected


def test_of_a_partition_its_disk_tells(tmp_path: Path) -> None:
    devices, disk = tmp_path / "devices", tmp_path / "disk"
    tell(devices, disk, "1\n")
    (link,) = devices.iterdir()
    link.unlink()
    (disk / "part1").mkdir()
    link.symlink_to(disk / "part1")
    assert turns(os.fsencode(tmp_path), devices) is True


def test_of_what_is_no_disk_nothing_is_said(tmp_path: Path) -> None:
    assert turns(os.fsencode(tmp_path), tmp_path / "devices") is False
    assert turns(os.fsencode(tmp_path / "absent"), tmp_path) is False
