"""Moves that are refused, each with its own words, and odd names that are not."""

from __future__ import annotations

import dataclasses
import os
import socket

import pytest

from app.db import assets
from app.errors import FileError, OutsideRoot, RootUnavailable, SourceChanged
from app.files.roots import MARKER_NAME
from app.model import AssetStatus, Place
from tests.files.library import Library


def test_a_move_onto_itself_is_refused(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    (moved,) = library.run([library.move_to(asset, b"1.jpg", root=library.ingest)])
    assert isinstance(moved.error, FileError)
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


def test_a_file_that_changed_after_hashing_is_not_moved(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"before"})
    (asset,) = library.know([b"1.jpg"])
    library.write(library.ingest, {b"1.jpg": b"after!"})
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert isinstance(moved.error, SourceChanged)
    assert library.files(library.ingest) == {b"1.jpg": b"after!"}
    assert library.files(library.archive) == {}


def test_a_change_that_restores_the_modification_time_is_noticed(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"before"})
    (asset,) = library.know([b"1.jpg"])
    library.write(library.ingest, {b"1.jpg": b"after!"})
    os.utime(Place(library.ingest, b"1.jpg").absolute, ns=(asset.mtime_ns, asset.mtime_ns))
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert isinstance(moved.error, SourceChanged)
    assert library.files(library.ingest) == {b"1.jpg": b"after!"}


def test_a_file_whose_signature_changed_but_not_its_content_is_moved(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    os.chmod(Place(library.ingest, b"1.jpg").absolute, 0o600)
    os.utime(Place(library.ingest, b"1.jpg").absolute)
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert moved.outcome == "moved"


def test_a_vanished_source_fails_alone(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one", b"2.jpg": b"two"})
    gone, stays = library.know([b"1.jpg", b"2.jpg"])
    os.unlink(Place(library.ingest, b"1.jpg").absolute)
    results = library.run([library.move_to(gone, b"1.jpg"), library.move_to(stays, b"2.jpg")])
    assert isinstance(results[0].error, SourceChanged)
    assert results[1].outcome == "moved"
    assert library.files(library.archive) == {b"2.jpg": b"two"}


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "socket", "folder"])
def test_what_is_no_plain_file_is_refused_at_once(any_library: Library, kind: str) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one", b"other.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    path = Place(library.ingest, b"1.jpg").absolute
    os.unlink(path)
    _make(kind, path)
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert isinstance(moved.error, FileError)
    assert os.path.lexists(path)
    assert library.files(library.archive) == {}


def _make(kind: str, path: bytes) -> None:
    if kind == "link":
        os.symlink(b"other.jpg", path)
    elif kind == "dangling link":
        os.symlink(b"nowhere", path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    else:
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.basename(path))
        os.chdir(here)


@pytest.mark.parametrize(
    "name",
    [
        b"bad\xff\xfe.jpg",
        b"line\nbreak.jpg",
        b"-rf",
        b"'\"<script>{{7*7}}.jpg",
        b" x. ",
        b"CON",
        "é".encode(),
        b"n" * 255,
    ],
)
def test_names_are_bytes_and_arrive_as_they_were(any_library: Library, name: bytes) -> None:
    library = any_library
    library.write(library.ingest, {name: b"one"})
    (asset,) = library.know([name])
    assert library.run([library.move_to(asset, b"deep/" + name)])[0].outcome == "moved"
    assert library.files(library.archive) == {b"deep/" + name: b"one"}


def test_names_in_both_unicode_forms_are_two_names(any_library: Library) -> None:
    library = any_library
    composed, decomposed = "é.jpg".encode(), "e\u0301.jpg".encode()
    library.write(library.ingest, {composed: b"one", decomposed: b"two"})
    library.run([library.move_to(a, a.path) for a in library.know([composed, decomposed])])
    assert library.files(library.archive) == {composed: b"one", decomposed: b"two"}


def test_a_name_that_is_too_long_fails_with_clear_words(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"n" * 256)])
    assert isinstance(moved.error, FileError)
    assert "too long" in str(moved.error)
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


@pytest.mark.parametrize("path", [b"../1.jpg", b"/etc/1.jpg", b"a/../../1.jpg", b"", b"a//b", b"a/."])
def test_a_path_that_leaves_its_root_is_refused(library: Library, path: bytes) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], path)])
    assert isinstance(moved.error, OutsideRoot)
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


def test_a_folder_swapped_for_a_link_is_never_followed(any_library: Library) -> None:
    library = any_library
    outside = library.base / "outside"
    outside.mkdir()
    os.symlink(outside, library.archive.path + b"/2024")
    library.write(library.ingest, {b"1.jpg": b"one"})
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"2024/1.jpg")])
    assert isinstance(moved.error, OutsideRoot)
    assert list(outside.iterdir()) == []
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


def test_a_source_folder_swapped_for_a_link_is_never_followed(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"a/1.jpg": b"one"})
    (asset,) = library.know([b"a/1.jpg"])
    os.rename(library.ingest.path + b"/a", library.ingest.path + b"/b")
    os.symlink(b"b", library.ingest.path + b"/a")
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert isinstance(moved.error, FileError)
    assert library.files(library.ingest) == {b"b/1.jpg": b"one"}


def test_a_root_without_its_marker_stops_all_work(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    os.unlink(library.archive.path + b"/" + MARKER_NAME)
    with pytest.raises(RootUnavailable, match="marker"):
        library.run([library.move_to(asset, b"2024/1.jpg")])
    assert os.listdir(library.archive.path) == []
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


def test_a_file_that_was_not_hashed_is_not_moved(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    (moved,) = library.run([library.move_to(dataclasses.replace(asset, digest=None), b"1.jpg")])
    assert isinstance(moved.error, FileError)
    assert library.files(library.ingest) == {b"1.jpg": b"one"}


def test_an_asset_whose_row_changed_meanwhile_is_not_moved(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one", b"2.jpg": b"two"})
    changed, other = library.know([b"1.jpg", b"2.jpg"])
    with library.db.transaction() as conn:
        assets.mark(conn, [changed], AssetStatus.SET_ASIDE)
    results = library.run([library.move_to(changed, b"1.jpg"), library.move_to(other, b"2.jpg")])
    assert [m.outcome for m in results] == ["failed", "moved"]
    assert library.files(library.ingest) == {b"1.jpg": b"one"}
