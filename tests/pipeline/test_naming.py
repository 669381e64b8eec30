"""Which names a peer carries, and how names stay apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.pipeline.naming import plan_paths, sameness_key, suffixed, suffixed_paths, unsendable_reason

names = st.binary(min_size=1, max_size=60).filter(lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b".."))
texts = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=60)


@pytest.mark.parametrize(
    "path",
    [b"trip/.syncthing.a.jpg", b"~syncthing~a.jpg", b".syncthing.x.tmp/a.jpg", b"bad\xff.jpg", b".SYNCTHING.a.jpg"],
)
def test_a_name_that_syncthing_skips_or_deletes_has_a_reason(path: bytes) -> None:
    assert unsendable_reason(path)


@pytest.mark.parametrize("path", [b"a.jpg", "é/ü.jpg".encode(), b"x.syncthing.jpg", b"-rf", b"a\nb.jpg"])
def test_an_odd_name_that_syncthing_carries_has_no_reason(path: bytes) -> None:
    assert unsendable_reason(path) is None


def test_a_group_is_suffixed_after_the_stem_that_its_members_share() -> None:
    group = [b"IMG_1.CR2", b"IMG_1.JPG", b"IMG_1.JPG.xmp"]
    assert suffixed(group, 2) == [b"IMG_1_2.CR2", b"IMG_1_2.JPG", b"IMG_1_2.JPG.xmp"]


def test_names_without_a_shared_stem_are_suffixed_each_before_its_last_dot() -> None:
    assert suffixed([b"a.b.jpg", b"c.mov"], 1) == [b"a.b_1.jpg", b"c_1.mov"]


def test_a_name_without_a_dot_or_with_only_a_leading_dot_is_suffixed_at_its_end() -> None:
    assert suffixed([b"README"], 1) == [b"README_1"]
    assert suffixed([b".hidden"], 1) == [b".hidden_1"]


def test_a_255_byte_name_keeps_its_extension_and_is_cut_at_a_character_border() -> None:
    name = ("😀" * 62 + "abc.jpg").encode()
    assert len(name) == 255
    (cut,) = suffixed([name], 1)
    assert len(cut) <= 255
    assert cut.endswith(b"_1.jpg")
    cut.decode("utf-8")


def test_members_of_a_group_are_cut_alike_so_that_they_stay_together() -> None:
    short, long = suffixed([b"a" * 251 + b".jpg", b"a" * 251 + b".j"], 12)
    assert len(short) == 255
    assert short.removesuffix(b".jpg") == long.removesuffix(b".j")


def test_an_extension_that_is_longer_than_the_limit_is_cut_with_the_rest() -> None:
    (cut,) = suffixed([b"a." + b"x" * 253], 3)
    assert len(cut) == 255
    assert cut.endswith(b"_3")


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.integers(0, 1200), st.integers(60, 255))
def test_a_suffixed_name_fits_and_is_a_legal_name(group: list[bytes], number: int, limit: int) -> None:
    for name in suffixed(group, number, limit):
        assert 1 <= len(name) <= limit
        assert b"/" not in name


@given(texts, st.integers(1, 99), st.integers(8, 60))
def test_a_cut_never_splits_a_character(name: str, number: int, limit: int) -> None:
    assume(name not in (".", ".."))
    suffixed([name.encode()], number, limit)[0].decode("utf-8")


@given(names, st.integers(1, 1200), st.integers(1, 1200))
def test_different_numbers_give_different_names(name: bytes, one: int, other: int) -> None:
    assume(one != other)
    assert suffixed([name], one) != suffixed([name], other)


def test_two_files_of_the_same_name_in_different_folders_keep_their_paths() -> None:
    wanted = [{1: b"a/IMG_1.JPG"}, {2: b"b/IMG_1.JPG"}]
    assert plan_paths(wanted, (), compose=True) == {1: b"a/IMG_1.JPG", 2: b"b/IMG_1.JPG"}


def test_decomposed_and_composed_twins_both_get_a_composed_name_of_their_own() -> None:
    nfc, nfd = "é.jpg".encode(), unicodedata.normalize("NFD", "é.jpg").encode()
    assert plan_paths([{1: nfc}, {2: nfd}], (), compose=True) == {1: nfc, 2: "é_1.jpg".encode()}


def test_names_that_differ_only_in_case_are_told_apart() -> None:
    assert plan_paths([{1: b"A.jpg"}, {2: b"a.jpg"}], (), compose=False) == {1: b"A.jpg", 2: b"a_1.jpg"}


def test_members_of_one_group_that_would_collide_with_each_other_are_told_apart() -> None:
    paths = plan_paths([{1: b"A.jpg", 2: b"a.jpg", 3: b"a.xmp"}], (), compose=False)
    assert len({sameness_key(p) for p in paths.values()}) == 3


def test_our_own_files_in_the_batch_folder_are_never_overwritten_by_a_photo() -> None:
    taken = (b"manifest.json", b"SHA256SUMS")
    assert plan_paths([{1: b"manifest.json"}, {2: b"SHA256SUMS"}], taken, compose=False) == {
        1: b"manifest_1.json",
        2: b"SHA256SUMS_1",
    }


@given(st.lists(st.lists(st.sampled_from([b"a.jpg", b"A.jpg", b"a.JPG", b"a_1.jpg", b"b/a.jpg", b"a.xmp"]), min_size=1,
                         max_size=3, unique=True), max_size=8), st.booleans())
def test_planned_paths_are_complete_and_never_the_same(groups: list[list[bytes]], compose: bool) -> None:
    keys = iter(range(1000))
    wanted = [{next(keys): path for path in group} for group in groups]
    planned = plan_paths(wanted, (b"a.xmp",), compose=compose)
    assert set(planned) == {key for group in wanted for key in group}
    assert len({sameness_key(p) for p in planned.values()} | {"a.xmp"}) == len(planned) + 1
    assert planned == plan_paths(wanted, (b"a.xmp",), compose=compose)


@given(st.lists(st.sampled_from([b"x/IMG.jpg", b"x/IMG.cr2", b"x/IMG.xmp"]), min_size=1, max_size=3, unique=True),
       st.integers(0, 50))
def test_a_group_is_suffixed_alike(group: list[bytes], number: int) -> None:
    stems = {p.rpartition(b".")[0] for p in suffixed_paths(dict(enumerate(group)), number).values()}
    assert stems == {b"x/IMG_%d" % number if number else b"x/IMG"}
