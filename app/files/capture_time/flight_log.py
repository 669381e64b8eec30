"""What a drone of DJI writes as subtitles of a film: with the position and the exposure, what its clock showed."""

from __future__ import annotations

import re
from typing import IO

from app.files.capture_time.told import Claims

#: The first subtitle of every kind lies within.
MAX_BYTES = 8 << 10
#: Subtitles of other films may speak of dates as well: only beside one of these is a date believed.
MARKS = re.compile(rb"HOME\s?\(|GPS\s?\(|FrameCnt\s?:|SrtCnt\s?:|\[iso\s?:|\[latitude\s?:", re.IGNORECASE)
WRITTEN = re.compile(
    rb"(?<!\d)(\d{4})[-./](\d{1,2})[-./](\d{1,2})[ T]+(\d{1,2}):(\d{2}):(\d{2})(?:[.,:](\d{3})(?:[.,]\d{3})?)?(?!\d)"
)
#: Each subtitle begins with its number and the time in the film for which it is shown.
NEXT = re.compile(rb"\r?\n[ \t]*\r?\n[ \t]*\d+[ \t]*\r?\n[ \t]*\d\d:\d\d:\d\d,\d{3}[ \t]*-->")


def read(file: IO[bytes]) -> Claims:
    """The date in the first subtitle; none for subtitles of other kinds."""
    head = file.read(MAX_BYTES).replace(b"\0", b"")
    first = NEXT.split(head, maxsplit=1)[0]
    found = WRITTEN.search(first)
    if found is None or MARKS.search(first) is None:
        return []
    year, month, day, hour, minute, second, fraction = (part.decode() if part else "" for part in found.groups())
    text = f"{year}-{month}-{day} {hour}:{minute}:{second}" + (f".{fraction}" if fraction else "")
    return [("srt", text, "local")]
