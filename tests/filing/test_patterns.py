"""What each field of a pattern says of a group, and which names its files get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.patterns import pattern_doubts
from app.config.schema import Sorter
from app.filing.choose import Filing, choose_filing
from app.filing.group_values import Circumstances
from app.filing.safe_names import NATIVE, NameRules
from app.model import Asset, AssetStatus
from tests.conftest import make_config

TODAY = date(2026, 6, 1)
PORTABLE = NameRules(portable=True)
TAKEN = "2024-12-30T07:08:09.123"


def an_asset(name: str | bytes, number: int = 1, taken: str = TAKEN, taken_from: str = "exif") -> Asset:
    """As it lies in its batch after it came in under DCIM."""
    came_as = name if isinstance(name, bytes) else name.encode()
    path = came_as if b"/" in came_as else b"DCIM/" + came_as
    return Asset(number, 3, b"batch_001/x", AssetStatus.DELIVERED, 1, 0, 0, 0, 0, taken_local=taken,
                 taken_from=taken_from, origin_root_id=7, origin_path=path)


def file(
    *names: str | bytes, number: int = 1, rules: NameRules = NATIVE,
    cameras: Mapping[int, tuple[str | None, str | None]] | None = None, **settings: str,
) -> Filing:  # fmt: skip
    members = [an_asset(name, i, taken_from="sibling" if i > 1 else "exif") for i, name in enumerate(names, start=1)]
    given = Circumstances(TODAY, UTC, cameras or {}, {7: "Anna's phone"}, rules=rules)
    return choose_filing(members, Sorter.model_validate(settings), given, number)


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("{year}/{month}/{day}", "2024/12/30"),
        ("{hour:02d}-{minute:02d}-{second:02d}", "07-08-09"),
        ("{week_year}/W{week:02d}", "2025/W01"),
        ("{year}/{month:02d} {month_name}", "2024/12 Dezember"),
        ("{month_short}", "Dez"),
        ("{camera_make}/{camera_model}", "Canon/EOS R6"),
        ("{source}/{type}", "Anna's phone/photo"),
        ("{group}", "IMG_1"),
        ("{folder}/{year}", "DCIM/2024"),
    ],
)
def test_every_field_says_what_the_documentation_says(pattern: str, folder: str) -> None:
    filing = file("IMG_1.HEIC", "IMG_1.MOV", folder_pattern=pattern, language="de", cameras={1: ("Canon", "EOS R6")})
    assert filing.folder.decode() == folder


def test_what_is_not_known_has_a_word_of_its_own_or_that_of_the_pattern() -> None:
    assert file("a.jpg", folder_pattern="{camera_model}/{year}").folder == b"unknown-camera/2024"
    assert file("a.jpg", folder_pattern="{camera_model|other}/{year}").folder == b"other/2024"
    assert file("a.jpg", folder_pattern="{camera_model|}/{year}").folder == b"2024"
    assert file("a.jpg", folder_pattern="{camera_model}", cameras={1: ("Canon", None)}).folder == b"unknown-camera"


def test_the_camera_of_a_group_is_that_of_its_photo_or_of_a_member_that_knows_it() -> None:
    cameras = {1: ("Apple", "iPhone 15"), 2: ("Apple", "other")}
    assert file("IMG_1.HEIC", "IMG_1.MOV", folder_pattern="{camera_model}", cameras=cameras).folder == b"iPhone 15"
    assert file("IMG_1.HEIC", "IMG_1.MOV", folder_pattern="{camera_model}", cameras={2: ("", "x")}).folder == b"x"


def test_a_video_by_itself_is_a_video_and_a_file_at_the_top_of_ingest_has_no_folder() -> None:
    assert file("/clip.mp4", folder_pattern="{type}/{folder}/{year}").folder == b"video/2024"
    assert file("a/b c/clip.mp4", folder_pattern="{folder}").folder == b"a/b c"
    assert file("a/b c/clip.mp4", folder_pattern="{top_folder}").folder == b"a"


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("../../etc/a.jpg", b"etc"),
        (".mp-trash/x/a.jpg", b"x"),
        ("review/a.jpg", b"review_"),
        ("Review/a.jpg", b"Review_"),
        ("unknown-date/x/a.jpg", b"unknown-date_/x"),
    ],
)
def test_no_value_leads_out_of_the_archive_or_into_folders_of_ours(path: str, folder: bytes) -> None:
    assert file(path, folder_pattern="{folder}").folder == folder


def test_a_slash_in_a_value_makes_no_folder() -> None:
    assert file("a.jpg", folder_pattern="{camera_model}", cameras={1: (None, "A/B/../C")}).folder == b"A_B_.._C"
    assert file("x/y/a.jpg", name_pattern="{folder}-{name}").names == (b"x_y-a.jpg",)


@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        (("IMG_1.JPG",), ("N.JPG",)),
        (("IMG_1.HEIC", "IMG_1.MOV", "IMG_1.HEIC.xmp", "img_1.AAE"), ("N.HEIC", "N.MOV", "N.HEIC.xmp", "N.AAE")),
        (("IMG_1.jpg", "IMG_1-edited.jpg"), ("N.jpg", "N-edited.jpg")),
        (("PXL_2.MP.jpg", "PXL_2.MP"), ("N.MP.jpg", "N.MP")),
        (("IMG_1.HEIC", "IMG_E1.HEIC", "IMG_E1.AAE"), ("N.HEIC", "N-IMG_E1.HEIC", "N-IMG_E1.AAE")),
        (("a.b.c.jpg",), ("N.jpg",)),
        (("noending",), ("N",)),
    ],
)
def test_a_group_gets_one_new_name_and_every_file_keeps_its_ending(
    names: tuple[str, ...], renamed: tuple[str, ...]
) -> None:
    assert [name.decode() for name in file(*names, name_pattern="N{camera_model|}").names] == list(renamed)


def test_a_counter_stands_where_the_pattern_has_it_and_else_follows_the_name_from_the_second_on() -> None:
    assert file("a.jpg", number=7, name_pattern="{year}_{counter:03d}").names == (b"2024_007.jpg",)
    assert file("a.jpg", number=1, name_pattern="{year}").names == (b"2024.jpg",)
    assert file("a.jpg", number=3, name_pattern="{year}").names == (b"2024_2.jpg",)


def test_files_keep_their_own_names_byte_for_byte_without_a_pattern() -> None:
    assert file(b"bad\xff:name?.jpg").names == (b"bad\xff:name?.jpg",)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a:b?c.jpg", b"a_b_c.jpg"),
        ("CON.jpg", b"CON_.jpg"),
        ("com1.tar.jpg", b"com1_.tar.jpg"),
        ("ends. ", b"ends"),
        ("console.jpg", b"console.jpg"),
        (b"bad\xff.jpg", b"bad_.jpg"),
        ("grün.jpg", "grün.jpg".encode()),
    ],
)
def test_portable_names_hold_only_what_windows_takes(name: str | bytes, kept: bytes) -> None:
    assert file(name, rules=PORTABLE).names == (kept,)


def test_portable_folders_hold_only_what_windows_takes() -> None:
    camera = {1: (None, 'A "big" one: 5*. ')}
    assert file("a.jpg", rules=PORTABLE, folder_pattern="{camera_model}", cameras=camera).folder == b"A _big_ one_ 5_"
    assert file("a.jpg", folder_pattern="{camera_model}", cameras=camera).folder == b'A "big" one: 5*.'


def test_the_review_folder_keeps_names_as_they_came() -> None:
    members = [an_asset("a:b.jpg", taken_from="mtime")]
    settings = Sorter(weak_dates="review", name_pattern="{counter}")
    filing = choose_filing(members, settings, Circumstances(TODAY, UTC, rules=PORTABLE))
    assert (filing.names, filing.stem) == ((b"a_b.jpg",), None)


names = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=60)


@given(
    st.lists(names, min_size=1, max_size=4),
    st.sampled_from([NATIVE, PORTABLE, NameRules(True, 143)]),
    st.sampled_from(["{camera_model}", "{name}{name}{name}{name}", "{source}_{counter:04d}", "{folder}x"]),
)
def test_no_name_is_longer_than_the_disk_takes_or_leads_elsewhere(
    found: list[str], rules: NameRules, pattern: str
) -> None:
    filing = file(*found, number=12, rules=rules, name_pattern=pattern, cameras={1: (None, found[0] * 9)})
    for name, came_as in zip(filing.names, found, strict=True):
        assert b"/" not in name and name not in (b"", b".", b"..")
        if len(came_as.encode()) < 100:
            assert len(name) <= rules.limit_bytes


def test_a_long_name_keeps_its_ending_and_whole_characters() -> None:
    name = file("ü" * 120 + ".jpeg", rules=NameRules(False, 143), name_pattern="{name}").names[0]
    assert len(name) <= 143
    assert name.decode().endswith("ü.jpeg")


def test_doubtful_patterns_are_told_of(tmp_path: object) -> None:
    def doubts(pattern: str) -> list[str]:
        config = make_config(tmp_path, sorter={"folder_pattern": pattern})  # type: ignore[arg-type]
        return [problem.message for problem in pattern_doubts(config)]

    assert "{week_year}" in doubts("{year}/{week}")[0]
    assert doubts("{week_year}/{week}") == []
    assert "kept for doubtful dates" in doubts("review/{year}")[0]
