"""Moving a folder that we made by one rename."""

from __future__ import annotations

import os

import pytest

from app.errors import FileError, SourceChanged, TargetExists
from app.files.move_directory import move_directory
from app.model import Place, RootKind, Signature
from tests.files.library import Library


def publish(library: Library, name: bytes = b"b1") -> Signature:
    source, target = Place(library.roots[RootKind.STAGING], name), Place(library.archive, name)
    return move_directory(library.db, source, target, run_id=None, batch_id=None, purpose="publish")


def test_a_folder_moves_with_all_that_is_in_it(library: Library) -> None:
    library.write(library.roots[RootKind.STAGING], {b"b1/a/1.jpg": b"one", b"b1/manifest.json": b"{}"})
    publish(library)
    assert library.files(library.archive) == {b"b1/a/1.jpg": b"one", b"b1/manifest.json": b"{}"}
    assert library.files(library.roots[RootKind.STAGING]) == {}
    assert library.rows("state, is_directory") == [("DONE", 1)]


@pytest.mark.parametrize("taken", ["folder", "empty folder", "file"])
def test_a_folder_never_replaces_what_is_at_the_target(library: Library, taken: str) -> None:
    library.write(library.roots[RootKind.STAGING], {b"b1/1.jpg": b"mine"})
    if taken == "file":
        library.write(library.archive, {b"b1": b"theirs"})
    else:
        os.mkdir(library.archive.path + b"/b1")
    if taken == "folder":
        library.write(library.archive, {b"b1/1.jpg": b"theirs"})
    before = library.files(library.archive)
    with pytest.raises(TargetExists):
        publish(library)
    assert library.files(library.archive) == before
    assert library.files(library.roots[RootKind.STAGING]) == {b"b1/1.jpg": b"mine"}


def test_a_folder_that_is_not_there_cannot_be_moved(library: Library) -> None:
    with pytest.raises(SourceChanged):
        publish(library)


def test_a_file_is_not_moved_as_a_folder(library: Library) -> None:
    library.write(library.roots[RootKind.STAGING], {b"b1": b"a file"})
    with pytest.raises(FileError):
        publish(library)


def test_a_folder_is_never_copied_across_mounts(two_mounts: Library) -> None:
    library = two_mounts
    library.write(library.roots[RootKind.STAGING], {b"b1/1.jpg": b"mine"})
    with pytest.raises(FileError, match="cross a mount"):
        publish(library)
    assert library.files(library.roots[RootKind.STAGING]) == {b"b1/1.jpg": b"mine"}
    assert library.files(library.archive) == {}
    assert library.rows() == [("ABORTED",)]
