"""What is told of a file that is not as it should be, in sentences for people. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime

from app.errors import printable
from app.files.kinds import NO_MEDIA
from app.model import Signature
from app.model.counting import counted

NOT_THERE = "It is not there any more"
NO_FILE = "Something that is no plain file, a link or a folder, lies in its place"
CHANGING = "it is being changed just now; it is read the next time"
NO_ROW = "No row knows this file"
WRITTEN_ELSEWHERE = "Its size is another one, although its time is the same"
SILENT = (
    "Its content is not what it was, although its size and its time are: damage on the disk, or a program that hides "
    "what it changes"
)


def altered(before: Signature, now: Signature, *, is_copy: bool) -> str:
    """How a file differs from what it was: edited in the open, or behind everyone's back."""
    if now.mtime_ns != before.mtime_ns:
        what = f"It was changed; it was last written on {_moment(now.mtime_ns)}"
        if now.size_bytes == before.size_bytes:
            what += ", and is as long as before"
    else:
        what = SILENT if now.size_bytes == before.size_bytes else WRITTEN_ELSEWHERE
    if now.size_bytes != before.size_bytes:
        what += f" ({before.size_bytes:,} bytes became {now.size_bytes:,})"
    return _of(what, is_copy)


def missing(copies: list[bytes], *, is_copy: bool, is_blocked: bool) -> str:
    """That a file is not there, and where a copy of it still is, as far as rows tell."""
    what = NO_FILE if is_blocked else NOT_THERE
    if copies and not is_copy:
        what += f"; a copy of it was kept at {printable(copies[0])}"
    return _of(what, is_copy)


def disk_away(mount_point: bytes, *, is_copy: bool) -> str:
    """That a file is not there because the disk that it lies on is not."""
    where = printable(mount_point)
    return _of(f"{NOT_THERE}: {where} is empty and on another disk than it was; its disk is not mounted", is_copy)


def unreadable(reason: str, *, is_copy: bool) -> str:
    """That nobody can tell what it holds."""
    return _of(f"It cannot be read: {reason}", is_copy)


def foreign(reason: str) -> str:
    """A file without a row; `reason` is what its name says when it is no photo or video."""
    return f"{NO_ROW}; by its name it is {reason}." if reason.startswith(NO_MEDIA) else f"{NO_ROW}."


def foreign_copy(asset_id: int, place: bytes) -> str:
    """A file without a row whose content a row knows."""
    return f"{NO_ROW}; it has the same content as file {asset_id}, {printable(place)}."


def moved(place: bytes) -> str:
    """A file that somebody moved or renamed."""
    return f"It was moved or renamed by hand: its content is at {printable(place)} now."


def resting(read: int, left: int, goes_on_at: str) -> str:
    """That a verification lets other runs go first, how far it is, and when it goes on."""
    files = counted(read, "file was read", "files were read")
    rest = f"{counted(left, 'is', 'are')} left" if left else "only what no row knows is left"
    return f"Paused so that other runs can go first: {files}, {rest}; goes on at {_minute(goes_on_at)} UTC."


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")


def exchanged(place: bytes, files: int) -> str:
    """A file that changed places with others."""
    with_ = "another one" if files == 2 else f"{files - 1:,} others"
    return (
        f"It changed places by hand with {with_}: its content is at {printable(place)} now, and nothing is lost. "
        "Accepting one of them accepts them all."
    )


def _of(what: str, is_copy: bool) -> str:
    return f"The copy that was kept here: {what[0].lower()}{what[1:]}." if is_copy else f"{what}."


def _moment(mtime_ns: int) -> str:
    try:
        return datetime.fromtimestamp(mtime_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a day that no calendar has"


def summary(intact: int, looked_at: int, counts: dict[str, int]) -> str:
    """The result of a verification in one or two sentences; `counts` by kind of finding."""
    bad = [f"{counts[kind]:,} {kind}" for kind in ("altered", "missing", "unreadable", "moved") if counts.get(kind)]
    files = counted(intact, "file is as it was", "files are as they were")
    told = f"{files}; {', '.join(bad)}." if bad else f"{files}."
    if looked_at:
        told += f" {looked_at:,} more, verified before, are there."
    if counts.get("foreign"):
        told += f" {counted(counts['foreign'], 'file is', 'files are')} known to no row."
    return told
