"""Ends read beside other work: the digest of what is small, a piece of one of what is large, nothing where in doubt."""

from __future__ import annotations

import os
import random
from pathlib import Path

from blake3 import blake3

from app.files.head_reader import END_BYTES, HEAD_DIGEST_BYTES
from app.files.head_readers import HeadReaders, ToRead
from app.files.walk import signature_at
from app.model import Root, RootKind
from tests.files.test_digest import children_of

CONTENT = random.Random(5).randbytes(3 * END_BYTES)


def to_read(folder: Path, *names: bytes) -> list[ToRead]:
    root = Root(1, RootKind.INGEST, "", os.fsencode(folder), "marker")
    found = ((key, name, signature_at(root, name)) for key, name in enumerate(names))
    return [(name, key, seen) for key, name, seen in found if seen is not None]


def read(folder: Path, wanted: list[ToRead], count: int = 2) -> dict[int, bytes | None]:
    answers: dict[int, bytes | None] = {}
    with HeadReaders(os.fsencode(folder), count) as readers:
        readers.offer(wanted)
        while len(answers) < len(wanted):
            answers.update(readers.collect(10))
    return answers


def test_small_files_are_digested_whole_and_large_ones_at_both_ends(tmp_path: Path) -> None:
    names = [b"new\nline.jpg", b"bad\xff.jpg", b"b.jpg", b"a/deep/c.jpg", b"d.jpg"]
    sizes = [1, END_BYTES, 2 * END_BYTES, 2 * END_BYTES + 1, len(CONTENT)]
    for name, size in zip(names, sizes, strict=True):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT[:size])
    answers = read(tmp_path, to_read(tmp_path, *names))
    assert [answers[key] for key in range(3)] == [blake3(CONTENT[:size]).digest() for size in sizes[:3]]
    ends = [blake3(CONTENT[:END_BYTES] + CONTENT[size - END_BYTES : size]).digest() for size in sizes[3:]]
    assert [answers[3], answers[4]] == [digest[:HEAD_DIGEST_BYTES] for digest in ends]


def test_large_files_are_read_whole_where_that_is_asked_for(tmp_path: Path) -> None:
    long = CONTENT * 12
    (tmp_path / "a.jpg").write_bytes(long)
    (tmp_path / "b.jpg").write_bytes(CONTENT)
    (tmp_path / "changed.jpg").write_bytes(CONTENT)
    wanted = to_read(tmp_path, b"a.jpg", b"b.jpg", b"changed.jpg")
    (tmp_path / "changed.jpg").write_bytes(CONTENT[::-1])
    answers: dict[int, bytes | None] = {}
    with HeadReaders(os.fsencode(tmp_path), 1) as readers:
        readers.offer_whole(wanted)
        while len(answers) < len(wanted):
            answers.update(readers.collect(10))
    assert answers == {0: blake3(long).digest(), 1: blake3(CONTENT).digest(), 2: None}


def test_what_is_not_what_was_found_or_is_being_written_is_left_to_others(tmp_path: Path) -> None:
    names = [b"same.jpg", b"longer.jpg", b"gone.jpg", b"link.jpg", b"written.jpg", b"folder/in.jpg"]
    (tmp_path / "folder").mkdir()
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"content")
    wanted = to_read(tmp_path, *names)
    (tmp_path / "longer.jpg").write_bytes(b"content and more")
    (tmp_path / "gone.jpg").unlink()
    (tmp_path / "link.jpg").rename(tmp_path / "other.jpg")
    (tmp_path / "link.jpg").symlink_to("other.jpg")
    (tmp_path / "folder").rename(tmp_path / "elsewhere")
    (tmp_path / "folder").symlink_to("elsewhere")
    with open(tmp_path / "written.jpg", "ab"):
        answers = read(tmp_path, wanted)
    assert answers == {0: blake3(b"content").digest(), **dict.fromkeys(range(1, 6))}


def test_all_files_are_answered_for_when_the_processes_are_killed(tmp_path: Path) -> None:
    names = [b"%d.jpg" % number for number in range(3_000)]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    wanted = to_read(tmp_path, *names)
    answers: dict[int, bytes | None] = {}
    with HeadReaders(os.fsencode(tmp_path), 2) as readers:
        readers.offer(wanted)
        answers.update(readers.collect(10))
        for child in children_of(os.getpid(), "head_reader.py"):
            os.kill(child, 9)
        while len(answers) < len(wanted):
            answers.update(readers.collect(10))
    assert sorted(answers) == list(range(3_000))
    assert all(answer in (None, blake3(names[key]).digest()) for key, answer in answers.items())
    assert children_of(os.getpid(), "head_reader.py") == []
