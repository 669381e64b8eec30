"""Why a file has the date that it has, in one plain sentence; the same words wherever a date is shown."""

from __future__ import annotations

#: What each source of a date is called in a sentence.
SOURCE_WORDS = {
    "exif": "the camera wrote it into the file when the picture was taken (EXIF DateTimeOriginal)",
    "exif_digitized": "the file says when it was digitized (EXIF DateTimeDigitized), and nothing of when it was taken",
    "quicktime": "the camera wrote it into the video (QuickTime creation date)",
    "mvhd": "the video's header says so; it is in UTC, told here in the configured time zone",
    "filename": "the file's name says so; the file itself holds no date that can be true",
    "sibling": "a file that belongs to the same group says so, and all files of a group share one date",
    "mtime": "it is only the time at which the file was last changed",
}


def why_this_date(taken_from: str | None, taken_local: str | None, note: str | None = None) -> str:
    """Why this date decided, as a sentence. `note` is why the file's own dates could not be used, if it is known."""
    if taken_from is None or taken_local is None:
        return "Its date has not been read yet."
    shown = taken_local[:19].replace("T", " ")
    words = SOURCE_WORDS.get(taken_from, f"{taken_from} says so")
    because = f", because {note.rstrip('.')}" if note and is_weak(taken_from) else ""
    return f"Its date is {shown}: {words}{because}."


def is_weak(taken_from: str | None) -> bool:
    """Whether a date says when a copy was made rather than when the picture was taken."""
    return taken_from == "mtime"
