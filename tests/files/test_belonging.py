"""Which files are one group, by their names alone."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.files import belonging
from app.files.belonging import EDITED_WORDS, group_key

TOGETHER = {
    "a Live Photo with its sidecars and edited versions": [
        b"IMG_1234.HEIC", b"IMG_1234.MOV", b"IMG_1234.AAE", b"IMG_O1234.AAE", b"IMG_E1234.HEIC", b"IMG_E1234.MOV",
        b"IMG_1234.xmp", b"IMG_1234.HEIC.xmp", b"IMG_1234_HEVC.MOV", b"IMG_1234-edited.HEIC", b"IMG_1234~2.JPG",
        b"IMG_1234_edited.jpeg",
    ],
    "RAW and JPEG": [b"DSC_0001.NEF", b"DSC_0001.JPG", b"DSC_0001.NEF.xmp", b"DSC_0001.xmp"],
    "a copy's number stays": [b"IMG_1(1).jpg", b"IMG_1(1).MOV", b"IMG_1-edited(1).jpg", b"IMG_1(1)-edited.jpg"],
    "a Pixel's motion photo": [
        b"PXL_20230701_100000123.MP.jpg", b"PXL_20230701_100000123.MP", b"PXL_20230701_100000123.MP.mp4",
        b"PXL_20230701_100000123.mp4", b"PXL_20230701_100000123.MP~2.jpg", b"PXL_20230701_100000123.MP-edited.jpg",
        b"PXL_20230701_100000123.RAW-01.COVER.jpg", b"PXL_20230701_100000123.RAW-02.ORIGINAL.dng",
        b"PXL_20230701_100000123.NIGHT.jpg",
    ],
    "an older motion photo": [b"MVIMG_20180101_000000.jpg", b"MVIMG_20180101_000000.MP4", b"MVIMG_20180101_000000.MV"],
    "a burst with the time in its name": [
        b"00000IMG_00000_BURST20190830164840410_COVER.jpg", b"00001IMG_00001_BURST20190830164840410.jpg",
        b"00002IMG_00002_BURST20190830164840410.jpg",
    ],
    "a burst with frame numbers": [
        b"IMG_20160320_120000_BURST001_COVER.jpg", b"IMG_20160320_120000_BURST2.jpg",
        b"IMG_20160320_120000_BURST010.jpg",
    ],
    "a Samsung burst": [b"20231207_101605_001.jpg", b"20231207_101605_002.jpg"],
    "a GoPro film": [b"GX010001.MP4", b"GX010001.THM", b"GL010001.LRV"],
    "a GoPro film of the other codec": [b"GH010001.MP4", b"GH010001.THM", b"GH010001.MP4.xmp"],
    "what Google has cut": [b"n" * 44 + end for end in (b".jpg", b"-e.jpg", b"-ed.jpg", b"-b.heic", b"-e.jpg.xmp")],
    "what Google has cut, with numbers": [b"n" * 44 + ending for ending in (b"_1.jpg", b"-e_1.jpg")],
    "cut emoji": ["😀".encode() * 21 + ending for ending in (b".jpg", b"-edi.jpg", b"-bear.jpg")],
    "an older GoPro film": [b"GOPR0001.MP4", b"GOPR0001.LRV", b"GOPR0001.THM"],
    "an Insta360 film": [
        b"VID_20240101_120000_00_001.insv", b"VID_20240101_120000_10_001.insv", b"LRV_20240101_120000_01_001.lrv",
    ],
    "a drone film": [b"DJI_0001.MP4", b"DJI_0001.SRT"],
    "what an archive has numbered": [
        b"IMG_1234_1.HEIC", b"IMG_E1234_1.HEIC", b"IMG_1234-edited_1.HEIC", b"IMG_1234_1.HEIC.xmp",
    ],
}  # fmt: skip

APART = [
    (b"IMG_1.jpg", b"IMG_2.jpg"),
    (b"IMG_1.jpg", b"IMG_1(1).jpg"),
    (b"IMG_1(1).jpg", b"IMG_1(2).jpg"),
    (b"IMG_1.jpg", b"IMG_10.jpg"),
    (b"IMG_E123.jpg", b"IMG_123.jpg"),
    (b"unedited.jpg", b"un.jpg"),
    (b"edited.jpg", b".jpg"),
    (b"PXL_20230701_100000123.jpg", b"PXL_20230701_100000124.jpg"),
    (b"00001IMG_00001_BURST20190830164840410.jpg", b"00001IMG_00001_BURST20190830164840411.jpg"),
    (b"IMG_1.jpg", b"img_1.jpg"),
    (b"GX010001.MP4", b"GX020001.MP4"),
    (b"GX010001.MP4", b"GH010001.MP4"),
    (b"holiday.jpg", b"holiday-e.jpg"),
    (b"n" * 43 + b".jpg", b"n" * 43 + b"-e.jpg"),
    (b"n" * 46 + b".jpg", b"n" * 46 + b"-e.jpg"),
    ("😀".encode() * 13 + b".jpg", "😀".encode() * 13 + b"-modif.jpg"),
    (b"GH.MP4", b"GX.MP4"),
    (b"VID_20240101_120000_00_001.insv", b"VID_20240101_120000_00_002.insv"),
]


@pytest.mark.parametrize("names", TOGETHER.values(), ids=TOGETHER.keys())
def test_files_that_belong_together_have_one_key(names: list[bytes]) -> None:
    assert len({group_key(name) for name in names}) == 1


@pytest.mark.parametrize(("one", "other"), APART)
def test_files_that_do_not_belong_together_have_two(one: bytes, other: bytes) -> None:
    assert group_key(one) != group_key(other)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("word", EDITED_WORDS)
def test_an_edited_photo_belongs_to_what_it_was_made_from_in_every_language(word: str, form: str) -> None:
    edited = unicodedata.normalize(form, f"IMG_1-{word}.jpg").encode()  # type: ignore[arg-type]
    assert group_key(edited) == group_key(b"IMG_1.jpg")


@given(st.binary(min_size=1, max_size=60).filter(lambda name: b"/" not in name and b"\0" not in name))
def test_any_name_at_all_has_a_key_and_keeps_it_with_another_ending(name: bytes) -> None:
    assert group_key(name)
    assert group_key(name + b".jpg") == group_key(name + b".mov") == group_key(name + b".jpg.xmp")


@given(st.from_regex(r"[A-Z]{0,5}(BURST|_E|G[HLX]|~|_)?[0-9_]{0,9}(-edited)?\.jpg", fullmatch=True))
def test_names_as_most_cameras_write_them_get_the_key_that_all_rules_give(name: str) -> None:
    plain = belonging.group_key(name.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(belonging, "PLAIN", re.compile(rb"(?!)"))
        assert belonging.group_key(name.encode()) == plain
