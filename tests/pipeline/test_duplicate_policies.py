"""What is done about duplicates: compared byte for byte first, and sharing room where the file system can."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.errors import CannotShare, ContentDiffers, FileError
from app.files.twins import compare_bytes, share_room
from app.model import Place, Root, RootKind
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.pipeline.stages import events, ingest, rows, run_dedup, run_scan, states

Open = Callable[..., Services]
#: Larger than what is read at once.
LONG = bytes(range(256)) * 10_000


def place(folder: Path, name: str) -> Place:
    return Place(Root(1, RootKind.INGEST, "", os.fsencode(folder), "m"), os.fsencode(name))


def same_but(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder on a file system that certainly cannot share room: tmpfs."""
    with TemporaryDirectory(dir="/dev/shm", prefix="media-pipeline-test-") as folder:
        yield Path(folder)


def corrupt_the_original(services: Services, name: bytes) -> None:
    """Give a file other bytes of the same size, and its row the signature of these, as a damaged disk does."""
    asset = rows(services)[name]
    path = Path(os.fsdecode(ingest(services)), os.fsdecode(name))
    path.write_bytes(same_but(path.read_bytes(), 1))
    status = path.lstat()
    with services.db.transaction() as conn:
        conn.exec_driver_sql(
            "UPDATE assets SET mtime_ns = ?, ctime_ns = ?, inode = ? WHERE id = ?",
            (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, asset.id),
        )


def take_in(services: Services, tree: dict[str, bytes]) -> None:
    write_tree(ingest(services), tree)
    for number, name in enumerate(sorted(tree)):
        os.utime(Path(os.fsdecode(ingest(services)), name), (1_500_000_000 + number,) * 2)
    run_scan(services)
    run_dedup(services)


@pytest.mark.parametrize("at", [0, len(LONG) // 2, len(LONG) - 1])
def test_files_that_differ_anywhere_are_told_apart(tmp_path: Path, at: int) -> None:
    write_tree(tmp_path, {"a": LONG, "b": LONG, "c": same_but(LONG, at)})
    compare_bytes(place(tmp_path, "a"), place(tmp_path, "b"))
    with pytest.raises(ContentDiffers):
        compare_bytes(place(tmp_path, "a"), place(tmp_path, "c"))


@pytest.mark.parametrize("other", [b"", LONG + b"x", LONG[:-1]])
def test_files_of_other_sizes_are_told_apart(tmp_path: Path, other: bytes) -> None:
    write_tree(tmp_path, {"a": LONG, "b": other})
    with pytest.raises(ContentDiffers):
        compare_bytes(place(tmp_path, "a"), place(tmp_path, "b"))


def test_what_is_not_there_or_is_a_link_is_not_compared(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a": LONG})
    (tmp_path / "link").symlink_to("a")
    for name in ("gone", "link"):
        with pytest.raises(FileError):
            compare_bytes(place(tmp_path, "a"), place(tmp_path, name))


def test_without_a_file_system_that_can_nothing_is_shared_and_nothing_changes(in_memory: Path) -> None:
    write_tree(in_memory, {"a": LONG, "b": LONG})
    before = {path.name: path.lstat() for path in in_memory.iterdir()}
    with pytest.raises(CannotShare):
        share_room(place(in_memory, "a"), place(in_memory, "b"))
    assert {path.name: path.lstat() for path in in_memory.iterdir()} == before


def test_under_paranoid_what_is_the_same_moves(open_test_services: Open) -> None:
    services = open_test_services(dedup={"duplicate_policy": "quarantine", "paranoid": True})
    take_in(services, {"a.jpg": LONG, "b.jpg": LONG})
    assert read_tree(services.config.paths.duplicates_dir) == {"b.jpg": LONG}


def test_under_paranoid_what_differs_stays_and_is_taken_in(open_test_services: Open) -> None:
    labelling = open_test_services()
    take_in(labelling, {"a.jpg": LONG, "b.jpg": LONG})
    corrupt_the_original(labelling, b"a.jpg")
    services = open_test_services(dedup={"duplicate_policy": "quarantine", "paranoid": True})
    report = run_dedup(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}
    assert read_tree(ingest(services))["b.jpg"] == LONG
    assert read_tree(services.config.paths.duplicates_dir) == {}
    assert (report.detail["told_apart"], len(report.failures)) == (1, 1)
    assert len(events(services, "asset.told_apart")) == 1
    run_dedup(services)
    assert states(services) == {b"a.jpg": "unique", b"b.jpg": "unique"}


@pytest.mark.parametrize("name", [b"IMG_1.heic", b"IMG_1.mov"])
def test_a_pair_stays_together_when_one_of_it_differs(open_test_services: Open, name: bytes) -> None:
    labelling = open_test_services()
    take_in(labelling, {"a/IMG_1.heic": LONG, "a/IMG_1.mov": LONG[::-1]})
    take_in(labelling, {"b/IMG_1.heic": LONG, "b/IMG_1.mov": LONG[::-1]})
    corrupt_the_original(labelling, b"a/" + name)
    services = open_test_services(dedup={"duplicate_policy": "quarantine", "paranoid": True})
    run_dedup(services)
    states_now = states(services)
    assert {states_now[b"b/IMG_1.mov"], states_now[b"b/IMG_1.heic"]} == {"unique"}
    assert set(read_tree(ingest(services))) >= {"b/IMG_1.heic", "b/IMG_1.mov"}


def test_without_a_file_to_compare_with_nothing_moves_under_paranoid(open_test_services: Open) -> None:
    labelling = open_test_services()
    take_in(labelling, {"a.jpg": LONG, "b.jpg": LONG})
    os.unlink(Path(os.fsdecode(ingest(labelling)), "a.jpg"))
    services = open_test_services(dedup={"duplicate_policy": "quarantine", "paranoid": True})
    report = run_dedup(services)
    assert states(services)[b"b.jpg"] == "duplicate"
    assert read_tree(ingest(services)) == {"b.jpg": LONG}
    assert "b.jpg" in report.failures[0].path


def test_where_room_cannot_be_shared_a_run_says_so_once_and_changes_nothing(in_memory: Path) -> None:
    services = make_services(in_memory, dedup={"duplicate_policy": "reflink"})
    try:
        take_in(services, {"a.jpg": LONG, "b.jpg": LONG, "c.jpg": LONG})
        before = {path.name: path.lstat() for path in Path(os.fsdecode(ingest(services))).iterdir()}
        report = run_dedup(services)
        assert [failure.reason.split(" (")[0] for failure in report.failures] == [
            f"Files in {in_memory}/ingest cannot share their room on the disk"
        ]
        assert report.detail["shared"] == 0
        assert states(services) == {b"a.jpg": "unique", b"b.jpg": "duplicate", b"c.jpg": "duplicate"}
        assert {path.name: path.lstat() for path in Path(os.fsdecode(ingest(services))).iterdir()} == before
    finally:
        services.close()
