"""Dates in videos, through MediaInfo: QuickTime's creation date with its zone, and the movie header's in UTC."""

from __future__ import annotations

from typing import Any

from app.files.capture_time.told import Told

#: MediaInfo's names of dates that a camera wrote.
OWN_DATES = (("comapplequicktimecreationdate", "quicktime"), ("recorded_date", "quicktime"), ("mastered_date", "exif"))


def read(descriptor: int, told: Told) -> None:
    """The dates in a video's general track; raises what MediaInfo raises on damaged files."""
    from pymediainfo import MediaInfo

    # By descriptor: the file that was checked, whatever its name leads to by now.
    media = MediaInfo.parse(f"/proc/self/fd/{descriptor}", parse_speed=0, mediainfo_options={"File_IsReferenced": "0"})
    general: dict[str, Any] = next((t.to_data() for t in media.tracks if t.track_type == "General"), {})
    for field, source in OWN_DATES:
        if text := str(general.get(field) or "").strip():
            told.zoned_date(source, text.removesuffix(" UTC") + "Z" * text.endswith(" UTC"))
    if text := str(general.get("encoded_date") or "").strip():
        told.date("mvhd", text.removeprefix("UTC ").removesuffix(" UTC"), "utc")
