"""Dates in file names: IMG_20230701_120000.jpg, PXL_20230701_100000123.jpg (UTC), IMG-20230701-WA0001.jpg, ..."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.config.name_dates import compiled

DATE = rb"(?P<year>(?:19|20)\d{2})(?P<dash>[-_.]?)(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<day>0[1-9]|[12]\d|3[01])"
TIME = (
    rb"(?P<hour>[01]\d|2[0-3]|\d(?=[.:]))[-_.:h]?(?P<minute>[0-5]\d)[-_.:m]?(?P<second>[0-5]\d)"
    rb"(?P<fraction>\d{3})?(?:[ _\xc2\xa0\xe2\x80\xaf]*(?P<half>[AaPp])\.?[Mm]\b)?"
)
#: Between date and time: a sign, or the word that a system in some language writes there.
BETWEEN = rb"(?:[-_. T]|[ _](?:at|um|om|a|\xc3\xa0|alle|a las|kl\.?|kello|o)[ _])+"
DATED = re.compile(rb"(?<!\d)" + DATE + rb"(?:" + BETWEEN + TIME + rb")?(?!\d)")
#: Run together, as in 20230701120000.jpg.
RUN_TOGETHER = re.compile(
    rb"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
    rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?P<fraction>\d{3})?(?P<half>)(?!\d)"
)
#: Facebook, WeChat and others count milliseconds since 1970.
COUNTED = re.compile(rb"(?:FB_IMG_|FB_VID_|mmexport|wx_camera_)(\d{13})(?!\d)", re.IGNORECASE)
#: Names that programs make at random: what looks like a date in them is none.
RANDOM = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{24,}",
    re.IGNORECASE,
)
#: Google's Pixel phones write UTC.
WRITES_UTC = (b"PXL_",)


def claims_of_name(name: bytes, patterns: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(text, zone) of the dates in a file name, those of the given patterns first; without a time it is midnight."""
    found = [_told(match.groupdict()) for p in patterns if (match := compiled(p).search(name)) is not None]
    counted = COUNTED.search(name)
    if counted is not None:
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(counted[1]))
        return [*found, (at.strftime("%Y-%m-%d %H:%M:%S"), "utc")]
    match = RUN_TOGETHER.search(name) or DATED.search(name)
    if match is not None and not RANDOM.search(name):
        found.append(_told({**match.groupdict(), "utc": b"" if name.startswith(WRITES_UTC) else None}))
    return list(dict.fromkeys(found))


def _told(part: dict[str, bytes | None]) -> tuple[str, str]:
    def number(field: str) -> int:
        return int(part.get(field) or 0)

    hour, half = number("hour"), (part.get("half") or b"").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == b"p" else 0)
    text = f"{number('year')}-{number('month'):02d}-{number('day'):02d}"
    text += f" {hour:02d}:{number('minute'):02d}:{number('second'):02d}"
    text += f".{(part.get('fraction') or b'').decode()}" if part.get("fraction") else ""
    return text, "utc" if part.get("utc") is not None and part.get("hour") else "local"
