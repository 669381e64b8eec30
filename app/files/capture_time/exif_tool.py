"""What exiftool says of files that no reader here makes out: one that stays open, limited, restarted when it ends.

Works as if it found nothing where exiftool is not installed; `is_installed` tells the difference.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import subprocess
import time
from typing import Any

from app.files.capture_time.told import Told
from app.files.reader_process import end_with

ANSWER_SECONDS = 5.0
MEMORY_BYTES = 384 << 20
CPU_SECONDS_PER_FILE = 5
#: A few dates and names; one that says more than this has lost its mind.
MAX_ANSWER_BYTES = 1 << 20
READY = b"{ready}"

TAGS = (
    "FileType", "DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal", "CreateDate", "SubSecTimeDigitized",
    "OffsetTimeDigitized", "ModifyDate", "CreationDate", "DateCreated", "GPSDateTime", "Make", "Model",
    "ContentIdentifier", "MediaGroupUUID",
)  # fmt: skip
#: Tag, source, and the tags of its fraction and its offset; EXIF's only.
EXIF_DATES = (
    ("DateTimeOriginal", "exif", "SubSecTimeOriginal", "OffsetTimeOriginal"),
    ("CreateDate", "exif_digitized", "SubSecTimeDigitized", "OffsetTimeDigitized"),
    ("ModifyDate", "exif_modified", "", ""),
)
OTHER_DATES = (
    ("XMP", "DateTimeOriginal", "xmp"), ("XMP", "DateCreated", "xmp"), ("XMP", "CreateDate", "xmp"),
    ("QuickTime", "CreationDate", "quicktime"), ("QuickTime", "DateTimeOriginal", "quicktime"),
    ("Composite", "GPSDateTime", "gps"),
)  # fmt: skip
#: The groups that hold dates in the way of other formats.
NOT_EXIF = ("XMP", "QuickTime", "Composite")


class Silent(RuntimeError):
    """Exiftool gave no answer in time, or ended."""


class _Tool:
    """One exiftool that stays open."""

    def __init__(self, path: str) -> None:
        # No file of settings: such a file is a program.
        words = [path, "-config", "", "-stay_open", "True", "-@", "-"]
        parent_id = os.getpid()
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # The reader that starts it has no other thread.
            preexec_fn=lambda: end_with(parent_id),  # noqa: PLW1509
        )
        resource.prlimit(self._process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    def ask(self, path: str) -> dict[str, Any]:
        """What it says of one file. Raises Silent."""
        self._allow_processor_time()
        words = ["-json", "-G0", "-fast", *(f"-{tag}" for tag in TAGS), path, "-execute"]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("".join(f"{word}\n" for word in words).encode())
            found = json.loads(self._answer() or b"[{}]")
        except (OSError, ValueError) as error:
            raise Silent("it ended") from error
        return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        said, deadline = b"", time.monotonic() + ANSWER_SECONDS
        while not said.rstrip().endswith(READY):
            if not select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Silent(f"it took longer than {ANSWER_SECONDS:.0f} s")
            part = os.read(self._process.stdout.fileno(), 1 << 16)
            said += part
            if not part or len(said) > MAX_ANSWER_BYTES:
                raise Silent("it ended")
        return said.rstrip().removesuffix(READY).strip()

    def _allow_processor_time(self) -> None:
        """This much more from now on; the kernel ends it when one file uses that up."""
        try:
            with open(f"/proc/{self._process.pid}/stat", "rb") as file:
                user, system = file.read().rpartition(b")")[2].split()[11:13]
            used = (int(user) + int(system)) // os.sysconf("SC_CLK_TCK")
            hard = resource.prlimit(self._process.pid, resource.RLIMIT_CPU)[1]
            resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (used + CPU_SECONDS_PER_FILE, hard))
        except (OSError, ValueError) as error:
            raise Silent("it ended") from error

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


_state: dict[str, Any] = {}


def is_installed() -> bool:
    """Whether there is an exiftool to ask."""
    if "path" not in _state:
        _state["path"] = shutil.which("exiftool")
    return _state["path"] is not None


def read(descriptor: int, told: Told) -> str:
    """Tell what exiftool finds; returns the kind of file that it takes it for, or nothing. Raises Silent."""
    if not is_installed():
        return ""
    tool = _state.get("tool") or _Tool(_state["path"])
    _state["tool"] = tool
    try:
        found = tool.ask(f"/proc/{os.getpid()}/fd/{descriptor}")
    except Silent:
        tool.end()
        del _state["tool"]
        raise
    _tell({name: str(value) for name, value in found.items()}, told)
    return str(found.get("File:FileType", ""))


def _tell(found: dict[str, str], told: Told) -> None:
    exif: dict[str, str] = {}
    for name, value in found.items():
        group, _, tag = name.rpartition(":")
        if group not in NOT_EXIF:
            exif.setdefault(tag, value)
    for tag, source, fraction, offset in EXIF_DATES:
        if tag in exif:
            digits = exif.get(fraction, "")
            text = f"{exif[tag]}.{digits}" if digits.isdecimal() and "." not in exif[tag] else exif[tag]
            told.zoned_date(source, text + exif.get(offset, ""))
    for group, tag, source in OTHER_DATES:
        told.zoned_date(source, found.get(f"{group}:{tag}", ""))
    if "QuickTime:CreateDate" in found:
        told.date("mvhd", found["QuickTime:CreateDate"], "utc")
    said = {name.rpartition(":")[2]: value for name, value in found.items()}
    told.camera(said.get("Make"), said.get("Model"))
    told.content_identifier = told.content_identifier or said.get("ContentIdentifier") or said.get("MediaGroupUUID")
