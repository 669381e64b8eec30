"""Why this date: which source told it, and which folder follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from app.config.schema import Config
from app.errors import printable
from app.model import Asset, AssetStatus, RootKind

#: Where a date was read, in words.
SOURCES = {
    "exif": "its EXIF capture date (DateTimeOriginal)",
    "exif_digitized": "its EXIF date of digitizing (DateTimeDigitized)",
    "quicktime": "the creation date in the film (QuickTime)",
    "mvhd": "the header of the film, which is in UTC; the zone {zone} makes it a local day",
    "filename": "its file name, as it holds no capture date",
    "sibling": "the file that it belongs together with",
    "mtime": "its modification time, as it holds no capture date and its name tells none; such a date is doubtful",
}


def about_date(asset: Asset, kind: RootKind, config: Config) -> Iterator[str]:
    """Sentences about the capture time of an asset."""
    if asset.taken_local is None:
        if asset.status in (AssetStatus.DISCOVERED, AssetStatus.UNIQUE):
            yield "Its capture date has not been read yet."
        elif asset.status is not AssetStatus.DUPLICATE:
            yield "It has no capture date."
        return
    source = SOURCES.get(asset.taken_from or "", f"{asset.taken_from}").format(zone=config.zone.key)
    yield f"It was taken on {asset.taken_local[:19].replace('T', ' ')}, says {source}."
    folder = printable(asset.path.rpartition(b"/")[0])
    if kind is RootKind.ARCHIVE and asset.status is AssetStatus.ARCHIVED and folder:
        yield f"That is why it is filed under {folder}."
