"""Dates in videos, through MediaInfo: QuickTime's creation date with its zone, and the movie header's in UTC."""

from __future__ import annotations

import re
from typing import Any

Claims = list[tuple[str, str, str]]

MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
#: Canon's CR3 and JPEG XL use the same boxes, but MediaInfo tells nothing of them.
NOT_VIDEO_BRANDS = (b"crx ", b"jxl ")
OTHER = (b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV", b"OggS")
ZONE_AT_END = re.compile(r"([+-]\d{2}:?\d{2}|Z)$")


def is_video(head: bytes) -> bool:
    """Whether the first bytes are those of a kind that MediaInfo reads."""
    if head[4:8] in MP4_BOXES:
        return head[8:12] not in NOT_VIDEO_BRANDS
    is_avi = head.startswith(b"RIFF") and head[8:11] == b"AVI"
    is_transport_stream = head[:1] == b"\x47" or head[4:5] == b"\x47"
    return is_avi or is_transport_stream or head.startswith(OTHER)


def read(descriptor: int) -> Claims:
    """The dates in a video's general track; raises what MediaInfo raises on damaged files."""
    from pymediainfo import MediaInfo

    # By descriptor: the file that was checked, whatever its name leads to by now.
    media = MediaInfo.parse(f"/proc/self/fd/{descriptor}", parse_speed=0, mediainfo_options={"File_IsReferenced": "0"})
    general: dict[str, Any] = next((t.to_data() for t in media.tracks if t.track_type == "General"), {})
    claims = []
    for field in ("comapplequicktimecreationdate", "recorded_date"):
        if text := _text(general.get(field)):
            claims.append(("quicktime", *_with_zone(text)))
    if text := _text(general.get("mastered_date")):
        claims.append(("exif", *_with_zone(text)))
    if text := _text(general.get("encoded_date")):
        claims.append(("mvhd", text.removeprefix("UTC ").removesuffix(" UTC"), "utc"))
    return claims


def _with_zone(text: str) -> tuple[str, str]:
    if text.endswith(" UTC"):
        return text.removesuffix(" UTC"), "utc"
    match = ZONE_AT_END.search(text)
    if match is None or len(text) <= len("2023-07-01"):
        return text, "local"
    return text[: match.start()], match[1]


def _text(value: object) -> str:
    return str(value).strip() if value else ""
