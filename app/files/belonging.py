"""What files belong together by their names alone: files of one folder with one key are one group.

The key is worked out from each name by itself, so it does not matter which of the files comes first, or ever comes:

* a photo with its film, its raw file and its sidecars: IMG_1.HEIC, IMG_1.MOV, IMG_1.CR2, IMG_1.xmp, IMG_1.HEIC.xmp;
* what was edited with what it was made from: IMG_E1234 (Apple), -edited in the languages of Google Photos, ~2;
* the film of a motion photo: PXL_1.MP.jpg with PXL_1.MP or PXL_1.MP.mp4, IMG_1.HEIC with IMG_1_HEVC.MOV;
* the frames of a burst with their cover: IMG_1_BURST001_COVER, 00001IMG_00001_BURST20190830164840410, and Samsung's
  20231207_101605_001;
* the small copies that cameras make: GL010001.LRV of a GoPro with GX010001.MP4, LRV_ of an Insta360 with its VID_.

A number in brackets, IMG_1(1).jpg, is another photo of the same name, not an edited one, and a group of its own.
"""

from __future__ import annotations

import re
import unicodedata

from app.files.kinds import group_stem, is_plain_media

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
_BEGINNINGS = {b"-" + word.encode()[:n] for word in _SPELLED for n in range(1, len(word.encode()))}

#: The number that an archive puts behind a stem when its name is taken; it is kept, so that sorting again is no change.
_NUMBER = rb"(?P<number>\(\d{1,4}\)|_\d{1,3})?"
EDITED = re.compile(rb"(?P<stem>.+?)(?:[-_](?:" + _WORDS + rb")|~\d)" + _NUMBER, re.IGNORECASE | re.DOTALL)
CUT_WORD = re.compile(rb"(?P<stem>.+)(?P<word>-[^-(]+)" + _NUMBER, re.DOTALL)
PIXEL = re.compile(rb"(?P<stem>PXL_\d{8}_\d{6,9})(?:\.[A-Za-z]+(?:-\d+)?)+" + _NUMBER, re.DOTALL)
MOTION = re.compile(rb"(?P<stem>.+)(?:\.(?:MP|MV)|_HEVC)" + _NUMBER, re.DOTALL)
APPLE_EDITED = re.compile(rb"(?P<prefix>IMG_)[EO](?P<rest>\d{4,}.*)", re.DOTALL)
NAMED_BURST = re.compile(rb".*(?P<stem>BURST\d{8,})(?:_COVER)?" + _NUMBER, re.DOTALL)
NUMBERED_BURST = re.compile(rb"(?P<stem>.+)_BURST\d{1,4}(?:_COVER)?" + _NUMBER, re.DOTALL)
SAMSUNG_BURST = re.compile(rb"(?P<stem>\d{8}_\d{6})_\d{3}")
GOPRO = re.compile(rb"G[HLX](?P<rest>\d{6}.*)", re.DOTALL)
INSTA360 = re.compile(rb"(?:LRV|VID)_(?P<taken>\d{8}_\d{6})_\d\d_(?P<clip>\d{3}.*)", re.DOTALL)

#: Most stems of cameras: letters, an underscore, a number. Nothing above fits these, but bursts and GoPros.
PLAIN = re.compile(rb"(?!G|.*BURST)[A-Za-z]*_?\d*")

#: In this order; each is tried on what the one before has left.
TAILS = (EDITED, PIXEL, MOTION, NAMED_BURST, NUMBERED_BURST)


def group_key(name: bytes) -> bytes:
    """What the names of a group in one folder have in common."""
    stem = name[:-4] if is_plain_media(name) else group_stem(name)
    if PLAIN.fullmatch(stem):
        return stem
    stem = _without_cut_word(stem)
    for pattern in TAILS:
        match = pattern.fullmatch(stem)
        if match is not None:
            stem = match["stem"] + (match["number"] or b"")
    return _of_camera(stem)


def _without_cut_word(stem: bytes) -> bytes:
    if len(stem) < CUT_CHARACTERS or len(stem.decode("utf-8", "replace")) < CUT_CHARACTERS:
        return stem
    match = CUT_WORD.fullmatch(stem)
    is_cut = match is not None and match["word"] in _BEGINNINGS
    return match["stem"] + (match["number"] or b"") if match is not None and is_cut else stem


def _of_camera(stem: bytes) -> bytes:
    if match := APPLE_EDITED.fullmatch(stem):
        return match["prefix"] + match["rest"]
    if match := SAMSUNG_BURST.fullmatch(stem):
        return match["stem"]
    if match := GOPRO.fullmatch(stem):
        return b"GX" + match["rest"]
    if match := INSTA360.fullmatch(stem):
        return b"VID_%b_00_%b" % (match["taken"], match["clip"])
    return stem
