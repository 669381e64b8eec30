"""Moving files: what is placed where, what is refused, and what the rows say afterwards."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from app.db import kept_copies
from app.db.connection import Connection
from app.errors import TargetExists
from app.files.move import Moved
from app.model import AssetStatus, Place
from tests.files.library import Library


def test_a_moved_file_is_at_its_target_only_and_its_asset_with_it(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"a/1.jpg": b"one"})
    (asset,) = library.know([b"a/1.jpg"], algorithm="blake3")
    (moved,) = library.run([library.move_to(asset, b"2024/05/1.jpg")])
    assert (moved.outcome, moved.error) == ("moved", None)
    assert library.files(library.ingest) == {}
    assert library.files(library.archive) == {b"2024/05/1.jpg": b"one"}
    (placed,) = library.assets()
    assert (placed.root_id, placed.path, placed.status) == (library.archive.id, b"2024/05/1.jpg", AssetStatus.BATCHED)
    assert placed.signature == moved.signature
    assert placed.inode == os.stat(Place(library.archive, placed.path).absolute).st_ino
    assert library.rows() == [("DONE",)]


def test_mode_and_times_to_the_nanosecond_are_kept(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    source = Place(library.ingest, b"1.jpg").absolute
    os.chmod(source, 0o640)
    os.utime(source, ns=(1_234_567_890_123_456_789, 1_111_111_111_987_654_321))
    library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    seen = os.stat(Place(library.archive, b"1.jpg").absolute)
    assert (seen.st_mode & 0o777, seen.st_mtime_ns) == (0o640, 1_111_111_111_987_654_321)


def test_across_mounts_the_source_is_kept_in_the_trash(two_mounts: Library) -> None:
    library = two_mounts
    library.write(library.ingest, {b"a/1.jpg": b"one"})
    library.run([library.move_to(library.know([b"a/1.jpg"])[0], b"1.jpg")])
    assert library.trash() == [b"one"]
    ((method, path, is_trashed),) = library.rows("method, trash_path, trashed_at IS NOT NULL")
    assert (method, is_trashed) == ("copy", 1)
    assert os.listdir(library.ingest.path + b"/.mp-trash") == [path.removeprefix(b".mp-trash/")]


def test_on_one_mount_nothing_goes_through_the_trash(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert library.rows("method, trashed_at") == [("rename", None)]
    assert not os.path.lexists(library.ingest.path + b"/.mp-trash")


def test_a_target_with_other_content_is_never_replaced(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"mine"})
    library.write(library.archive, {b"1.jpg": b"theirs"})
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert isinstance(moved.error, TargetExists)
    assert library.files(library.ingest) == {b"1.jpg": b"mine"}
    assert library.files(library.archive) == {b"1.jpg": b"theirs"}
    assert library.assets()[0].status is AssetStatus.UNIQUE
    assert library.rows() == [("ABORTED",)]


def test_a_target_of_the_same_size_and_other_content_is_other_content(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"abc"})
    library.write(library.archive, {b"1.jpg": b"abd"})
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert isinstance(moved.error, TargetExists)
    assert library.files(library.archive) == {b"1.jpg": b"abd"}


def all_but_atime(place: Place) -> tuple[int, ...]:
    """What a change to the file would show in; reading it to compare may change its atime."""
    seen = os.stat(place.absolute)
    return seen.st_ino, seen.st_mode, seen.st_nlink, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def test_the_same_content_at_the_target_is_accepted_and_left_untouched(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"same"})
    library.write(library.archive, {b"1.jpg": b"same"})
    there = all_but_atime(Place(library.archive, b"1.jpg"))
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert moved.outcome == "already_there"
    assert all_but_atime(Place(library.archive, b"1.jpg")) == there
    assert library.files(library.ingest) == {}
    assert library.trash() == [b"same"]
    assert library.assets()[0].path == b"1.jpg"
    assert library.assets()[0].root_id == library.archive.id


def test_a_place_that_belongs_to_another_asset_is_refused_before_anything_is_touched(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"same"})
    library.write(library.archive, {b"1.jpg": b"same"})
    (holder,) = library.know([b"1.jpg"], root=library.archive)
    (asset,) = library.know([b"1.jpg"])
    (moved,) = library.run([library.move_to(asset, b"1.jpg")])
    assert isinstance(moved.error, TargetExists)
    assert f"asset {holder.id}" in str(moved.error)
    assert library.files(library.ingest) == {b"1.jpg": b"same"}


def test_two_files_for_one_name_in_one_call_collide_like_any_others(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"a/1.jpg": b"first", b"b/1.jpg": b"second"})
    first, second = library.know([b"a/1.jpg", b"b/1.jpg"])
    results = library.run([library.move_to(first, b"1.jpg"), library.move_to(second, b"1.jpg")])
    assert [m.outcome for m in results] == ["moved", "failed"]
    assert library.files(library.archive) == {b"1.jpg": b"first"}
    assert library.files(library.ingest) == {b"b/1.jpg": b"second"}


def test_two_names_of_one_inode_both_arrive(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    os.link(Place(library.ingest, b"1.jpg").absolute, Place(library.ingest, b"2.jpg").absolute)
    first, second = library.know([b"1.jpg", b"2.jpg"])
    results = library.run([library.move_to(first, b"1.jpg"), library.move_to(second, b"2.jpg")])
    assert [m.outcome for m in results] == ["moved", "moved"]
    assert library.files(library.archive) == {b"1.jpg": b"one", b"2.jpg": b"one"}


def test_a_target_that_is_the_source_by_another_name_is_refused_and_both_names_stay(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    os.link(Place(library.ingest, b"1.jpg").absolute, Place(library.archive, b"1.jpg").absolute)
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert isinstance(moved.error, TargetExists)
    assert "same file" in str(moved.error)
    assert library.files(library.ingest) == library.files(library.archive) == {b"1.jpg": b"one"}


def test_a_copy_leaves_the_source_and_is_counted_once(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    (moved,) = library.run([library.move_to(asset, b"1.jpg", keep=True)])
    assert moved.outcome == "moved"
    assert library.files(library.ingest) == library.files(library.archive) == {b"1.jpg": b"one"}
    assert library.assets()[0].root_id == library.archive.id
    with library.db.reading() as conn:
        kept = kept_copies.list_at(conn, library.ingest.id, [b"1.jpg"])
    assert kept[b"1.jpg"][1:] == (asset.id, asset.signature)
    assert library.trash() == []


def test_a_copy_shares_nothing_with_its_source(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg", keep=True)])
    library.write(library.ingest, {b"1.jpg": b"edited"})
    assert library.files(library.archive) == {b"1.jpg": b"one"}


def test_a_delivered_copy_leaves_the_asset_where_it_is(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])
    library.run([library.move_to(asset, b"1.jpg", keep=True, places=False)])
    assert library.files(library.archive) == {b"1.jpg": b"one"}
    assert library.assets() == [asset]


def test_extended_attributes_travel_with_a_copy(two_mounts: Library) -> None:
    library = two_mounts
    library.write(library.ingest, {b"1.jpg": b"one"})
    source = Place(library.ingest, b"1.jpg").absolute
    os.setxattr(source, b"user.rating", b"5")
    (moved,) = library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    assert moved.outcome == "moved"
    target = Place(library.archive, b"1.jpg").absolute
    try:
        os.setxattr(target, b"user.probe", b"")
    except OSError:
        return  # this file system keeps none, and that must not stop a move
    assert os.getxattr(target, b"user.rating") == b"5"


def test_what_the_caller_adds_is_in_the_same_commit(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"1.jpg": b"one", b"2.jpg": b"two"})
    known = library.know([b"1.jpg", b"2.jpg"])
    seen: list[tuple[str, ...]] = []

    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        states = conn.exec_driver_sql("SELECT state FROM moves ORDER BY id").scalars()
        seen.append((*states, *[m.outcome for m in moved]))

    from app.files.move import move_files

    wanted = [library.move_to(a, a.path) for a in known]
    groups: list[int] = []
    move_files(
        library.db, wanted, run_id=None, settle=settle, group_size=1, after_group=lambda m: groups.append(len(m))
    )
    assert seen == [("DONE", "moved"), ("DONE", "DONE", "moved")]
    assert groups == [1, 1]


def test_an_unfinished_move_of_before_is_recovered_first(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    (asset,) = library.know([b"1.jpg"])

    def fail(_conn: Connection, _moved: Sequence[Moved]) -> None:
        raise KeyboardInterrupt

    from app.files.move import move_files

    with pytest.raises(KeyboardInterrupt):
        move_files(library.db, [library.move_to(asset, b"1.jpg")], run_id=None, settle=fail)
    assert library.rows() == [("PLANNED",)]
    library.write(library.ingest, {b"2.jpg": b"two"})
    library.run([library.move_to(library.know([b"2.jpg"])[0], b"2.jpg")])
    assert library.rows() == [("DONE",), ("DONE",)]
    assert library.events() == ["move.recovered"]
    assert library.assets()[0].path == b"1.jpg"
    assert library.assets()[0].root_id == library.archive.id


def test_totals_add_up_after_moves(any_library: Library) -> None:
    library = any_library
    library.write(library.ingest, {b"%d.jpg" % n: b"x" * n for n in range(20)})
    known = library.know([b"%d.jpg" % n for n in range(20)])
    library.run([library.move_to(a, a.path) for a in known], group_size=7)
    with library.db.reading() as conn:
        counted = conn.exec_driver_sql("SELECT status, file_count, size_bytes FROM totals WHERE file_count").all()
    assert [tuple(row) for row in counted] == [("batched", 20, sum(range(20)))]
