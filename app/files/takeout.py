"""Which media file a JSON file of a Google Takeout export describes, by the names alone.

Google writes `<media name>.supplemental-metadata.json` (older exports `<media name>.json`), cuts what stands before
`.json` to 46 characters, and puts a copy's `(n)` behind the cut: IMG(1).jpg has IMG.jpg.supplemental-metadata(1).json.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from app.files.kinds import MEDIA_SUFFIXES, suffix

CUT_CHARACTERS = 46
MARK = b".supplemental-metadata"
COPY_NUMBER = re.compile(rb"(.*)(\(\d{1,4}\))", re.DOTALL)


def takeout_partner(json_name: bytes, media_names: Collection[bytes]) -> bytes | None:
    """The media file beside it that this JSON describes, or None."""
    title = json_name[: -len(b".json")]
    numbered = COPY_NUMBER.fullmatch(title)
    number = b""
    if numbered and title not in media_names:
        title, number = numbered[1], numbered[2]
    full = _without_mark(title)
    exact = _numbered(full, number)
    if exact in media_names:
        return exact
    if len(title.decode("utf-8", "replace")) < CUT_CHARACTERS:
        return None
    fitting = sorted(n for n in media_names if _unnumbered(n, number).startswith(full))
    return fitting[0] if len(fitting) == 1 else None


def _without_mark(title: bytes) -> bytes:
    """`IMG.jpg.supplemental-me` -> `IMG.jpg`: any beginning of the mark may be left of it."""
    name, dot, ending = title.rpartition(b".")
    if dot and name and MARK.startswith(dot + ending) and suffix(name) in MEDIA_SUFFIXES:
        return name
    return title


def _numbered(name: bytes, number: bytes) -> bytes:
    stem, dot, ending = name.rpartition(b".")
    return stem + number + dot + ending if dot else name + number


def _unnumbered(name: bytes, number: bytes) -> bytes:
    stem, dot, ending = name.rpartition(b".")
    if number and stem.endswith(number):
        return stem[: -len(number)] + dot + ending
    return name
