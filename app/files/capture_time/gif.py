"""GIF: XMP is all that can hold a date, near the beginning or at the end."""

from __future__ import annotations

from app.files.capture_time import embedded_xmp
from app.files.capture_time.told import Told
from app.files.capture_time.window import Window

MARK, END = b"XMP DataXMP", b"<?xpacket end="
#: Programs write it before the pictures or after them; a packet and its padding fit in.
SEARCHED_BYTES = 256 << 10


def read(window: Window, told: Told) -> None:
    """The XMP of a picture; raises Odd when it is damaged."""
    for start in (0, max(0, window.size - SEARCHED_BYTES)):
        part = window.upto(start, SEARCHED_BYTES)
        begin = part.find(MARK)
        if begin >= 0:
            begin += len(MARK)
            last = part.find(END, begin)
            end = part.find(b"?>", last) if last >= 0 else -1
            embedded_xmp.read(part[begin : end + 2 if end >= 0 else part.rfind(b">", begin) + 1], told)
            return
