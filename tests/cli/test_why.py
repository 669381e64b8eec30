"""The whole story of a file, however it is named, and why a file is not known."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import assets
from app.model import AssetStatus, RootKind
from tests.cli.conftest import Machine
from tests.conftest import make_jpeg, write_tree
from tests.prepared import Prepared, call
from tests.worker.installation import Installation


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with Prepared(tmp_path_factory.mktemp("why")) as found:
        yield found


def sentences(prepared: Installation, out: str) -> str:
    return out.replace(str(prepared.base), "BASE")


def test_one_file_has_one_story_however_it_is_named(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = prepared.placeholders()
    monkeypatch.chdir(prepared.archive / "2024")
    link = tmp_path / "photos"
    link.symlink_to(prepared.archive)
    told = [
        prepared.call("why", str(name))
        for name in (
            names["asset_id"],
            names["file"],
            f"{prepared.archive}/2024/../2024/05/06/IMG_0001.JPG",
            "2024/05/06/IMG_0001.JPG",
            "05/06/IMG_0001.JPG",
            link / "2024/05/06/IMG_0001.JPG",
            "IMG_0001.JPG",
        )
    ]
    assert {one[0] for one in told} == {0}
    assert len({one[1] for one in told}) == 1
    assert told[0][1] == prepared.call("assets", "show", str(names["asset_id"]))[1]
    once = prepared.call("why", str(names["ingest_path"]))
    assert once[0] == 0 and once[1].endswith(told[0][1]) and "The file that was at" in once[1]


def test_the_story_says_all_that_is_known(prepared: Prepared) -> None:
    names = prepared.placeholders()
    story = sentences(prepared, prepared.call("why", str(names["file"]))[1])
    for words in (
        f"File {names['asset_id']} is archived. It is a photo or video of ",
        "It lies in the archive: BASE/archive/2024/05/06/IMG_0001.JPG.",
        "It was first seen at BASE/ingest/camera/IMG_0001.JPG on ",
        "1 other file is a duplicate of it.",
        "It belongs together with 2024/05/06/IMG_0001.xmp; they move as one.",
        "It was taken on 2024-05-06 07:08:09, says its EXIF capture date (DateTimeOriginal).",
        "That is why it is filed under 2024/05/06.",
        f"Its batch is batch_{names['batch_id']:03d} (id {names['batch_id']}), which is sorted.",
        "It was proven in the delivery folder, read again and compared, on ",
        "it was moved from BASE/ingest/camera/IMG_0001.JPG to BASE/.mp-staging/",
        "Nothing more happens to it.",
    ):
        assert words in story, words


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("camera/scan.jpg", ["its modification time", "filed under 2021/07/08"]),
        ("IMG_20220304_050607.jpg", ["says its file name", "filed under 2022/03/04"]),
        ("phone/second-name.jpg", ["is set aside", "another name of a file that is known already", "assets retry"]),
        ("late/broken.jpg", ["has failed", "Input/output error", "assets retry"]),
        ("IMG_0900.JPG", ["Its batch is batch_003 (id 3), which is error: The peer's disk is full.", "batch retry 3"]),
        ("IMG_0001.xmp", ["It is a sidecar", "the file that it belongs together with"]),
    ],
)
def test_each_standing_has_its_reason_and_its_way_on(prepared: Prepared, named: str, words: list[str]) -> None:
    code, out, _ = prepared.call("why", named)
    assert code == 0
    assert [word for word in words if word not in out] == []


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("{base}/ingest/notes.txt", "It is left in place: not a photo or video (.txt)."),
        ("{base}/ingest/.hidden/a.jpg", "It is left in place: its folder .hidden is left in place: hidden folder."),
        ("{base}/ingest/@eaDir/a.jpg", "thumbnails of a Synology NAS"),
        ("{base}/ingest/skipped.jpg", "matches the ignore pattern skip*"),
        ("{base}/ingest/new.jpg", "No scan has seen it yet; the next run takes it in"),
        ("{base}/ingest/fresh.jpg", "and counts once it has not changed for 5 s."),
        ("{base}/ingest/link.jpg", "It is left in place: it is not a regular file."),
        ("{base}/ingest/.mp-x.part", "belongs to Media Pipeline itself"),
        ("{base}/ingest/folder", "is a folder. Files in it: media-pipeline assets find 'folder/'"),
        ("{base}/archive/mine.jpg", "It was not put there by Media Pipeline."),
        ("{base}/ingest/nothing.jpg", "There is no file at {base}/ingest/nothing.jpg in the ingest folder"),
        ("/usr/share/some.jpg", "/usr/share/some.jpg lies outside every folder of this installation: {base}/ingest,"),
        ("never-heard-of.jpg", "No file is known as never-heard-of.jpg."),
        ("99999", "No file is known as 99999."),
        ("../../../etc/passwd", "lies outside every folder"),
    ],
)
def test_a_file_that_no_row_knows_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named: str, words: str
) -> None:
    machine = Machine(tmp_path, capsys, scan={"settle_seconds": 5, "ignore_patterns": ["skip*"]})
    ingest = tmp_path / "ingest"
    monkeypatch.chdir("/usr/share")
    names = ["new.jpg", "skipped.jpg", "notes.txt", ".hidden/a.jpg", "@eaDir/a.jpg", ".mp-x.part", "folder/a.jpg"]
    write_tree(ingest, {name: make_jpeg(seed=1) for name in names})
    write_tree(tmp_path / "archive", {"mine.jpg": b"mine"})
    (ingest / "link.jpg").symlink_to("new.jpg")
    for name in names:
        os.utime(ingest / name, (1_600_000_000, 1_600_000_000))
    (ingest / "fresh.jpg").write_bytes(b"fresh")
    os.utime(ingest / "fresh.jpg", (time.time() + 60, time.time() + 60))

    code, out, err = machine.call("why", named.format(base=tmp_path))
    machine.services.close()
    assert (code, err) == (1, "")
    assert words.format(base=tmp_path) in out


def test_the_document_holds_the_story_and_says_whether_a_row_knows_the_file(prepared: Prepared) -> None:
    names = prepared.placeholders()
    known = answer(prepared, str(names["duplicate_path"]))
    assert known["known"] is True and known["asset"]["id"] == names["duplicate_id"]
    assert known["asset"]["original"]["id"] == names["asset_id"]
    unknown = answer(prepared, "/nowhere/IMG_0001.JPG")
    assert (unknown["known"], unknown["asset"]) == (False, None)
    assert str(names["asset_id"]) in unknown["hint"] and names["asset_id"] in unknown["others"]


def answer(prepared: Prepared, named: str) -> Any:
    return json.loads(prepared.call("why", named, "--json")[1])


def test_a_copy_that_stayed_leads_to_its_file(tmp_path: Path) -> None:
    with Installation(tmp_path, batch={"transfer_mode": "copy"}) as machine:
        write_tree(machine.folder("ingest"), {"a.jpg": make_jpeg(taken="2024:05:06 07:08:09", seed=1)})
        copied = call(machine.config_path, "run")
        assert copied[0] == 0, copied
        code, out, _ = call(machine.config_path, "why", str(machine.folder("ingest") / "a.jpg"))
    assert code == 0
    assert f"{tmp_path}/ingest/a.jpg is the copy that stayed when the file was copied on" in out
    assert f"It lies in the archive: {tmp_path}/archive/2024/05/06/a.jpg." in out
    assert f"A copy of it stays at {tmp_path}/ingest/a.jpg." in out


def test_a_file_that_is_gone_is_remembered(machine: Machine) -> None:
    write_tree(machine.base / "ingest", {"a.jpg": make_jpeg(seed=1)})
    machine.call("dedup")
    os.unlink(machine.base / "ingest" / "a.jpg")
    machine.call("dedup")
    with machine.services.db.reading() as conn:
        root = machine.services.root(RootKind.INGEST)
        assert assets.find_at(conn, root.id, b"a.jpg") is None
        assert assets.count(conn, AssetStatus.GONE) == 1
    code, out, _ = machine.call("why", str(machine.base / "ingest" / "a.jpg"))
    assert code == 0
    assert "has left the disk" in out and "should its content come again, it is taken in unless a peer keeps it" in out
