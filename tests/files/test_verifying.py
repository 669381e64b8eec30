"""Reading files again: what is intact, altered, missing, no file or unreadable is told apart; the rate is kept."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3

from app.files.throttle import SAVED_SECONDS, Throttle
from app.files.verify_reader import CHANGING, ERROR, UNSTEADY, VerifyReader
from app.files.verifying import Asked, Checked, Outcome, check_files
from app.model import Place, Root, RootKind
from tests.conftest import write_tree

CONTENT = b"a photo" * 1_000


def a_root(path: Path) -> Root:
    return Root(1, RootKind.ARCHIVE, "", os.fsencode(path), "")


def check(root: Root, *paths: bytes, digest: str | None = None, algorithm: str = "blake3") -> list[Checked]:
    wanted = blake3(CONTENT).hexdigest() if digest is None else digest
    asked = [Asked(n, Place(root, path), wanted, algorithm) for n, path in enumerate(paths)]
    found = [checked for checked in check_files(asked, 1) if checked is not None]
    return sorted(found, key=lambda checked: checked.key)


def test_each_outcome_is_told_apart(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a/same.jpg": CONTENT, "a/other.jpg": b"X" + CONTENT[1:], "a/folder.jpg": {}})
    os.symlink("same.jpg", tmp_path / "a/link.jpg")
    os.mkfifo(tmp_path / "a/pipe.jpg")
    names = ("same", "other", "none", "link", "pipe", "folder")
    found = check(a_root(tmp_path), *(f"a/{name}.jpg".encode() for name in names), b"no/such/folder.jpg")
    assert [checked.outcome for checked in found] == [
        Outcome.INTACT, Outcome.ALTERED, Outcome.MISSING, Outcome.NO_FILE, Outcome.NO_FILE, Outcome.NO_FILE,
        Outcome.MISSING,
    ]  # fmt: skip


def test_what_is_altered_is_told_with_what_it_holds_now(tmp_path: Path) -> None:
    write_tree(tmp_path, {"other.jpg": b"other"})
    (found,) = check(a_root(tmp_path), b"other.jpg")
    assert (found.digest, found.sha256) == (blake3(b"other").hexdigest(), hashlib.sha256(b"other").hexdigest())
    assert found.signature is not None
    assert found.signature.mtime_ns == os.stat(tmp_path / "other.jpg").st_mtime_ns


def test_a_file_without_a_known_digest_is_only_read(tmp_path: Path) -> None:
    write_tree(tmp_path, {"x.jpg": CONTENT})
    (found,) = check(a_root(tmp_path), b"x.jpg", digest="")
    assert (found.outcome, found.digest) == (Outcome.READ, blake3(CONTENT).hexdigest())


def test_each_file_is_compared_by_its_own_algorithm(tmp_path: Path) -> None:
    write_tree(tmp_path, {"x.jpg": CONTENT})
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert [c.outcome for c in check(a_root(tmp_path), b"x.jpg", digest=sha256, algorithm="sha256")] == [Outcome.INTACT]
    assert [c.outcome for c in check(a_root(tmp_path), b"x.jpg", digest=sha256)] == [Outcome.ALTERED]


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, {"elsewhere/x.jpg": CONTENT, "root": {}})
    os.symlink("../elsewhere", tmp_path / "root/2024")
    (found,) = check(a_root(tmp_path / "root"), b"2024/x.jpg")
    assert found.outcome in (Outcome.NO_FILE, Outcome.MISSING)


def test_names_that_are_no_text_are_read_like_others(tmp_path: Path) -> None:
    write_tree(tmp_path, {b"\xff\n\xe4.jpg": CONTENT})
    assert [c.outcome for c in check(a_root(tmp_path), b"\xff\n\xe4.jpg")] == [Outcome.INTACT]


def test_a_file_that_is_open_for_writing_is_not_told_as_altered(tmp_path: Path) -> None:
    write_tree(tmp_path, {"x.jpg": b"half"})
    with (tmp_path / "x.jpg").open("ab"):
        assert [c.outcome for c in check(a_root(tmp_path), b"x.jpg")] == [Outcome.CHANGING]


def test_a_file_that_the_system_cannot_open_is_unreadable(tmp_path: Path) -> None:
    (found,) = check(a_root(tmp_path), b"x" * 300 + b".jpg")
    assert (found.outcome, found.reason) == (Outcome.UNREADABLE, "File name too long")


class LyingDisk(VerifyReader):
    """The first read of a file gives something else than every later one."""

    reads = 0

    def _read(self, descriptor: int, algorithms: tuple[str, ...]) -> dict[str, str]:
        self.reads += 1
        found = super()._read(descriptor, algorithms)
        return found if self.reads > 1 else dict.fromkeys(found, "0" * 64)


def test_two_reads_with_two_answers_are_a_failing_disk_and_no_altered_file(tmp_path: Path) -> None:
    write_tree(tmp_path, {"x.jpg": CONTENT})
    request = [str(tmp_path), "x.jpg", "blake3", blake3(CONTENT).hexdigest()]
    assert LyingDisk(0).answer(request) == [ERROR, UNSTEADY]


class Interrupted(VerifyReader):
    """Somebody writes to the file while it is read."""

    def _read(self, descriptor: int, algorithms: tuple[str, ...]) -> dict[str, str]:
        found = super()._read(descriptor, algorithms)
        os.utime(f"/proc/self/fd/{descriptor}", ns=(1, 1))
        return found


@pytest.mark.parametrize("content", [CONTENT, b"other"])
def test_a_file_that_is_changed_while_it_is_read_is_neither_intact_nor_altered(tmp_path: Path, content: bytes) -> None:
    write_tree(tmp_path, {"x.jpg": content})
    request = [str(tmp_path), "x.jpg", "blake3", blake3(CONTENT).hexdigest()]
    assert Interrupted(0).answer(request) == [CHANGING]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.mark.parametrize("pieces", [[10], [1] * 10, [3, 3, 4]])
def test_the_rate_is_kept_whatever_the_pieces(pieces: list[int]) -> None:
    clock = Clock()
    throttle = Throttle(2.0, lambda: clock.now, clock.sleep)
    for size in pieces:
        throttle.take(size)
    assert clock.slept == pytest.approx(5.0)


def test_work_that_is_slower_than_the_rate_is_not_held_up() -> None:
    clock = Clock()
    throttle = Throttle(2.0, lambda: clock.now, clock.sleep)
    for _ in range(5):
        clock.now += 1.0
        throttle.take(1)
    assert clock.slept == 0


def test_the_time_that_reading_takes_counts() -> None:
    clock = Clock()
    throttle = Throttle(1.0, lambda: clock.now, clock.sleep)
    for _ in range(5):
        clock.now += 0.8
        throttle.take(1)
    assert clock.now == pytest.approx(105.0)


def test_a_rest_is_not_made_up_for_by_a_rush() -> None:
    clock = Clock()
    throttle = Throttle(1.0, lambda: clock.now, clock.sleep)
    clock.now += 1_000
    throttle.take(3)
    assert clock.slept == pytest.approx(3.0 - SAVED_SECONDS)


def test_no_rate_means_no_sleep() -> None:
    clock = Clock()
    Throttle(0, lambda: clock.now, clock.sleep).take(1 << 40)
    assert clock.slept == 0


def test_a_reader_is_told_its_share_of_the_rate(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{n}.jpg": CONTENT for n in range(4)})
    asked = [Asked(n, Place(a_root(tmp_path), b"%d.jpg" % n), blake3(CONTENT).hexdigest(), "blake3") for n in range(4)]
    found = [c.outcome for c in check_files(asked, 2, 1e9) if c is not None]
    assert found == [Outcome.INTACT] * 4
