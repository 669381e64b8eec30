"""Dates in the files beside a photo or video: XMP, the JSON of Google Takeout, and of a film its thumbnail and what a
drone wrote as its subtitles."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from app.files.capture_time import embedded_xmp, flight_log
from app.files.capture_time.told import Claims, Told
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.media_names import MediaNames
from app.files.takeout import takeout_partner

#: Those that tell dates; the thumbnail is a photo and is read as one.
XMP, TAKEOUT, THUMBNAIL, SUBTITLES = b"xmp", b"json", b"thm", b"srt"
TELLING = frozenset((XMP, TAKEOUT, THUMBNAIL, SUBTITLES))
OF_FILMS = (THUMBNAIL, SUBTITLES)
#: So many Takeout files of others are asked about a photo that has none: a burst may have thousands.
NEAREST = 8
#: Far more than any program writes, all its edits included.
MAX_BYTES = 8 << 20
EPOCH = datetime.fromtimestamp(0, UTC)


def tells_dates(name: bytes) -> bool:
    """Whether a file of this name, beside a photo or video, is one that may tell its date."""
    return suffix(name) in TELLING


def is_text(name: bytes) -> bool:
    """Whether `read` reads it; a thumbnail is read like any photo."""
    return suffix(name) in (XMP, TAKEOUT, SUBTITLES)


def read(file: IO[bytes], name: bytes) -> Claims:
    """The dates that a sidecar tells of its photo; raises ValueError and its like for what is no XMP and no JSON."""
    if suffix(name) == SUBTITLES:
        return flight_log.read(file)
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("it is far larger than any sidecar")
    if suffix(name) == XMP:
        told = Told()
        embedded_xmp.read(content, told)
        return [("xmp_sidecar", text, zone) for _, text, zone in told.claims]
    return _takeout(json.loads(content))


def _takeout(told: Any) -> Claims:
    taken = told.get("photoTakenTime") if isinstance(told, dict) else None
    stamp = taken.get("timestamp") if isinstance(taken, dict) else None
    if not isinstance(stamp, str | int) or isinstance(stamp, bool):
        return []
    try:
        at = EPOCH + timedelta(seconds=int(stamp))
    except (ValueError, OverflowError):
        return [("takeout", str(stamp)[:40], "utc")]
    return [("takeout", f"{at.year:04d}-{at:%m-%d %H:%M:%S}", "utc")]


class Sidecars:
    """The sidecars of one group that lie in one folder, all by their names: which of them tell of which photo."""

    def __init__(self, media: Iterable[bytes], sidecars: Iterable[bytes]) -> None:
        names = MediaNames(media)
        self._called: dict[bytes, list[bytes]] = {}
        self._described: dict[bytes | None, list[bytes]] = {}
        self._exported: list[bytes] = []
        for sidecar in filter(tells_dates, sidecars):
            if suffix(sidecar) != TAKEOUT:
                self._called.setdefault(sidecar.rpartition(b".")[0].lower(), []).append(sidecar)
                continue
            self._exported.append(sidecar)
            self._described.setdefault(takeout_partner(sidecar, names), []).append(sidecar)
        self._exported.sort()

    def of(self, name: bytes) -> list[bytes]:
        """Those that tell of this photo or video, the nearest first.

        One of its full name (IMG_1.jpg.xmp) is its own, before one of its stem (IMG_1.xmp). Without a Takeout file of
        its own it has those of the others that are called most like it: what was edited shares the file of what it was
        made from.
        """
        own = self._called.get(name.lower(), [])
        alike = self._called.get(name.rpartition(b".")[0].lower(), [])
        found = [*own, *alike, *(self._described.get(name) or self._nearest(name))]
        return [sidecar for sidecar in found if _may_tell(sidecar, name)]

    def _nearest(self, name: bytes) -> list[bytes]:
        at = bisect_left(self._exported, name)
        around = self._exported[max(at - NEAREST // 2, 0) : at + NEAREST // 2]
        return sorted(around, key=lambda sidecar: (-_shared_length(sidecar, name), sidecar))


def told_elsewhere(media: Mapping[int, bytes], sidecars: Collection[bytes]) -> Iterator[tuple[int, bytes]]:
    """(key, sidecar): which of these photos and videos are told of by the sidecars of a copy in another folder.

    The copy may have been called otherwise: what no name fits tells of all of them, for their content is the same.
    """
    beside, heard = Sidecars(media.values(), sidecars), set[bytes]()
    for key, name in media.items():
        own = beside.of(name)
        heard.update(own)
        yield from ((key, sidecar) for sidecar in own)
    rest = sorted(sidecar for sidecar in sidecars if tells_dates(sidecar) and sidecar not in heard)
    for key, name in media.items():
        yield from ((key, sidecar) for sidecar in rest[:NEAREST] if _may_tell(sidecar, name))


def _may_tell(sidecar: bytes, name: bytes) -> bool:
    return suffix(sidecar) not in OF_FILMS or suffix(name) in VIDEO_SUFFIXES


def _shared_length(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
