"""The sentences of a preview. Values in, words out."""

from __future__ import annotations

from app.errors import printable
from app.model import Asset, AssetStatus, RootKind

#: How the source of a capture time is told.
SAYS = {
    "person": "a person says {when}",
    "exif": "EXIF DateTimeOriginal says {when}",
    "exif_digitized": "EXIF DateTimeDigitized says {when}",
    "quicktime": "the video's creation date says {when}",
    "mvhd": "the video's movie header says {when}",
    "xmp": "the XMP data in it says {when}",
    "xmp_sidecar": "the XMP file beside it says {when}",
    "gps": "the GPS time says {when}",
    "srt": "the subtitles that the drone wrote say {when}",
    "takeout": "the JSON file of Google Takeout says {when}",
    "filename": "its file name says {when}",
    "folder": "only its folder says {when}",
    "exif_modified": "only the date of its last change says {when}",
}


def why_there(asset: Asset, lead: bytes | None, doubt: str | None, folder: bytes | None) -> str | None:
    """Why a file has its date, and the folder to which that leads; None when it has no date yet."""
    if asset.taken_local is None or asset.taken_from is None:
        return None
    when = asset.taken_local[:16].replace("T", " ")
    if asset.taken_from == "sibling":
        because = f"goes with {printable(lead.rpartition(b'/')[2])}" if lead else "goes with its photo"
    elif asset.taken_from == "mtime":
        because = f"{doubt or 'no date inside'}; the file's own time ({when}) decides"
    else:
        because = SAYS.get(asset.taken_from, f"{asset.taken_from} says {{when}}").format(when=when)
    return because if folder is None else f"{because} → {printable(folder) or 'the top of the archive'}"


def what_becomes(
    asset: Asset, kind: RootKind | None, batch_name: str | None, original: bytes | None, ending: str
) -> str:
    """What a run makes of a file that would then stand like this, under a root of this kind."""
    reason = f": {asset.reason}" if asset.reason else ""
    match asset.status:
        case AssetStatus.ARCHIVED:
            return f"goes to the archive in {batch_name}" if batch_name else "goes to the archive"
        case AssetStatus.DUPLICATE:
            where = "moves to the duplicates folder" if kind is RootKind.DUPLICATES else "stays where it is"
            return f"is a duplicate of {printable(original or b'a file that is known')} and {where}"
        case AssetStatus.SET_ASIDE if kind is RootKind.ARCHIVE:
            return "goes to the archive's review folder" + reason
        case AssetStatus.SET_ASIDE:
            return "is set aside where it is" + reason
        case AssetStatus.FAILED:
            return "has failed and stays where it is" + reason
        case AssetStatus.GONE:
            return "is no longer there"
        case AssetStatus.BATCHED | AssetStatus.DELIVERED:
            return f"stays in the folder of {batch_name}: {ending}"
    return "cannot be taken now" + reason if asset.reason else f"waits: {ending}"
