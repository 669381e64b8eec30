"""Walking a root: what counts, what is left in place and why, and that nothing there can stop or fool it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import RootUnavailable
from app.files.kinds import file_kind, folder_reason, group_stem
from app.files.takeout import takeout_partner
from app.files.walk import Found, signature_at, walk
from app.model import Root, RootKind


def root_at(path: Path) -> Root:
    return Root(1, RootKind.INGEST, "", os.fsencode(path), "marker")


def walked(path: Path, patterns: tuple[str, ...] = ()) -> dict[bytes, Found]:
    return {found.path: found for found in walk(root_at(path), patterns)}


def kinds(path: Path) -> dict[bytes, str]:
    return {name: found.kind for name, found in walked(path).items()}


def test_photos_videos_and_sidecars_are_told_from_other_files(tmp_path: Path, make_files: Callable[..., None]) -> None:
    make_files(tmp_path, {"a/IMG_1.JPG": b"x", "a/IMG_1.xmp": b"x", "b/clip.Mp4": b"x", "b/notes.txt": b"x", "x": b"y"})
    assert kinds(tmp_path) == {
        b"a/IMG_1.JPG": "media",
        b"a/IMG_1.xmp": "sidecar",
        b"b/clip.Mp4": "media",
        b"b/notes.txt": "left",
        b"x": "left",
    }


@pytest.mark.parametrize(
    "name",
    [
        b".DS_Store", b"._IMG_1.jpg", b"Thumbs.db", b"desktop.ini", b"SYNOFILE_THUMB_M.jpg",
        b".syncthing.IMG_1.jpg.tmp",
        b"~syncthing~IMG_1.jpg.tmp", b".syncthing.IMG_1.jpg", b"IMG_1.jpg.part", b"IMG_1.jpg.crdownload", b"IMG_1.tmp",
        b"IMG_1.jpg.partial", b".IMG_1.jpg.a1B2c3", b".trashed-1700000000-IMG_1.jpg", b".pending-1700000000-IMG_1.jpg",
        b".stignore", b".IMG_1.HEIC.icloud", b"~$list.docx", b".fuse_hidden000001", b"metadata.json",
    ],
)  # fmt: skip
def test_what_other_programs_leave_about_is_left_in_place_with_a_reason(name: bytes) -> None:
    kind, reason = file_kind(name)
    assert kind == "left"
    assert reason


@pytest.mark.parametrize(
    "name", [b"@eaDir", b"@__thumb", b".Spotlight-V100", b".Trashes", b"#recycle", b".stfolder", b".stversions",
             b".thumbnails", b"lost+found", b"$RECYCLE.BIN", b"__MACOSX", b".hidden"],
)  # fmt: skip
def test_folders_of_other_programs_are_listed_and_not_entered(
    name: bytes, tmp_path: Path, make_files: Callable[..., None]
) -> None:
    make_files(tmp_path, {os.fsdecode(name): {"IMG_1.jpg": b"x"}})
    found = walked(tmp_path)
    assert list(found) == [name]
    assert found[name].kind == "left"
    assert found[name].reason == folder_reason(name)


def test_our_own_names_are_passed_over_in_silence(tmp_path: Path, make_files: Callable[..., None]) -> None:
    make_files(tmp_path, {".media-pipeline-root": b"{}", ".mp-trash/7": b"x", ".mp-0123.part": b"x", "a.jpg": b"x"})
    assert kinds(tmp_path) == {b"a.jpg": "media"}


def test_links_pipes_sockets_and_devices_are_left_in_place_and_never_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    ingest = tmp_path / "ingest"
    ingest.mkdir()
    os.symlink(outside / "secret.jpg", ingest / "file.jpg")
    os.symlink(outside, ingest / "folder")
    os.symlink(ingest, ingest / "loop")
    os.symlink("nowhere.jpg", ingest / "dangling.jpg")
    os.mkfifo(ingest / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fsencode(ingest / "socket.jpg"))
        found = walked(ingest)
    assert {name: f.reason for name, f in found.items()} == {
        b"file.jpg": "symbolic link",
        b"folder": "symbolic link",
        b"loop": "symbolic link",
        b"dangling.jpg": "symbolic link",
        b"pipe.jpg": "named pipe",
        b"socket.jpg": "socket",
    }


def test_hostile_names_come_out_byte_for_byte(tmp_path: Path) -> None:
    names = [
        b"bad\xff.jpg", b"new\nline.jpg", b"quote'\".jpg", b"<script>.jpg", b"-rf.jpg", b"{{7*7}}.jpg", b"a:b.jpg",
        b" .jpg",
        b"trailing .jpg", b"x" * 251 + b".jpg", "e\u0301.jpg".encode(), "\u00e9.jpg".encode(),
    ]  # fmt: skip
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    assert sorted(walked(tmp_path)) == sorted(names)
    assert all(found.kind == "media" for found in walked(tmp_path).values())


def test_a_very_deep_folder_is_walked_to_its_end(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(60):
        os.mkdir(b"d" * 100, dir_fd=here)
        deeper = os.open(b"d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open(b"deep.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert list(walked(tmp_path)) == [b"/".join([b"d" * 100] * 60) + b"/deep.jpg"]


def test_configured_patterns_leave_files_and_folders_in_place(tmp_path: Path, make_files: Callable[..., None]) -> None:
    make_files(tmp_path, {"private": {"a.jpg": b"x"}, "b.jpg": b"x", "draft_1.jpg": b"x"})
    found = walked(tmp_path, ("private", "draft_*"))
    assert {name: f.kind for name, f in found.items()} == {
        b"private": "left",
        b"b.jpg": "media",
        b"draft_1.jpg": "left",
    }
    assert "draft_*" in found[b"draft_1.jpg"].reason


def test_a_root_that_is_not_there_stops_the_walk(tmp_path: Path) -> None:
    with pytest.raises(RootUnavailable):
        list(walk(root_at(tmp_path / "absent")))


def test_a_folder_swapped_for_a_link_during_the_walk_never_leads_outside(tmp_path: Path) -> None:
    outside, ingest = tmp_path / "outside", tmp_path / "ingest"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    (ingest / "a").mkdir(parents=True)
    (ingest / "a" / "mine.jpg").write_bytes(b"x")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(ingest / "a", ingest / "b")
            os.symlink(outside, ingest / "a")
            os.unlink(ingest / "a")
            os.rename(ingest / "b", ingest / "a")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = {found.path for _ in range(300) for found in walk(root_at(ingest))}
    finally:
        stop.set()
        thread.join()
    assert not any(b"secret" in path for path in seen)


def test_the_signature_at_a_place_tells_absent_from_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe.jpg")
    root = root_at(tmp_path)
    seen = signature_at(root, b"a.jpg")
    assert seen is not None and seen.size_bytes == 3
    assert signature_at(root, b"b.jpg") is None
    assert signature_at(root, b"no/such/folder.jpg") is None
    assert signature_at(root, b"pipe.jpg") is None
    with pytest.raises(OSError, match="too long"):
        signature_at(root, b"x" * 300)


@pytest.mark.parametrize(
    ("name", "stem"),
    [(b"IMG_1.HEIC", b"IMG_1"), (b"IMG_1.MOV", b"IMG_1"), (b"IMG_1.xmp", b"IMG_1"), (b"IMG_1.jpg.xmp", b"IMG_1"),
     (b"IMG.1.jpg", b"IMG.1"), (b"IMG.1.xmp", b"IMG.1"), (b"noending", b"noending"), (b".jpg", b".jpg")],
)  # fmt: skip
def test_members_of_a_group_share_a_stem(name: bytes, stem: bytes) -> None:
    assert group_stem(name) == stem


@pytest.mark.parametrize(
    ("json_name", "media"),
    [
        (b"IMG_1.jpg.json", b"IMG_1.jpg"),
        (b"IMG_1.jpg.supplemental-metadata.json", b"IMG_1.jpg"),
        (b"IMG_1.jpg.supplemental-me.json", b"IMG_1.jpg"),
        (b"IMG_1.jpg.s.json", b"IMG_1.jpg"),
        (b"IMG_1.jpg(2).json", b"IMG_1(2).jpg"),
        (b"IMG_1.jpg.supplemental-metadata(2).json", b"IMG_1(2).jpg"),
        (
            b"a_very_long_name_that_goes_on_and_on_and_on_12.json",
            b"a_very_long_name_that_goes_on_and_on_and_on_123.jpg",
        ),
        (b"metadata.json", None),
        (b"IMG_9.jpg.json", None),
    ],
)
def test_a_takeout_json_finds_the_photo_that_it_describes(json_name: bytes, media: bytes | None) -> None:
    names = {b"IMG_1.jpg", b"IMG_1(2).jpg", b"a_very_long_name_that_goes_on_and_on_and_on_123.jpg"}
    assert takeout_partner(json_name, names) == media


def test_a_json_file_is_a_sidecar_only_beside_its_photo(tmp_path: Path, make_files: Callable[..., None]) -> None:
    make_files(tmp_path, {"IMG_1.jpg": b"x", "IMG_1.jpg.json": b"{}", "package.json": b"{}"})
    assert kinds(tmp_path) == {b"IMG_1.jpg": "media", b"IMG_1.jpg.json": "sidecar", b"package.json": "left"}
    assert walked(tmp_path)[b"IMG_1.jpg.json"].group_name == b"IMG_1.jpg"
