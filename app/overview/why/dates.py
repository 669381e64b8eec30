"""Why this date: which source told it, and which folder follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from app.config.schema import Config
from app.errors import printable
from app.files.walk import is_media
from app.model import Asset, AssetStatus, RootKind
from app.overview.capture import LOST, OF_PLACE, REJECTED, SOURCE_NAMES, WON, CaptureStory, Found

#: Where a date was read, in words.
SOURCES = {
    "person": "a person, who has decided so",
    "exif": "its EXIF capture date (DateTimeOriginal)",
    "exif_digitized": "its EXIF date of digitizing (DateTimeDigitized)",
    "xmp": "the XMP data in it",
    "xmp_sidecar": "the XMP file beside it",
    "gps": "the time of the GPS satellites, which is in UTC; the zone {zone} makes it a local day",
    "quicktime": "the creation date in the film (QuickTime)",
    "mvhd": "the header of the film, which is in UTC; the zone {zone} makes it a local day",
    "srt": "what the drone wrote as its subtitles",
    "takeout": "the JSON file of Google Takeout, which is in UTC; the zone {zone} makes it a local day",
    "filename": "its file name, as it holds no capture date that can be believed",
    "folder": "only the name of its folder; such a date is doubtful",
    "exif_modified": "its EXIF date of the last change (DateTime), the only one in it; such a date is doubtful",
    "sibling": "the file that it belongs together with",
    "mtime": "its modification time, as it holds no capture date and its name tells none; such a date is doubtful",
}
#: The header of a film may be read as local time: see sorter.video_time.
LOCAL_HEADER = "the header of the film, which tells local time here"
BY_NAME = "its file name, which shows what the clock said where it was taken"

#: Files that are not inspected any more.
UNREAD = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
NOT_READ = (
    "Which other dates it tells was not read yet, as it was dated by an older version or found by a rebuild; "
    "`media-pipeline dates read` reads it and changes no date."
)

#: How sure a date is, in words; of a sure one nothing needs to be said.
CONFIDENCES = {
    "likely": "That is likely, but not told by the camera as its capture date.",
    "weak": "That is doubtful: {doubt}.",
}


def about_date(asset: Asset, kind: RootKind, config: Config, capture: CaptureStory | None = None) -> Iterator[str]:
    """Sentences about the capture time of an asset."""
    if asset.taken_local is None:
        if asset.status in (AssetStatus.DISCOVERED, AssetStatus.UNIQUE):
            yield "Its capture date has not been read yet."
        elif asset.status is not AssetStatus.DUPLICATE:
            yield "It has no capture date."
        return
    source = SOURCES.get(asset.taken_from or "", f"{asset.taken_from}").format(zone=config.zone.key)
    if capture is not None and any((f.source, f.zone, f.outcome) == ("mvhd", "local", WON) for f in capture.candidates):
        source = LOCAL_HEADER
    if asset.taken_from == "filename" and capture and any(f.why == OF_PLACE for f in capture.candidates):
        source = BY_NAME
    yield f"It was taken on {asset.taken_local[:19].replace('T', ' ')}, says {source}."
    folder = printable(asset.path.rpartition(b"/")[0])
    if kind is RootKind.ARCHIVE and asset.status is AssetStatus.ARCHIVED and folder:
        yield f"That is why it is filed under {folder}."


def about_confidence(capture: CaptureStory | None) -> Iterator[str]:
    """How sure the date is, and why it is not."""
    if capture is not None and capture.confidence in CONFIDENCES:
        yield CONFIDENCES[capture.confidence].format(doubt=capture.doubt)


def about_candidates(capture: CaptureStory | None, asset: Asset) -> Iterator[str]:
    """A sentence about each date that was found and is not the one that is believed."""
    if (capture is None or capture.is_unread) and is_media(asset.path) and asset.status in UNREAD:
        yield NOT_READ
    if capture is None:
        return
    for found in capture.candidates:
        told = f"{SOURCE_NAMES.get(found.source, found.source)} tells {_shown(found)}"
        if found.outcome == REJECTED:
            yield f"{told[0].upper()}{told[1:]}; that is passed over: {found.why}."
        elif found.outcome == LOST:
            yield f"{told[0].upper()}{told[1:]}; that is not used: {found.why}."


def about_camera(capture: CaptureStory | None) -> Iterator[str]:
    """Which camera took it, when it says so."""
    words = [word for word in (capture.camera_make, capture.camera_model) if word] if capture is not None else []
    if words:
        yield f"It was taken with: {' '.join(words)}."


def _shown(found: Found) -> str:
    zone = "" if found.zone == "local" else " UTC" if found.zone == "utc" else f" {found.zone}"
    return f"{printable(found.text.encode('utf-8', 'surrogatepass')) or 'nothing'}{zone}"
