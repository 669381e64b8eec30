"""What files belong together by their names alone: files of one folder with one key are one group.

The key is worked out from each name by itself, so it does not matter which of the files comes first, or ever comes:

* a photo with its film, its raw file and its sidecars: IMG_1.HEIC, IMG_1.MOV, IMG_1.CR2, IMG_1.xmp, IMG_1.HEIC.xmp;
* what was edited with what it was made from: IMG_E1234 (Apple), -edited in the languages of Google Photos, ~2;
* the film of a motion photo: PXL_1.MP.jpg with PXL_1.MP or PXL_1.MP.mp4, IMG_1.HEIC with IMG_1_HEVC.MOV;
* the frames of a burst with their cover: IMG_1_BURST001_COVER, 00001IMG_00001_BURST20190830164840410, and Samsung's
  20231207_101605_001;
* the small copies that cameras make: GL010001.LRV of a GoPro with GX010001.MP4, LRV_ of an Insta360 with its VID_.

A number in brackets, IMG_1(1).jpg, is another photo of the same name, not an edited one, and a group of its own. So is
each chapter of a GoPro, GX010001.MP4 and GX020001.MP4, and a film of the other codec with the same number.
"""

from __future__ import annotations

import re
import unicodedata

from app.files.kinds import group_stem, plain_ending

#: What Google Photos writes behind the name of an edited photo, in the languages that it speaks.
EDITED_WORDS = (
    "edited", "bearbeitet", "bearb", "modifié", "modifie", "editado", "editada", "editat", "modificato", "modificata",
    "bewerkt", "edytowane", "edytowany", "redigeret", "redigert", "redigerad", "muokattu", "upraveno", "upravené",
    "szerkesztett", "düzenlendi", "изменено", "змінено", "επεξεργασμένο", "編集済み", "已修改", "已編輯", "已编辑",
    "수정됨", "đã chỉnh sửa", "diedit", "แก้ไขแล้ว",
)  # fmt: skip
#: Composed and decomposed: macOS writes names either way.
_SPELLED = {unicodedata.normalize(form, word) for word in EDITED_WORDS for form in ("NFC", "NFD")}
_WORDS = b"|".join(re.escape(word.encode()) for word in sorted(_SPELLED, key=lambda word: (-len(word), word)))

#: Google cuts names at so many characters, the word at their end as well: a long name may end in `-edi`.
CUT_CHARACTERS = 46
#: What the cut leaves of a photo's name without its ending and number, in the units of UTF-16 that Google counts.
CUT_STEM_UNITS = (46, 47)
_BEGINNINGS = {b"-" + word.encode()[:n] for word in _SPELLED for n in range(1, len(word.encode()))}

#: The number that an archive puts behind a stem when its name is taken; it is kept, so that sorting again is no change.
_NUMBER = rb"(?P<number>\(\d{1,4}\)|_\d{1,3})?"
EDITED = re.compile(rb"(?P<stem>.+?)(?:[-_](?:" + _WORDS + rb")|~\d)" + _NUMBER, re.IGNORECASE | re.DOTALL)
CUT_WORD = re.compile(rb"(?P<stem>.+)(?P<word>-[^-(_]+)" + _NUMBER, re.DOTALL)
PIXEL = re.compile(rb"(?P<stem>PXL_\d{8}_\d{6,9})(?:\.[A-Za-z]+(?:-\d+)?)+" + _NUMBER, re.DOTALL)
MOTION = re.compile(rb"(?P<stem>.+)(?:\.(?:MP|MV)|_HEVC)" + _NUMBER, re.DOTALL)
APPLE_EDITED = re.compile(rb"(?P<prefix>IMG_)(?P<kind>[EO])(?P<rest>\d{4,}.*)", re.DOTALL)
NAMED_BURST = re.compile(rb".*(?P<stem>BURST\d{8,})(?:_COVER)?" + _NUMBER, re.DOTALL)
NUMBERED_BURST = re.compile(rb"(?P<stem>.+)_BURST\d{1,4}(?:_COVER)?" + _NUMBER, re.DOTALL)
SAMSUNG_BURST = re.compile(rb"(?P<stem>\d{8}_\d{6})_\d{3}")
GOPRO_SMALL = re.compile(rb"GL(?P<rest>\d{6}.*)", re.DOTALL)
INSTA360 = re.compile(rb"(?:LRV|VID)_(?P<taken>\d{8}_\d{6})_\d\d_(?P<clip>\d{3}.*)", re.DOTALL)

#: Most stems of cameras: letters, an underscore, a number. Nothing above fits these, but bursts and GoPros.
PLAIN = re.compile(rb"(?!G|.*BURST)[A-Za-z]*_?\d*")

#: In this order; each is tried on what the one before has left.
TAILS = (EDITED, PIXEL, MOTION, NAMED_BURST, NUMBERED_BURST)


def group_key(name: bytes) -> bytes:
    """What the names of a group in one folder have in common."""
    ending = plain_ending(name)
    stem = name[:-ending] if ending else group_stem(name)
    if PLAIN.fullmatch(stem):
        return stem
    stem = _without_cut_word(stem)
    for pattern in TAILS:
        match = pattern.fullmatch(stem)
        if match is not None:
            stem = match["stem"] + (match["number"] or b"")
    return _of_camera(stem)


def is_edited(name: bytes) -> bool:
    """Whether a name is one that programs give to what they made from another photo or video."""
    stem = group_stem(name)
    is_apples = (match := APPLE_EDITED.fullmatch(stem)) is not None and match["kind"] == b"E"
    return is_apples or EDITED.fullmatch(stem) is not None or _without_cut_word(stem) != stem


def _without_cut_word(stem: bytes) -> bytes:
    """What is shorter or longer than the cut leaves was not cut: its `-e` is part of its name."""
    match = CUT_WORD.fullmatch(stem) if len(stem) >= CUT_CHARACTERS else None
    if match is None or match["word"] not in _BEGINNINGS:
        return stem
    units = len((match["stem"] + match["word"]).decode("utf-8", "replace").encode("utf-16-le")) // 2
    return match["stem"] + (match["number"] or b"") if units in CUT_STEM_UNITS else stem


def _of_camera(stem: bytes) -> bytes:
    if match := APPLE_EDITED.fullmatch(stem):
        return match["prefix"] + match["rest"]
    if match := SAMSUNG_BURST.fullmatch(stem):
        return match["stem"]
    if match := GOPRO_SMALL.fullmatch(stem):
        return b"GX" + match["rest"]
    if match := INSTA360.fullmatch(stem):
        return b"VID_%b_00_%b" % (match["taken"], match["clip"])
    return stem
