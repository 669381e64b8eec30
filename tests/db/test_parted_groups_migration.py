"""The migration that gives films and photos groups of their own which had been in one with others by their names."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.files.belonging import EDITED_WORDS, group_key
from app.files.kinds import MEDIA_SUFFIXES, SIDECAR_SUFFIXES, group_stem
from tests.db.test_group_keys_migration import migrated
from tests.db.test_migrate import upgrade_to

BEFORE = importlib.import_module("app.db.migrations.versions.0018_group_keys")
MIGRATION = importlib.import_module("app.db.migrations.versions.0020_parted_groups")

STEMS = st.one_of(
    st.sampled_from(["IMG_1234", "IMG_E1234", "GX010001", "GL010001", "GH010001", "x" * 44, "é😀" * 15]),
    st.sampled_from(["PXL_20200101_101010123.MP", "VID_20240101_120000_00_001"]),
    st.text(alphabet="IMGE_0123()-~. é", max_size=60),
)
TAILS = st.sampled_from(["", *(f"-{word}" for word in EDITED_WORDS), "-edi", "~2", "(1)", "_BURST001", "_BURST2_COVER",
                         ".MP", "_HEVC", "_001", "BURST20190830164840410"])  # fmt: skip
NAMES = st.builds(
    lambda stem, tail, more, endings: (stem + tail + more + endings).encode("utf-8", "surrogateescape"),
    STEMS, TAILS, TAILS, st.sampled_from([".jpg", ".HEIC", ".mov", ".jpg.xmp", ".xmp", ".json", ".jpg.json", ""]),
)  # fmt: skip


@given(name=NAMES)
def test_the_keys_of_the_migration_are_those_that_files_get(name: bytes) -> None:
    """When this fails the rules of app/files/belonging.py were changed: groups that are known need a new migration."""
    assert MIGRATION.stem_of(name) == group_stem(name)
    assert MIGRATION.key_of_stem(group_stem(name)) == group_key(name)


def test_the_kinds_of_the_migration_are_those_of_now() -> None:
    assert set(BEFORE.SIDECARS) == SIDECAR_SUFFIXES
    assert BEFORE.MEDIA == MEDIA_SUFFIXES


#: Google leaves 46 or 47 characters: of the first nothing was cut, of the second it was.
LONG = "A_holiday_with_the_whole_family_and_friends_by_the_sea"
CUT = LONG[:44]


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0019")
    return path


def test_films_of_two_codecs_part_and_take_their_own_sidecars_along(path: str) -> None:
    groups = {1: ("a", "GX010001"), 2: ("a", "GX010002"), 3: ("b", "GX010002"), 4: ("a", "IMG_1")}
    files = {
        1: (1, "GX010001.MP4", "unique"), 2: (1, "GL010001.LRV", "unique"), 3: (1, "GH010001.MP4", "archived"),
        4: (1, "GH010001.THM", "unique"), 5: (1, "GH010001.MP4.json", "archived"), 6: (2, "GH010002.MP4", "unique"),
        7: (2, "GL010002.LRV", "unique"), 8: (3, "GX010002.MP4", "unique"), 9: (4, "IMG_1.jpg", "unique"),
    }  # fmt: skip
    stems, members = migrated(path, groups, files, "0020")
    assert {n: (stems[group], at) for n, (group, at) in members.items()} == {
        1: (b"GX010001", None), 2: (b"GX010001", None), 3: (b"GH010001", "then"), 4: (b"GH010001", None),
        5: (b"GH010001", "then"), 6: (b"GH010002", None), 7: (b"GH010002", None), 8: (b"GX010002", "then"),
        9: (b"IMG_1", "then"),
    }  # fmt: skip
    assert (members[8][0], members[9][0], len(stems)) == (3, 4, 5)


def test_only_what_google_can_have_cut_stays_with_its_original(path: str) -> None:
    day = "\0" "2024-05-06"
    stems_before = (CUT, LONG, LONG + day, f"{CUT}-e_1", f"{CUT}_1")
    groups = {n: ("a", stem) for n, stem in enumerate(stems_before, start=1)}
    files = {
        1: (1, f"{CUT}.jpg", "archived"), 2: (1, f"{CUT}-e.jpg", "archived"), 3: (2, f"{LONG}.jpg", "archived"),
        4: (2, f"{LONG}-e.jpg", "archived"), 5: (2, f"{LONG}-e.jpg.xmp", "archived"), 9: (2, "other.mov", "archived"),
        6: (3, f"{LONG}-e.jpg", "archived"), 7: (4, f"{CUT}-e_1.jpg", "archived"), 8: (5, f"{CUT}_1.jpg", "archived"),
    }  # fmt: skip
    stems, members = migrated(path, groups, files, "0020")
    assert {n: stems[group] for n, (group, _) in members.items()} == {
        n: stem.encode() for n, stem in {
            1: CUT, 2: CUT, 3: LONG, 4: f"{LONG}-e", 5: f"{LONG}-e", 6: f"{LONG}-e{day}", 7: f"{CUT}_1",
            8: f"{CUT}_1", 9: LONG,
        }.items()
    }  # fmt: skip
    assert sorted(stems.values()) == sorted({stems[group] for group, _ in members.values()})


def test_the_other_half_of_a_live_photo_goes_with_it_whatever_it_is_called() -> None:
    still = MIGRATION.Member(1, f"{LONG}-e.heic".encode(), "ONE")
    other = MIGRATION.Member(2, f"{LONG}.heic".encode(), "TWO")
    film = MIGRATION.Member(3, b"film.mov", "ONE")
    assert MIGRATION.stems_of(LONG.encode(), [still, other, film]) == dict.fromkeys((1, 3), f"{LONG}-e".encode())


def test_more_files_than_are_looked_through_at_once(path: str) -> None:
    count = MIGRATION.SLICE * 2 + 100
    groups = {n: ("a", f"GX{n:06d}") for n in range(1, count)}
    files = {n: (n, f"G{'HX'[n % 2]}{n:06d}.MP4", "archived") for n in groups}
    stems, members = migrated(path, groups, files, "0020")
    assert [stems[members[n][0]] for n in groups] == [group_key(name.encode()) for _, name, _ in files.values()]
    assert len(stems) == len(groups)
