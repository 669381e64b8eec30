"""Digests: right, read once, and only of files that stood still; readers that die or lie cost one file each."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import FileError, SourceChanged
from app.files.digest import Digested, Wanted, digest_files, full_digest
from app.files.readers import PROGRAM_FOLDER
from app.files.walk import signature_at
from app.model import Place, Root, RootKind


def place(folder: Path, name: bytes) -> Place:
    return Place(Root(1, RootKind.INGEST, "", os.fsencode(folder), "marker"), name)


def wanted(folder: Path, name: bytes, key: int = 0) -> Wanted:
    where = place(folder, name)
    signature = signature_at(where.root, name)
    assert signature is not None
    return Wanted(key, where, signature)


def results(*files: Wanted, processes: int = 1) -> list[Digested]:
    return [r for r in digest_files(files, "blake3", processes) if r is not None]


def test_the_digests_are_those_of_the_content(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(3_000_000)
    (tmp_path / "a.jpg").write_bytes(content)
    digests = full_digest(place(tmp_path, b"a.jpg"))
    assert (digests.digest, digests.sha256) == (blake3(content).hexdigest(), hashlib.sha256(content).hexdigest())
    assert full_digest(place(tmp_path, b"a.jpg"), "sha256").digest == hashlib.sha256(content).hexdigest()
    assert results(wanted(tmp_path, b"a.jpg"))[0].digests == digests


@settings(max_examples=10, deadline=None)
@given(contents=st.lists(st.binary(max_size=5000), min_size=1, max_size=80))
def test_many_files_get_their_own_digests_whatever_their_order(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("many")
    for i, content in enumerate(contents):
        (folder / f"{i}.jpg").write_bytes(content)
    found = results(*(wanted(folder, b"%d.jpg" % i, i) for i in range(len(contents))), processes=2)
    assert {r.key: r.digests and r.digests.sha256 for r in found} == {
        i: hashlib.sha256(content).hexdigest() for i, content in enumerate(contents)
    }


def test_a_file_that_changed_since_it_was_found_gets_no_digest(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    want = wanted(tmp_path, b"a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"two!")
    assert isinstance(results(want)[0].error, SourceChanged)


def test_a_file_whose_writer_puts_its_mtime_back_gets_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    want = wanted(tmp_path, b"a.jpg")
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance(results(want)[0].error, SourceChanged)


def test_a_file_replaced_by_a_link_or_a_pipe_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    wants = []
    for key, name in enumerate((b"link.jpg", b"pipe.jpg", b"gone.jpg")):
        (tmp_path / os.fsdecode(name)).write_bytes(b"one")
        wants.append(wanted(tmp_path, name, key))
        (tmp_path / os.fsdecode(name)).unlink()
    os.symlink(tmp_path / "secret", tmp_path / "link.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    began = time.monotonic()
    assert all(isinstance(r.error, SourceChanged) for r in results(*wants))
    assert time.monotonic() - began < 10


def test_a_file_that_a_program_has_open_for_writing_gets_no_digest(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    want = wanted(tmp_path, b"a.jpg")
    with open(tmp_path / "a.jpg", "r+b"):
        assert isinstance(results(want)[0].error, SourceChanged)
    assert results(want)[0].digests is not None


def test_a_file_that_changes_while_it_is_read_gets_no_digest(tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    with open(path, "wb") as file:
        file.truncate(2 << 30)
    where = place(tmp_path, b"big.mp4")
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(full_digest(where))
        except FileError as error:
            outcome.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive():
        os.utime(path)
    thread.join()
    assert isinstance(outcome[0], SourceChanged)


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"Could not read .*absent\.jpg"):
        full_digest(place(tmp_path, b"absent.jpg"))


def test_hostile_names_are_digested(tmp_path: Path) -> None:
    names = [b"bad\xff.jpg", b"new\nline.jpg", b"x" * 251 + b".jpg", b'"quote".jpg']
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(name)
    found = results(*(wanted(tmp_path, name, i) for i, name in enumerate(names)))
    assert [r.digests and r.digests.sha256 for r in found] == [hashlib.sha256(n).hexdigest() for n in names]


def test_stopping_in_the_middle_ends_the_reader_processes(tmp_path: Path) -> None:
    for i in range(200):
        (tmp_path / f"{i}.jpg").write_bytes(b"x" * i)
    stream = digest_files([wanted(tmp_path, b"%d.jpg" % i, i) for i in range(200)], "blake3", 2)
    next(r for r in stream if r is not None)
    children = children_of(os.getpid(), "hash_reader")
    assert children
    stream.close()  # type: ignore[attr-defined]
    assert not any(is_running(child) for child in children)


PARENT = """
import sys, os
sys.path.insert(0, {folder!r})
from app.files.readers import Readers
with Readers("app.files.hash_reader", 2):
    print("started", flush=True)
    sys.stdin.read()
"""


def test_readers_die_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(folder=PROGRAM_FOLDER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None and parent.stdout.readline() == b"started\n"
    children = children_of(parent.pid, "hash_reader")
    assert len(children) == 2
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children) and time.monotonic() < deadline:
        os.sched_yield()
    assert not any(is_running(child) for child in children)


def test_a_reader_that_is_killed_costs_one_file_at_most(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"{i}.jpg").write_bytes(b"%d" % i)
    stream = digest_files([wanted(tmp_path, b"%d.jpg" % i, i) for i in range(300)], "blake3", 1)
    first = next(r for r in stream if r is not None)
    for child in children_of(os.getpid(), "hash_reader"):
        os.kill(child, signal.SIGKILL)
    found = [first, *(r for r in stream if r is not None)]
    assert sorted(r.key for r in found) == list(range(300))
    assert sum(1 for r in found if r.error is not None) <= 1


def children_of(parent: int, module: str) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            stat = Path(f"/proc/{entry}/stat").read_text()
        except (OSError, ValueError):
            continue
        # The child's command line holds its parent's id; the parent field of `stat` may be a pid namespace's other.
        if any(w.endswith(module.encode()) for w in words) and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(entry))
    return found


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
