"""The migration that gives groups of before the keys that files get now."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.db.connection import Connection, Database
from tests.db.test_migrate import upgrade_to

MIGRATION = importlib.import_module("app.db.migrations.versions.0018_group_keys")

#: By id, folder and stem of a group; group, name and status of a file.
Groups = Mapping[int, tuple[str, str]]
Files = Mapping[int, tuple[int, str, str]]


def write_before(conn: Connection, groups: Groups, files: Files) -> None:
    """Groups (folder, stem) and files (group, name, status) as a database of this time holds them."""
    conn.exec_driver_sql("INSERT INTO roots VALUES (1, 'ingest', '', x'2f', 'm', 'now')")
    conn.exec_driver_sql(
        "INSERT INTO groups (id, root_id, folder, stem) VALUES (?, 1, ?, ?)",
        [(group_id, folder.encode(), stem.encode()) for group_id, (folder, stem) in groups.items()],
    )
    conn.exec_driver_sql(
        "INSERT INTO assets (id, root_id, path, origin_path, group_id, status, inspected_at, size_bytes, mtime_ns, "
        "ctime_ns, device, inode, attempts, first_seen_at, updated_at) "
        "VALUES (?, 1, ?, ?, ?, ?, 'then', 1, 1, 1, 1, 1, 0, 'now', 'now')",
        [
            (asset_id, b"%d-" % asset_id + name.encode(), f"{groups[group_id][0]}/{name}".encode(), group_id, status)
            for asset_id, (group_id, name, status) in files.items()
        ],
    )


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0017")
    return path


def migrated(
    path: str, groups: Groups, files: Files, revision: str = "0018"
) -> tuple[dict[int, bytes], dict[int, tuple[int, str | None]]]:
    """By id, the stem of each group, and the group of each file with the time of its inspection, afterwards."""
    db = Database(path)
    with db.transaction() as conn:
        write_before(conn, groups, files)
    db.close()
    upgrade_to(path, revision)
    db = Database(path)
    with db.reading() as conn:
        stems = {row[0]: row[1] for row in conn.exec_driver_sql("SELECT id, stem FROM groups")}
        members = {r[0]: (r[1], r[2]) for r in conn.exec_driver_sql("SELECT id, group_id, inspected_at FROM assets")}
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        left = "SELECT name FROM sqlite_master WHERE name GLOB '*new_*' OR name GLOB 'mixed*'"
        assert conn.exec_driver_sql(left).all() == []
    db.close()
    return stems, members


def test_groups_that_belong_together_become_one_and_those_that_wait_are_dated_anew(path: str) -> None:
    groups = {1: ("a", "IMG_1"), 2: ("a", "IMG_1-edited"), 3: ("b", "IMG_1-edited"), 4: ("a", "IMG_2")}
    files = {1: (1, "IMG_1.jpg", "unique"), 2: (2, "IMG_1-edited.jpg", "unique"), 3: (3, "IMG_1-edited.jpg", "unique"),
             4: (4, "IMG_2.jpg", "unique"), 5: (2, "IMG_1-edited.xmp", "archived")}  # fmt: skip
    stems, members = migrated(path, groups, files)
    assert stems == {1: b"IMG_1", 3: b"IMG_1", 4: b"IMG_2"}
    assert members == {1: (1, None), 2: (1, None), 3: (3, "then"), 4: (4, "then"), 5: (1, "then")}


def test_keys_that_change_places_mix_no_files(path: str) -> None:
    groups = {1: ("a", "IMG_1-edited~2"), 2: ("a", "IMG_1-edited"), 3: ("a", "IMG_E1234"), 4: ("a", "IMG_E1234~2")}
    files = {n: (n, f"{stem}.jpg", "archived") for n, (_, stem) in groups.items()}
    stems, members = migrated(path, groups, files)
    assert stems == {1: b"IMG_1-edited", 2: b"IMG_1", 3: b"IMG_1234"}
    assert members == {1: (1, "then"), 2: (2, "then"), 3: (3, "then"), 4: (3, "then")}


def test_groups_that_have_their_key_already_keep_it_though_it_looks_like_a_stem_of_before(path: str) -> None:
    groups = {1: ("a", "IMG_1-edited"), 2: ("a", "IMG_2\0ID"), 3: ("a", "IMG_3-edited")}
    files = {1: (1, "IMG_1-edited~2.jpg", "archived"), 2: (2, "IMG_2.mov", "archived")}
    stems, members = migrated(path, groups, files)
    assert stems == {1: b"IMG_1-edited", 2: b"IMG_2\0ID", 3: b"IMG_3-edited"}
    assert members == {1: (1, "then"), 2: (2, "then")}


def test_more_groups_than_are_looked_through_at_once(path: str) -> None:
    count = MIGRATION.SLICE * 2 + 100
    groups = {n: (f"{n // 2 % 3}", f"GL{n:06d}" if n % 2 else f"GH{n + 1:06d}") for n in range(1, count)}
    files = {n: (n, f"{stem}.mp4", "archived") for n, (_, stem) in groups.items()}
    stems, members = migrated(path, groups, files)
    kept = {(folder, MIGRATION.key_of_stem(stem.encode())) for folder, stem in groups.values()}
    assert {(groups[n][0], stem) for n, stem in stems.items()} == kept
    for n, (folder, stem) in groups.items():
        group_id = members[n][0]
        assert (groups[group_id][0], stems[group_id]) == (folder, MIGRATION.key_of_stem(stem.encode()))
    assert len(stems) < count
