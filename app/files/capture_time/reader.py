"""The program that reads what files say of their date: `python -m app.files.capture_time.reader <parent>`.

It handles hostile bytes, so it may use little memory and processor time, and cannot write a file. Nothing is decoded.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import fields
from functools import partial
from typing import IO, Any

from app.files.capture_time import aside, exif_tool, sidecars
from app.files.capture_time.formats import Format, format_of
from app.files.capture_time.told import Odd, Told, Unread
from app.files.capture_time.window import Window
from app.files.hash_reader import facts, open_file
from app.files.kinds import RAW_SUFFIXES, STILL_SUFFIXES, VIDEO_SUFFIXES, suffix
from app.files.reader_process import allow_processor_time, confine, serve

MEMORY_BYTES = 512 << 20
CPU_SECONDS_PER_FILE = 10
OPEN_FILES = 64
#: Kinds that a reader here knows: a file of such a name that begins in another way is not what it says.
WELL_KNOWN = (STILL_SUFFIXES | VIDEO_SUFFIXES) - frozenset(b"mxf dv divx".split())
#: A date that a camera wrote; with one of these nobody else is asked.
ENOUGH = ("exif", "exif_digitized", "quicktime", "mvhd", "xmp")

#: Of a sound file that keeps what it says where our readers do not look.
UNREAD = "unread"

PARTS = tuple(part.name for part in fields(Told))

#: What parsers raise on damaged files; anything else ends this process, and the parent starts another one.
PARSER_FAULTS = (
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    SyntaxError,
    AssertionError,
    EOFError,
    MemoryError,
    struct.error,
)


def answer(request: list[Any]) -> dict[str, Any]:
    """What one file says: [root, path, facts] -> claims, content identifier and a note."""
    root, path, expected = request
    allow_processor_time(CPU_SECONDS_PER_FILE)
    try:
        descriptor = open_file(root.encode("latin-1"), path.encode("latin-1"))
    except (FileNotFoundError, NotADirectoryError):
        return {"moved_on": True}
    except OSError as error:
        return _unreadable(Told(), error)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # Not the ctime: a new mode, or a rename of another name of the file, changes it. Before the file goes anywhere
        # its content is compared with what was hashed.
        if not stat.S_ISREG(status.st_mode) or facts(status)[1:4] != expected[1:4]:
            return {"moved_on": True}
        name = path.encode("latin-1")
        return _ask_sidecar(file, name) if sidecars.is_text(name) else _ask(file, name, status.st_size)


def _ask_sidecar(file: IO[bytes], name: bytes) -> dict[str, Any]:
    try:
        return _said(Told(claims=sidecars.read(file, name)), "")
    except PARSER_FAULTS as error:
        return _said(Told(), f"it tells nothing that can be read ({type(error).__name__})")


def _ask(file: IO[bytes], name: bytes, size_bytes: int) -> dict[str, Any]:
    if size_bytes == 0:
        return _said(Told(), "the file is empty")
    told, fault = Told(), ""
    try:
        window = Window.of_file(file.fileno(), size_bytes)
        kind = format_of(window.head)
        fault = "it begins like no photo or video that is known" if kind is None else _read(kind, window, told)
    except OSError as error:
        return _unreadable(told, error)
    if told.has_source(*ENOUGH) or not (fault or suffix(name) in RAW_SUFFIXES):
        return _said(told, "")
    if kind is not None and kind.library and _ask_library(kind, file, told):
        return _said(told, "")
    return _said(told, _ask_exif_tool(file, told, _note(kind, name, fault)))


def _read(kind: Format, window: Window, told: Told) -> str:
    """Tell what our own reader finds; returns what was odd about the file. Raises OSError when the disk fails."""
    try:
        kind.read(window, told)
    except Unread:
        return UNREAD
    except OSError:
        raise
    except Odd as odd:
        return str(odd)
    except PARSER_FAULTS as fault:
        return type(fault).__name__
    return ""


def _ask_library(kind: Format, file: IO[bytes], told: Told) -> bool:
    """Tell what a library finds; whether the file needs no other reader."""
    # They are large and slow to start; a library of plain photos and films never needs them.
    file.seek(0)
    if kind.library == "media_info":
        from app.files.capture_time import media_info

        aside.ask(partial(media_info.read, file.fileno()), PARSER_FAULTS, told)
        return told.has_source(*ENOUGH)
    from app.files.capture_time import pillow

    read = pillow.read_tiff if kind.library == "tiff" else partial(pillow.read_picture, is_heif=kind.library == "heif")
    return aside.ask(partial(read, file), PARSER_FAULTS, told) or told.has_source(*ENOUGH)


def _note(kind: Format | None, name: bytes, fault: str) -> str:
    """What is said of a file of which exiftool knows nothing either."""
    if kind is None and suffix(name) in WELL_KNOWN:
        return "it is not the photo or video that its name says"
    if fault and fault != UNREAD and kind is not None:
        return f"it is damaged or too large to open: {fault}"
    return "" if exif_tool.is_installed() else "its date may be where only exiftool reads it, which is not installed"


def _ask_exif_tool(file: IO[bytes], told: Told, note: str) -> str:
    """Tell what exiftool finds; returns the note, unless it made the file out."""
    try:
        known_as = exif_tool.read(file.fileno(), told)
    except exif_tool.Silent as silent:
        return note or f"no reader here knows it, and exiftool gave no answer: {silent}"
    return "" if told.has_source(*ENOUGH) or (known_as and not note.startswith("it is damaged")) else note


def _unreadable(told: Told, error: OSError) -> dict[str, Any]:
    return _said(told, error.strerror or str(error)) | {"is_unreadable": True}


def _said(told: Told, note: str) -> dict[str, Any]:
    return {**{name: getattr(told, name) for name in PARTS}, "note": note}


if __name__ == "__main__":
    confine(MEMORY_BYTES, OPEN_FILES)
    serve(answer)
