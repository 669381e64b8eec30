"""Answers of every documented shape are understood, those of Syncthing 2.x and of 1.19 alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.syncthing import answers
from app.syncthing.proof import Expected, Verdict, judge, released

PEER = "P2DR2GC-S62HAU3-MJ4RPZ2-5R7SEJZ-JXYMXR2-CFLGFY5-4NCBXYK-V3MDUAK"
WANTED = Expected(1, b"b/a.jpg", 3)
FILE = {
    "deleted": False, "ignored": False, "invalid": False, "localFlags": 0, "modifiedBy": "QLOPCYW", "mustRescan": False,
    "name": "b/a.jpg", "noPermissions": False, "numBlocks": 1, "permissions": "0644", "sequence": 1, "size": 3,
    "version": ["QLOPCYW:1795398589"],
}  # fmt: skip
#: 1.19 and 1.29 tell times of a file that 2.x leaves out, and name the kind of a file in other words.
OLD = {
    "availability": [{"id": PEER, "fromTemporary": False}],
    "global": {**FILE, "modified": "2026-11-23T01:49:49Z", "type": "FILE_INFO_TYPE_FILE"},
    "local": {**FILE, "modified": "2026-11-23T01:49:49Z", "type": "FILE_INFO_TYPE_FILE"},
    "mtime": {"err": None, "value": {"real": "0001-01-01T00:00:00Z", "virtual": "0001-01-01T00:00:00Z"}},
}
NEW = {
    "availability": [{"id": PEER, "fromTemporary": False}],
    "global": {**FILE, "blocksHash": "abc=", "inodeChange": "2026-11-23T01:49:49Z", "type": "FILE", "platform": {}},
    "local": {**FILE, "blocksHash": "abc=", "inodeChange": "2026-11-23T01:49:49Z", "type": "FILE", "platform": {}},
}


@pytest.mark.parametrize("shape", [OLD, NEW], ids=["1.x", "2.x"])
def test_a_file_is_proven_by_what_every_version_tells(shape: dict[str, Any]) -> None:
    assert judge(WANTED, answers.file_view(shape), PEER).verdict is Verdict.CONFIRMED


@pytest.mark.parametrize("shape", [OLD, NEW], ids=["1.x", "2.x"])
@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"availability": None}, Verdict.WAITING),
        ({"availability": [{"id": PEER, "fromTemporary": True}]}, Verdict.DOWNLOADING),
        ({"local": {**FILE, "ignored": True}}, Verdict.IGNORED),
        ({"local": {**FILE, "invalid": True}}, Verdict.UNREADABLE),
        ({"local": {**FILE, "deleted": True}}, Verdict.UNKNOWN),
        ({"local": {**FILE, "size": 4}}, Verdict.CHANGED_HERE),
        ({"global": {**FILE, "version": ["OTHER:2"]}}, Verdict.CHANGED_THERE),
        ({"local": None}, Verdict.UNKNOWN),
        ({"local": {}}, Verdict.UNKNOWN),
    ],
)
def test_whatever_is_missing_or_different_is_no_proof(
    shape: dict[str, Any], change: dict[str, Any], verdict: Verdict
) -> None:
    assert judge(WANTED, answers.file_view({**shape, **change}), PEER).verdict is verdict


def test_the_completion_has_a_state_of_the_folder_there_from_1_20_on() -> None:
    old = {"completion": 100, "globalBytes": 1, "globalItems": 1, "needBytes": 0, "needDeletes": 0, "needItems": 0,
           "sequence": 1}  # fmt: skip
    assert [answers.completion({**old, **more}).remote_state for more in ({}, {"remoteState": "valid"})] == [
        "",
        "valid",
    ]


def test_a_folder_without_the_settings_of_another_version_is_understood() -> None:
    minimal = {"id": "f", "path": "/data", "type": "sendonly", "paused": False, "devices": [{"deviceID": PEER}]}
    bare = answers.folder_view(minimal)
    assert (bare.marker_name, bare.min_disk_free, bare.paused, bare.devices) == (".stfolder", 0, False, (PEER,))
    told = answers.folder_view({**minimal, "markerName": ".here", "minDiskFree": {"value": 2, "unit": "GB"}})
    assert (told.marker_name, told.min_disk_free, told.min_disk_free_unit) == (".here", 2, "GB")


FOLDER = {"id": "f", "path": "/data", "type": "sendonly", "paused": False, "devices": [{"deviceID": PEER}],
          "label": "", "markerName": ".stfolder", "minDiskFree": {"value": 1, "unit": "%"}}  # fmt: skip
COMPLETION = {"completion": 100, "needBytes": 0, "needDeletes": 0, "needItems": 0, "sequence": 1,
              "remoteState": "valid"}  # fmt: skip
STATUS = {"state": "idle", "sequence": 1, "error": "", "invalid": ""}
#: How each answer is read, one that is all good news, and what of it may be null, or not be there at all.
READERS: dict[str, tuple[Callable[[Any], object], dict[str, Any], set[str], set[str]]] = {
    "db/file": (answers.file_view, NEW, {"availability", "local", "global", "local.version", "global.version"}, set()),
    "db/completion": (answers.completion, COMPLETION, set(), {"remoteState"}),
    "db/remoteneed": (answers.names_needed, {"files": [{"name": "b/a.jpg"}]}, set(), set()),
    "db/status": (answers.sequence_of, STATUS, set(), {"error", "invalid"}),
    "db/ignores": (answers.ignore_lines, {"ignore": ["/b"]}, {"ignore"}, set()),
    "folder/errors": (answers.folder_errors, {"errors": [{"path": "a", "error": "no"}]}, {"errors"}, set()),
    "config/folders": (
        answers.folder_view, FOLDER, {"devices", "minDiskFree"}, {"label", "markerName", "minDiskFree"}
    ),
    "system/connections": (answers.connections, {"connections": {PEER: {"connected": True}}}, set(), set()),
    "system/status": (answers.own_id, {"myID": PEER}, set(), set()),
    "stats/device": (answers.last_seen, {PEER: {"lastSeen": "2026-11-23T01:49:49Z"}}, set(), set()),
}  # fmt: skip
#: Of a file, what decisions rest on; what else is told of it is not read.
READ_OF_A_FILE = {
    "global": ("version", "deleted", "modifiedBy"),
    "local": ("size", "version", "deleted", "invalid", "ignored", "mustRescan", "modifiedBy"),
}
ABSENT = object()
ODD = (None, ABSENT, [], {}, "", "text", 7, [7], ["text"], {"text": 7}, True)


def places(answer: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every part of an answer, by the way that leads to it."""
    inner = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def spoiled(answer: Any, path: tuple[Any, ...], odd: object) -> Any:
    """The answer with something odd at one place."""
    changed = json.loads(json.dumps(answer))
    part = changed
    for key in path[:-1]:
        part = part[key]
    if odd is ABSENT:
        del part[path[-1]]
    else:
        part[path[-1]] = odd
    return changed


def spoiled_answers(name: str) -> Iterator[tuple[str, Any]]:
    """Every way to spoil one place of an answer that the program reads, and that Syncthing itself never does."""
    _, good, may_be_null, may_be_absent = READERS[name]
    for path in places(good):
        where = ".".join(str(key) for key in path)
        is_unread = len(path) > 1 and path[1] not in READ_OF_A_FILE.get(path[0], (path[1],))
        if is_unread or path[0] == "minDiskFree":
            continue
        value = good
        for key in path:
            value = value[key]
        for odd in ODD:
            allowed = (odd is None and where in may_be_null) or (odd is ABSENT and where in may_be_absent)
            is_element = odd is ABSENT and isinstance(path[-1], int)
            is_name = odd is ABSENT and path[-1] == PEER
            same_kind = type(odd) is type(value) and odd not in ([7], {"text": 7})
            if not (allowed or is_element or is_name or same_kind or (odd == ["text"] and isinstance(value, list))):
                yield f"{where} is {'absent' if odd is ABSENT else odd!r}", spoiled(good, path, odd)


@pytest.mark.parametrize("name", READERS)
def test_an_answer_of_another_shape_than_the_documented_one_is_no_answer(name: str) -> None:
    read, good, _, _ = READERS[name]
    read(good)
    believed = []
    for what, odd in spoiled_answers(name):
        try:
            found = read(odd)
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError):
            continue
        believed.append((what, found))

    assert not believed


def test_no_spoiled_answer_about_a_file_proves_it_or_releases_it() -> None:
    """Who made the newest version, and who made ours, decides other things: whether it is released, or read again."""
    proven = []
    for path in [path for path in places(NEW) if path[-1] != "modifiedBy"]:
        for odd in ODD:
            try:
                view = answers.file_view(spoiled(NEW, path, odd))
            except (AttributeError, LookupError, TypeError, ValueError, OverflowError):
                continue
            is_proven = judge(WANTED, view, PEER).verdict is Verdict.CONFIRMED
            if view != answers.file_view(NEW) and (is_proven or released(view, PEER)):
                proven.append((path, odd))

    assert not proven


def test_a_name_from_syncthings_configuration_is_one_short_line_wherever_it_is_shown() -> None:
    assert answers.device_label({"name": "my\nphone\x1b[31m" + "x" * 500}, "ABCDEFG-1").isprintable()
    assert len(answers.device_label({"name": "x" * 500}, "ABCDEFG-1")) == 100
    assert answers.device_label({"name": ""}, "ABCDEFG-1") == answers.device_label({}, "ABCDEFG-1") == "ABCDEFG"
