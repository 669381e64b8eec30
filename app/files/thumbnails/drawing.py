"""The parent's side: a file goes to a limited process, its thumbnail comes back. No decoder is imported here."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from app.files.readers import Answer, Job, Readers
from app.model import Place, Signature

#: Longer than any sound file takes, with two looks by ffmpeg; after that the process is ended.
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A thumbnail, or a note why there is none. `moved_on`: the file is not there any more, or is another one."""

    content: bytes = b""
    note: str = ""
    moved_on: bool = False


class Drawers:
    """One limited process, used as a context manager by one thread; started once, asked as often as needed."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._readers = Readers("app.files.thumbnails.maker", 1, timeout_seconds)

    def __enter__(self) -> Drawers:
        return self

    def __exit__(self, *details: object) -> None:
        self._readers.__exit__(*details)

    def draw(self, place: Place, signature: Signature) -> Drawn:
        """The thumbnail of a file that is what its row says. Damage, bombs and endless files end in a note."""
        root, path = place.root.path.decode("latin-1"), place.path.decode("latin-1")
        s = signature
        request = [root, path, [s.device, s.inode, s.size_bytes, s.mtime_ns, s.ctime_ns]]
        answers = self._readers.read([Job(0, request)])
        return _drawn(next(answer for answer in answers if answer is not None))


def _drawn(answer: Answer) -> Drawn:
    if answer.fault is not None:
        return Drawn(note=answer.fault)
    said: Any = answer.value
    match said:
        case {"moved_on": True}:
            return Drawn(moved_on=True)
        case {"webp": str(text)}:
            return _decoded(text)
        case {"note": str(note)}:
            return Drawn(note=note)
        case _:
            return Drawn(note="the program that draws it gave no answer")


def _decoded(text: str) -> Drawn:
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        content = b""
    is_webp = content.startswith(b"RIFF") and content[8:12] == b"WEBP"
    return Drawn(content) if is_webp else Drawn(note="the program that draws it gave no picture")
