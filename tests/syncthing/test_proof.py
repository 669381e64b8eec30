"""The decisions of the proof, over values."""

from __future__ import annotations

from typing import Any

import pytest

from app.syncthing import answers, troubles
from app.syncthing.ignores import line_for
from app.syncthing.needs import Need
from app.syncthing.proof import (
    Expected,
    Judgement,
    Verdict,
    judge,
    misplaced,
    prefix_in_folder,
    released,
    sendable_name,
    worth_telling,
)
from app.syncthing.troubles import Trouble

PEER = "3GX4XI5-LYYSLQO-JKWBI7Y-3BEFX7Z-BTCAUSJ-D3O7UQ7-F6BJ3DP-3XFIXQ4"
US = "RQXPWXA-XUVKRPK-YJXPV5P-5BXUT57-5QMRP2Y-GIPXURU-HB6L3XW-2BLPQAH"
WANTED = Expected(1, b"batch_001/a.jpg", 3)


def view(local: dict[str, Any] | None = None, whole: dict[str, Any] | None = None, **top: Any) -> answers.FileView:
    ours = {"size": 3, "version": ["RQXPWXA:1"], "deleted": False, "invalid": False, "ignored": False,
            "mustRescan": False, "modifiedBy": "RQXPWXA"}  # fmt: skip
    answer = {
        "local": {**ours, **(local or {})},
        "global": {**ours, **(whole or {})},
        "availability": [{"id": PEER, "fromTemporary": False}],
    }
    return answers.file_view({**answer, **top})


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (view(), Verdict.CONFIRMED),
        (None, Verdict.UNKNOWN),
        (view(availability=None), Verdict.WAITING),
        (view(availability=[{"id": PEER, "fromTemporary": True}]), Verdict.DOWNLOADING),
        (view(availability=[{"id": US, "fromTemporary": False}]), Verdict.WAITING),
        (view({"size": 4}), Verdict.CHANGED_HERE),
        (view({"ignored": True, "invalid": True}), Verdict.IGNORED),
        (view({"invalid": True}), Verdict.UNREADABLE),
        (view({"mustRescan": True}), Verdict.UNREADABLE),
        (view({"deleted": True}), Verdict.UNKNOWN),
        (view({"version": None}, {"version": None}), Verdict.UNKNOWN),
        (view({}, {"version": ["RQXPWXA:1", "3GX4XI5:2"]}), Verdict.CHANGED_THERE),
        (answers.file_view({"local": None, "global": None, "availability": None}), Verdict.UNKNOWN),
    ],
)
def test_only_our_version_whole_at_the_peer_is_confirmed(seen: answers.FileView | None, verdict: Verdict) -> None:
    assert judge(WANTED, seen, PEER).verdict is verdict


def test_a_file_that_a_peer_neither_holds_nor_lacks_is_not_taken_there() -> None:
    absent = view(availability=[{"id": US, "fromTemporary": False}])

    assert judge(WANTED, absent, PEER, is_lacking=False).verdict is Verdict.NOT_TAKEN
    assert judge(WANTED, view(), PEER, is_lacking=False).verdict is Verdict.CONFIRMED
    assert judge(WANTED, view({"ignored": True}), PEER, is_lacking=False).verdict is Verdict.IGNORED


def test_a_judgement_names_the_version_and_who_made_it() -> None:
    judged = judge(WANTED, view({"modifiedBy": "RQXPWXA"}), PEER)
    assert (judged.version, judged.made_by, judged.device_id) == ("RQXPWXA:1", "RQXPWXA", PEER)
    assert judge(WANTED, view({"deleted": True}), PEER).version is None


def test_of_a_need_that_was_not_read_to_its_end_the_rest_counts_as_lacking() -> None:
    partly = Need(frozenset({"b/1", "b/3"}), read_to="b/3")
    assert [partly.lacks(name) for name in ("b/1", "b/2", "b/3", "b/4")] == [True, False, True, True]
    assert not Need().lacks("b/1")


def test_a_release_is_the_peers_own_delete_of_our_version() -> None:
    deleted = {"deleted": True, "modifiedBy": "3GX4XI5", "version": ["RQXPWXA:1", "3GX4XI5:2"]}

    assert released(view({}, deleted), PEER)
    assert not released(view({}, {**deleted, "modifiedBy": "RQXPWXA"}), PEER)
    assert not released(view({}, {**deleted, "version": ["3GX4XI5:2"]}), PEER)
    assert not released(view(), PEER) and not released(None, PEER)


@pytest.mark.parametrize(
    ("path", "sendable"),
    [
        (b"b/a.jpg", True),
        ("b/ä.jpg".encode(), True),
        ("b/a\u0308.jpg".encode(), False),
        (b"b/\xff.jpg", False),
        (b"b/.syncthing.a.jpg", False),
        (b"b/~syncthing~a.jpg/c.jpg", False),
        (b"b/.hidden.jpg", True),
    ],
)
def test_names_that_syncthing_skips_or_renames_are_known(path: bytes, sendable: bool) -> None:
    assert (sendable_name(path) is not None) is sendable


def folder(**changes: Any) -> answers.FolderView:
    values = {"id": "photos", "path": "/data", "type": "sendonly", "paused": False, "devices": (US, PEER), **changes}
    return answers.FolderView(**values)


def test_the_device_is_the_wanted_one_or_the_only_peer() -> None:
    assert troubles.choose_device(folder(), US, PEER) == PEER
    assert troubles.choose_device(folder(), US, None) == PEER
    codes = [
        troubles.choose_device(folder(devices=(US,)), US, None),
        troubles.choose_device(folder(devices=(US, PEER, "OTHER")), US, None),
        troubles.choose_device(folder(), US, US),
        troubles.choose_device(folder(), US, "OTHER"),
    ]
    assert [t.code for t in codes if isinstance(t, Trouble)] == [
        "not_shared", "device_needed", "own_device", "device_not_shared"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "status", "code"),
    [
        (folder(), {"state": "idle"}, None),
        (folder(paused=True), None, "folder_paused"),
        (folder(type="receiveonly"), {}, "folder_type"),
        (folder(), {"state": "error", "error": "folder marker missing (...)"}, "marker_missing"),
        (folder(), {"state": "error", "error": "disk gone"}, "folder_error"),
        (folder(), {"invalid": "bad"}, "folder_error"),
    ],
)
def test_what_is_wrong_with_a_folder_has_a_name(
    seen: answers.FolderView, status: dict[str, Any] | None, code: str | None
) -> None:
    found = troubles.folder_trouble(seen, status)
    assert (found.code if found else None) == code


def test_a_batch_of_which_syncthing_knows_nothing_lies_elsewhere() -> None:
    unknown, waiting = Judgement(WANTED, Verdict.UNKNOWN), Judgement(WANTED, Verdict.WAITING)
    assert misplaced([unknown, unknown]) and not misplaced([unknown, waiting]) and not misplaced([])


@pytest.mark.parametrize(
    ("outer", "inner", "prefix"),
    [
        (b"/data/up", b"/data/up", b""),
        (b"/data", b"/data/up", b"up/"),
        (b"/data/", b"/data/a/b/", b"a/b/"),
        (b"/dat", b"/data/up", b""),
        (b"~/Sync", b"/data/up", b""),
        (b"/", b"/up", b"up/"),
    ],
)
def test_the_place_inside_syncthings_folder(outer: bytes, inner: bytes, prefix: bytes) -> None:
    assert prefix_in_folder(outer, inner) == prefix


def test_an_ignore_line_matches_one_batch_only() -> None:
    assert line_for(b"up/", "b[1]*{a,b}?!") == "/up/b\\[1\\]\\*\\{a\\,b\\}\\?\\!"


def test_progress_is_told_by_tenths_or_every_ten_minutes() -> None:
    assert not worth_telling(5, 5, 100, 10_000) and not worth_telling(0, 0, 0, 10_000)
    assert worth_telling(9, 10, 100, 0) and not worth_telling(10, 19, 100, 0) and worth_telling(10, 19, 100, 600)
