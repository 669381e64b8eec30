"""The program that reads what files say of their date: `python -m app.files.capture_time.reader <parent>`.

It handles hostile bytes, so it may use little memory and processor time, and cannot write a file. Nothing is decoded.
"""

from __future__ import annotations

import os
import resource
import stat
import struct
from typing import IO, Any

from app.files.capture_time import exif_tool, images, sidecars, videos
from app.files.hash_reader import facts, open_file
from app.files.reader_process import serve

MEMORY_BYTES = 512 << 20
CPU_SECONDS_PER_FILE = 10
OPEN_FILES = 64
HEAD_BYTES = 64

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
    _allow_processor_time()
    try:
        descriptor = open_file(root.encode("latin-1"), path.encode("latin-1"))
    except (FileNotFoundError, NotADirectoryError):
        return {"moved_on": True}
    except OSError as error:
        return _said([], error.strerror or str(error))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # Not the ctime: a new mode, or a rename of another name of the file, changes it. Before the file goes anywhere
        # its content is compared with what was hashed.
        if not stat.S_ISREG(status.st_mode) or facts(status)[1:4] != expected[1:4]:
            return {"moved_on": True}
        name = path.encode("latin-1")
        return _ask_sidecar(file, name) if sidecars.is_text(name) else _ask(file, status.st_size)


def _ask_sidecar(file: IO[bytes], name: bytes) -> dict[str, Any]:
    try:
        return _said(sidecars.read(file, name), "")
    except PARSER_FAULTS as error:
        return _said([], f"it tells nothing that can be read ({type(error).__name__})")


def _ask(file: IO[bytes], size_bytes: int) -> dict[str, Any]:
    if size_bytes == 0:
        return _said([], "the file is empty")
    head = file.read(HEAD_BYTES)
    file.seek(0)
    try:
        claims = _read(file, head)
    except PARSER_FAULTS as error:
        return _ask_exif_tool(file, f"it is damaged or too large to open ({type(error).__name__})")
    if claims is not None:
        return _said(claims, "")
    if exif_tool.is_only_its_own(head):
        return _ask_exif_tool(file, "only exiftool can read this kind of file; it is not installed or found no date")
    return _said([], "it is not the photo or video that its name says")


def _read(file: IO[bytes], head: bytes) -> list[tuple[str, str, str]] | None:
    """What the libraries find, None when the first bytes are of a kind that they do not know."""
    if images.is_image(head):
        return images.read(file, head)
    return videos.read(file.fileno()) if videos.is_video(head) else None


def _ask_exif_tool(file: IO[bytes], note: str) -> dict[str, Any]:
    try:
        claims = exif_tool.read(file)
    except PARSER_FAULTS:
        claims = []
    return _said(claims, "" if claims else note)


def _said(claims: list[tuple[str, str, str]], note: str) -> dict[str, Any]:
    return {
        "claims": claims, "content_identifier": None, "make": None, "model": None, "motion_photo": False, "note": note,
    }  # fmt: skip


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def _allow_processor_time() -> None:
    """This much more from now on; the kernel kills a process that uses it up on one file."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_PER_FILE
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


if __name__ == "__main__":
    _limit()
    serve(answer)
