"""The audit: every system call of whole runs is read, and none may be able to destroy or replace a photo."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.torture import case
from tests.torture.case import Where
from tests.torture.conftest import MakeWhere
from tests.torture.test_kill_sweep import WAYS, keeps, options
from tests.torture.tracing import Warm

CALL = re.compile(r"^(\w+)\((.*)\)\s+= (\S+)")
NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')

#: Names that are ours: temporary files, the trash, the marker; and the state folder with the database.
OURS = re.compile(r"^(\.mp-[0-9a-f]{32}\.part|\.mp-trash|\d+-[0-9a-f]{16}|\.media-pipeline-root)$")
#: Calls that put a folder entry's content at risk, and may only ever name what is ours.
REMOVING = ("unlink", "unlinkat", "truncate", "truncate64", "rmdir")
WRITING = ("O_WRONLY", "O_RDWR", "O_TRUNC", "O_APPEND")

#: With these only renames that could replace are made; where they may point is checked more closely.
WITHOUT_FLAG = ("link only", "placeholder only", "placeholder across mounts")


def calls(trace: str) -> Iterator[tuple[str, str, list[str]]]:
    """(name, arguments, quoted names) of every call on media that was not about the database or Python itself."""
    for line in trace.splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        name, arguments, _ = match.groups()
        if "/state/" in arguments or ".py" in arguments or "/proc/" in arguments:
            continue
        yield name, arguments, NAME.findall(arguments)


def record(warm: Warm, make_where: MakeWhere, way: str) -> tuple[str, Where]:
    where = make_where(WAYS[way][0])
    case.build(where)
    wanted = [*options(way), "-y", "-s", "4096"]
    ended = warm.run("move_all", where, wanted, keep=keeps(way))
    assert ended.code == 0, ended.errors
    return ended.trace, where


@pytest.mark.parametrize("way", WAYS)
def test_no_photo_is_ever_named_in_a_call_that_could_destroy_it(warm: Warm, make_where: MakeWhere, way: str) -> None:
    trace, _ = record(warm, make_where, way)
    audited = 0
    for name, arguments, names in calls(trace):
        if name in REMOVING:
            assert is_placeholder_way(way) or all(OURS.match(n) for n in names), f"{name}({arguments})"
        elif name.startswith("open") and any(flag in arguments for flag in WRITING):
            allowed = OURS.match(names[-1]) or (is_placeholder_way(way) and "O_CREAT|O_EXCL" in arguments)
            assert allowed and "O_EXCL" in arguments, f"{name}({arguments})"
        elif name.startswith("rename"):
            assert_never_replaces(way, name, arguments, names)
        elif name in ("ftruncate", "pwrite64", "write", "fallocate", "copy_file_range"):
            assert ".part>" in arguments or "pipe:" in arguments, f"{name}({arguments})"
        else:
            continue
        audited += 1
    assert audited >= len(case.FILES) - len(case.STAYING)


def is_placeholder_way(way: str) -> bool:
    return way.startswith("placeholder")


def assert_never_replaces(way: str, name: str, arguments: str, names: list[str]) -> None:
    """NOREPLACE always; where a file system has no such thing, only onto our own empty file or into our trash."""
    if name == "renameat2":
        assert "RENAME_NOREPLACE" in arguments, arguments
        return
    assert way in WITHOUT_FLAG, f"{name}({arguments})"
    assert is_placeholder_way(way) or OURS.match(names[-1]), f"{name}({arguments})"


def test_a_photo_is_never_named_in_an_unlink_even_by_recovery_and_pruning(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("cross")
    case.build(where)
    warm.run("move_all", where, ["-e", "inject=syncfs:signal=KILL:when=3"])
    traces = [
        warm.run(action, where, ["-y", "-s", "4096"]).trace for action in ("recover_all", "move_all", "prune_all")
    ]
    removed = [names for trace in traces for name, _, names in calls(trace) if name in REMOVING]
    assert removed
    assert all(OURS.match(n) for names in removed for n in names), removed


def order_of(trace: str) -> list[str]:
    """The steps of a single copied file in the order in which they were made."""
    steps = []
    for line in trace.splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        name, arguments, result = match.groups()
        if result == "-1":
            continue
        if name in ("fsync", "syncfs", "fdatasync"):
            steps.append(_flushed(arguments))
        elif name == "renameat2":
            steps.append("take the source" if ".mp-trash" in arguments else "publish")
        elif name == "preadv2" and ".part>" in arguments and "= 0" not in line:
            steps.append("read the copy back")
    return [step for n, step in enumerate(steps) if n == 0 or steps[n - 1] != step]


def _flushed(arguments: str) -> str:
    if "db.sqlite" in arguments:
        return "commit"
    if ".part>" in arguments:
        return "flush the copy"
    return "flush a folder" if "/archive" in arguments or "/dev/shm" in arguments else "flush the source's folders"


def test_a_copy_is_durable_and_proven_before_the_journal_says_so_and_the_source_goes_last(
    warm: Warm, make_where: MakeWhere
) -> None:
    where = make_where("cross")
    case.build(where)
    ended = warm.run("move_one", where, ["-y", "-s", "4096"])
    assert ended.code == 0, ended.errors
    steps = order_of(ended.trace)
    begin = steps.index("flush the copy")
    assert steps[begin - 1 :] == [
        "commit",
        "flush the copy",
        "read the copy back",
        "publish",
        "flush a folder",
        "commit",
        "take the source",
        "flush the source's folders",
        "commit",
    ]


def test_a_rename_is_planned_before_and_its_folders_are_durable_before_it_is_done(
    warm: Warm, make_where: MakeWhere
) -> None:
    where = make_where("same")
    case.build(where)
    steps = order_of(warm.run("move_one", where, ["-y", "-s", "4096"]).trace)
    assert steps[-5:] == ["commit", "publish", "flush a folder", "flush the source's folders", "commit"]
    assert steps[0] == "flush the source's folders"
