"""Answers of every documented shape are understood, those of Syncthing 2.x and of 1.19 alike."""

from __future__ import annotations

from typing import Any

import pytest

from app.syncthing import answers
from app.syncthing.proof import Expected, Verdict, judge

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
    bare = answers.folder_view({"id": "f", "path": "/data", "type": "sendonly", "devices": [{"deviceID": PEER}]})
    assert (bare.marker_name, bare.min_disk_free, bare.paused, bare.devices) == (".stfolder", 0, False, (PEER,))
    told = answers.folder_view({"id": "f", "markerName": ".here", "minDiskFree": {"value": 2, "unit": "GB"}})
    assert (told.marker_name, told.min_disk_free, told.min_disk_free_unit) == (".here", 2, "GB")
