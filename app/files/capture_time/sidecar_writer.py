"""The XMP file that tells other programs the date that a person decided. Pure: the same date makes the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ENDING = b".xmp"
#: File systems take no longer names.
LONGEST_NAME_BYTES = 255

_MINUTE = timedelta(minutes=1)
#: ExifTool, Immich, PhotoPrism and digiKam look for the first two, Lightroom and others for the third as well.
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Media Pipeline">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    exif:DateTimeOriginal="{date}"
    photoshop:DateCreated="{date}"
    xmp:CreateDate="{date}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def packet(taken_local: str, taken_at: str | None) -> bytes:
    """An XMP packet with this wall time, and its offset where it has one of whole minutes. Both are ISO 8601."""
    local = datetime.fromisoformat(taken_local).replace(tzinfo=None)
    return _PACKET.format(date=_text(local) + _offset(local, taken_at)).encode()


def name_beside(name: bytes) -> bytes | None:
    """What the sidecar of a file of this name is called; None when that would be too long."""
    called = name + ENDING
    return called if len(called) <= LONGEST_NAME_BYTES else None


def names_of_others(name: bytes) -> set[bytes]:
    """Under which names, in small letters, a sidecar of somebody else describes this file."""
    lowered = name.lower()
    return {lowered + ENDING, lowered.rpartition(b".")[0] + ENDING}


def _text(local: datetime) -> str:
    whole = local.isoformat(timespec="seconds")
    return whole + (f".{local.microsecond:06d}".rstrip("0") if local.microsecond else "")


def _offset(local: datetime, taken_at: str | None) -> str:
    if taken_at is None:
        return ""
    difference = local.replace(tzinfo=UTC) - datetime.fromisoformat(taken_at).astimezone(UTC)
    minutes, rest = divmod(abs(difference), _MINUTE)
    if rest or minutes >= 15 * 60:
        return ""
    return f"{'-' if difference < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
