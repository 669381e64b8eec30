"""Sharing room on file systems that can do it, made for the test: needs root, and mkfs.btrfs and mkfs.xfs."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import totals
from app.model import Stage
from app.pipeline import preview
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.pipeline.library import a_step
from tests.pipeline.stages import ingest, rows, run_dedup, run_scan, states

pytestmark = pytest.mark.torture

MIB = 1 << 20
#: Longer than the kernel shares at once, and no whole number of blocks.
CONTENT = random.Random(6).randbytes(20 * MIB + 1)


@pytest.fixture(params=["btrfs", "xfs"])
def mounted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An empty file system of this kind."""
    image, folder = tmp_path / "image", tmp_path / "mounted"
    with image.open("wb") as file:
        file.truncate(400 * MIB)
    folder.mkdir()
    subprocess.run([f"mkfs.{request.param}", "-q", str(image)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def services(mounted: Path) -> Iterator[Services]:
    opened = make_services(mounted, dedup={"duplicate_policy": "reflink"})
    yield opened
    opened.close()


def used_bytes(folder: Path) -> int:
    os.sync()
    room = os.statvfs(folder)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


def looks(services: Services) -> dict[str, tuple[int, ...]]:
    found = {}
    for path in Path(os.fsdecode(ingest(services))).rglob("*.jpg"):
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_nlink)
    return found


def test_duplicates_share_the_room_of_their_original_and_nothing_else_changes(
    services: Services, mounted: Path
) -> None:
    write_tree(ingest(services), {"a.jpg": CONTENT, "b/b.jpg": CONTENT, "c.jpg": CONTENT, "small.jpg": b"x" * 5_000})
    tree, before, used = read_tree(ingest(services)), looks(services), used_bytes(mounted)
    said = preview.run(services, a_step(services, Stage.PREVIEW)).message
    assert "2 duplicates would share their room on the disk with the original: 40.0 MiB would be gained." in said
    assert looks(services) == before
    run_scan(services)
    report = run_dedup(services)
    assert (report.detail["shared"], report.detail["shared_bytes"]) == (2, 2 * len(CONTENT))
    assert used - used_bytes(mounted) > 1.8 * len(CONTENT)
    assert (read_tree(ingest(services)), looks(services)) == (tree, before)
    assert sorted(states(services).values()) == ["duplicate", "duplicate", "unique", "unique"]


def test_what_is_shared_is_not_asked_for_again(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": CONTENT, "b.jpg": CONTENT})
    run_scan(services)
    assert run_dedup(services).detail["shared"] == 1
    assert run_dedup(services).detail["shared"] == 0


def test_who_changes_one_of_two_that_share_their_room_changes_that_one_alone(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": CONTENT, "b.jpg": CONTENT})
    run_scan(services)
    run_dedup(services)
    path = Path(os.fsdecode(ingest(services)), "b.jpg")
    with path.open("r+b") as file:
        file.seek(5 * MIB)
        file.write(b"edited")
    tree = read_tree(ingest(services))
    assert tree["a.jpg"] == CONTENT
    assert tree["b.jpg"] != CONTENT
    run_scan(services)
    run_dedup(services)
    assert set(states(services).values()) == {"unique"}


def test_a_wrong_label_is_found_by_the_kernel_and_taken_back(services: Services) -> None:
    other = CONTENT[: 19 * MIB] + b"x" + CONTENT[19 * MIB + 1 :]
    write_tree(ingest(services), {"a.jpg": CONTENT, "b.jpg": other})
    run_scan(services)
    run_dedup(services)
    known = rows(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "UPDATE assets SET status = 'duplicate', original_id = ?, sha256 = ? WHERE id = ?",
            (known[b"a.jpg"].id, known[b"a.jpg"].sha256, known[b"b.jpg"].id),
        )
        totals.recount(conn)
    report = run_dedup(services)
    assert (report.detail["told_apart"], report.detail["shared"]) == (1, 0)
    assert set(states(services).values()) == {"unique"}
    assert read_tree(ingest(services)) == {"a.jpg": CONTENT, "b.jpg": other}
