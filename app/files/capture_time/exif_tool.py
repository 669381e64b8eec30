"""Dates in what the libraries cannot read, through one exiftool that stays open; nothing without it installed."""

from __future__ import annotations

import os
import shutil
from typing import IO, Any

Claims = list[tuple[str, str, str]]

#: Fujifilm, Panasonic, Olympus, Sigma and Minolta raw files: first bytes that no library here knows.
ITS_OWN = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM", b"\0\0\0\x0cJXL ")
ITS_OWN_BRANDS = (b"crx ", b"jxl ")

FIELDS = (
    ("exif", "DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal"),
    ("exif_digitized", "CreateDate", "SubSecTimeDigitized", "OffsetTimeDigitized"),
    ("quicktime", "CreationDate", "", ""),
)

_state: dict[str, Any] = {}


def is_only_its_own(head: bytes) -> bool:
    """Whether the first bytes are those of a kind that only exiftool reads."""
    return head.startswith(ITS_OWN) or (head[4:8] == b"ftyp" and head[8:12] in ITS_OWN_BRANDS)


def read(file: IO[bytes]) -> Claims:
    """The dates that exiftool finds; none when it is not installed."""
    tool = _tool()
    if tool is None:
        return []
    tags = [tag for _, *names in FIELDS for tag in names if tag]
    found = tool.get_tags([f"/proc/{os.getpid()}/fd/{file.fileno()}"], tags)[0]
    said = {name.rpartition(":")[2]: str(value) for name, value in found.items()}
    claims = []
    for source, date, fraction, offset in FIELDS:
        if text := said.get(date, ""):
            digits = said.get(fraction, "")
            claims.append((source, f"{text}.{digits}" if digits.isdigit() else text, said.get(offset, "local")))
    return claims


def _tool() -> Any:
    if "tool" not in _state:
        _state["tool"] = _start() if shutil.which("exiftool") else None
    tool = _state["tool"]
    if tool is not None and not tool.running:
        tool.run()
    return tool


def _start() -> Any:
    from exiftool import ExifToolHelper

    return ExifToolHelper(common_args=["-G", "-fast"], check_execute=False)
