"""Scan: a file that lies elsewhere in ingest is the asset that it was; a copy, and another file, are not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app.db import assets, totals
from app.model import Asset, AssetStatus
from app.pipeline import dedup
from app.services import Services
from tests.conftest import make_jpeg, make_services, write_tree
from tests.pipeline.stages import change, events, ingest, rows, run_dedup, run_scan, states, take_stock

SECOND = 1_500_000_000 * 10**9


def folder_of(services: Services) -> Path:
    return Path(os.fsdecode(ingest(services)))


def what_is_known(asset: Asset) -> tuple[object, ...]:
    """All that is known of an asset beside its place."""
    return asset.id, asset.status, asset.digest, asset.sha256, asset.taken_local, asset.taken_from


def adds_up(services: Services) -> bool:
    with services.db.reading() as conn:
        counted = totals.read(conn)
        return all(counted[status][0] == assets.count(conn, status) for status in AssetStatus)


def told(services: Services) -> dict[str, int]:
    """What a scan tells of changes, without zeros."""
    detail = run_scan(services).detail
    return {name: detail[name] for name in ("new", "changed", "moved", "vanished") if detail[name]}


def test_a_renamed_file_keeps_its_row_and_what_is_known_of_it(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": make_jpeg(taken="2024:05:01 10:00:00"), "copy.jpg": b"22", "twin.jpg": b"22"})
    take_stock(services)
    before = rows(services)
    (folder / "a.jpg").rename(folder / "holiday.jpg")
    assert told(services) == {"moved": 1}
    after = rows(services)[b"holiday.jpg"]
    assert what_is_known(after) == what_is_known(before[b"a.jpg"])
    assert (after.origin_path, after.inspected_at) == (b"holiday.jpg", None)
    assert events(services, "asset.moved") == [
        f"holiday.jpg moved from {folder}/a.jpg to {folder}/holiday.jpg; what is known of it was kept."
    ]
    assert not events(services, "asset.vanished")
    take_stock(services)
    assert what_is_known(rows(services)[b"holiday.jpg"]) == what_is_known(before[b"a.jpg"])
    assert told(services) == {}


def test_a_renamed_folder_is_told_in_one_line_and_its_groups_stay_whole(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(services)
    tree = {f"IMG_{n}.{end}": b"%d %s" % (n, end.encode()) for n in range(20) for end in ("heic", "mov", "xmp")}
    write_tree(folder, {"phone": tree, "twins": {"one.jpg": b"1 heic"}})
    take_stock(services)
    before = {path.rpartition(b"/")[2]: asset for path, asset in rows(services).items()}
    (folder / "phone").rename(folder / "summer")
    monkeypatch.setattr(dedup, "Digesting", None)
    assert told(services) == {"moved": 60}
    for path, asset in rows(services).items():
        former = before[path.rpartition(b"/")[2]]
        assert (what_is_known(asset), asset.group_id) == (what_is_known(former), former.group_id)
        assert asset.original_id == former.original_id
    assert events(services, "asset.moved") == [
        f"60 files moved from {folder}/phone to {folder}/summer; what is known of them was kept."
    ]
    assert adds_up(services)


def test_a_file_that_leaves_its_group_is_judged_again_without_being_read(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a": {"IMG_1.jpg": b"photo", "IMG_1.mov": b"film"}, "b": {"X.jpg": b"photo", "X.mov": b"film"}})
    take_stock(services)
    before = rows(services)
    (folder / "b" / "X.mov").rename(folder / "X.mov")
    assert told(services) == {"moved": 1}
    moved = rows(services)[b"X.mov"]
    assert (moved.id, moved.sha256) == (before[b"b/X.mov"].id, before[b"b/X.mov"].sha256)
    assert (moved.status, moved.group_id != before[b"b/X.mov"].group_id) == ("discovered", True)
    report = run_dedup(services)
    assert report.detail["read"] == report.detail["ends_read"] == 0
    assert states(services)[b"X.mov"] == "duplicate"
    assert adds_up(services)


def test_a_file_seen_gone_first_and_found_by_a_later_scan_is_the_same_asset(services: Services, tmp_path: Path) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": b"one", "b.jpg": b"two"})
    take_stock(services)
    before = rows(services)[b"a.jpg"]
    (folder / "a.jpg").rename(tmp_path / "on its way.jpg")
    assert told(services) == {"vanished": 1}
    (tmp_path / "on its way.jpg").rename(folder / "c.jpg")
    assert told(services) == {"moved": 1}
    assert rows(services)[b"c.jpg"].status == "discovered"
    take_stock(services)
    assert what_is_known(rows(services)[b"c.jpg"]) == what_is_known(before)
    (folder / "c.jpg").rename(tmp_path / "again.jpg")
    run_scan(services)
    (tmp_path / "again.jpg").rename(folder / "c.jpg")
    assert told(services) == {"moved": 1}
    assert events(services, "asset.moved")[-1] == f"{folder}/c.jpg is back; what is known of it was kept."
    assert adds_up(services)


def test_a_file_that_came_by_another_disk_is_known_by_what_it_holds(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"old": {"a.jpg": b"1234", "b.jpg": b"1234", "c.jpg": b"abcd", "d.jpg": b"abcd"}})
    take_stock(services)
    before = rows(services)
    (folder / "new").mkdir()
    for name, content in (("a.jpg", b"1234"), ("c.jpg", b"ABCD")):
        (folder / "old" / name).unlink()
        (folder / "new" / name).write_bytes(content)
    assert told(services) == {"moved": 1, "new": 1, "vanished": 1}
    after = rows(services)
    assert after[b"new/a.jpg"].id == before[b"old/a.jpg"].id
    assert after[b"new/c.jpg"].id not in {asset.id for asset in before.values()}


def test_a_copy_beside_the_old_file_is_a_duplicate_and_no_move(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": b"one"})
    take_stock(services)
    shutil.copy2(folder / "a.jpg", folder / "z copy.jpg")
    assert told(services) == {"new": 1}
    run_dedup(services)
    assert states(services) == {b"a.jpg": "unique", b"z copy.jpg": "duplicate"}


def test_new_changed_moved_and_vanished_are_told_apart(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"stays.jpg": b"1", "changes.jpg": b"2", "moves.jpg": b"3", "goes.jpg": b"4"})
    take_stock(services)
    write_tree(folder, {"comes.jpg": b"a new one", "changes.jpg": b"changed"})
    (folder / "moves.jpg").rename(folder / "moved.jpg")
    (folder / "goes.jpg").unlink()
    report = run_scan(services)
    assert "1 new, 1 changed, 1 moved, 1 vanished" in report.message
    assert adds_up(services)


def test_an_inode_given_anew_does_not_make_another_photo_the_old_one(services: Services) -> None:
    """Whole seconds, one size, and the same inode: only what it holds tells that this is another file."""
    folder = folder_of(services)
    write_tree(folder, {"a.ARW": b"sunset", "twin.ARW": b"sunset"})
    for path in folder.iterdir():
        os.utime(path, ns=(SECOND, SECOND))
    take_stock(services)
    before = rows(services)
    (folder / "a.ARW").write_bytes(b"beach!")
    (folder / "a.ARW").rename(folder / "b.ARW")
    os.utime(folder / "b.ARW", ns=(SECOND, SECOND))
    assert told(services) == {"new": 1, "vanished": 1}
    (folder / "twin.ARW").rename(folder / "c.ARW")
    assert told(services) == {"moved": 1}
    assert rows(services)[b"c.ARW"].id == before[b"twin.ARW"].id


def test_both_names_of_one_file_move_each_with_its_own_row(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a": {"one.jpg": b"one file"}})
    os.link(folder / "a" / "one.jpg", folder / "a" / "two.jpg")
    take_stock(services)
    before = rows(services)
    (folder / "a").rename(folder / "b")
    assert told(services) == {"moved": 2}
    after = rows(services)
    assert {p: a.id for p, a in after.items()} == {b"b" + p[1:]: a.id for p, a in before.items()}
    assert states(services) == {b"b/one.jpg": "unique", b"b/two.jpg": "set_aside"}


def test_what_a_person_has_to_see_to_stays_so_wherever_it_is_moved(services: Services) -> None:
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": b"one", "a.mov": b"two"})
    take_stock(services)
    change(services, rows(services)[b"a.jpg"], AssetStatus.SET_ASIDE, reason="its batch was taken back")
    change(services, rows(services)[b"a.mov"], AssetStatus.FAILED, reason="cannot be read", attempts=3)
    (folder / "a.jpg").rename(folder / "b.jpg")
    (folder / "a.mov").rename(folder / "c.mov")
    run_scan(services)
    assert states(services) == {b"b.jpg": "set_aside", b"c.mov": "failed"}
    assert rows(services)[b"c.mov"].reason == "cannot be read"


def test_a_moved_file_settles_before_it_is_believed(tmp_path: Path) -> None:
    services = make_services(tmp_path, scan={"settle_seconds": 1})
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": b"one"})
    run_scan(services)
    before = rows(services)[b"a.jpg"].id
    (folder / "a.jpg").rename(folder / "b.jpg")
    assert told(services) == {"moved": 1}
    assert rows(services)[b"b.jpg"].id == before
    services.close()
