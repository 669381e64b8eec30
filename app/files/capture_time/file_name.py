"""Dates in file names: IMG_20230701_120000.jpg, PXL_20230701_100000123.jpg (UTC), IMG-20230701-WA0001.jpg, ..."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.config.name_dates import compiled
from app.files.capture_time.judge import written_in

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
#: The day first: as Telegram Desktop writes it, photo_1@01-07-2023_23-59-59.jpg, and with dots, Scan 1.7.2023.jpg.
DAY_FIRST = (
    re.compile(
        rb"@(?P<day>\d{2})-(?P<month>\d{2})-(?P<year>(?:19|20)\d{2})"
        rb"_(?P<hour>[01]\d|2[0-3])-(?P<minute>[0-5]\d)-(?P<second>[0-5]\d)(?!\d)"
    ),
    re.compile(
        rb"(?<![\d.v])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>(?:19|20)\d{2})(?!\.?\d)"
        rb"(?:(?:, ?|[ _-]|[ _](?:um|at)[ _])"
        rb"(?P<hour>[01]\d|2[0-3])[-_.: ](?P<minute>[0-5]\d)[-_.: ](?P<second>[0-5]\d)(?!\d))?"
    ),
)
#: Facebook, WeChat and others count milliseconds since 1970.
COUNTED = re.compile(rb"(?:FB_IMG_|FB_VID_|mmexport|wx_camera_)(\d{13})(?!\d)", re.IGNORECASE)
#: Since 2001 such a number has as many digits. Seconds are one only behind what says that it is a picture.
COUNTED_ALONE = re.compile(rb"(?:(?:IMG|VID|MOV|PIC|image|photo|video)[-_]?)?(1\d{12})(?!\d)", re.IGNORECASE)
COUNTED_SECONDS = re.compile(rb"(?:IMG|VID|MOV|PIC|image|photo|video)[-_](1\d{9})(?!\d)", re.IGNORECASE)
#: Names that programs make at random: what looks like a date in them is none.
RANDOM = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{24,}",
    re.IGNORECASE,
)
#: Google's Pixel phones write UTC, and so does OneDrive of what an iPhone took.
WRITES_UTC = re.compile(rb"PXL_|\d{8}_\d{9}_iOS\b")
#: How names begin that cameras and phones give by their clock. Messengers and editors write when they got something.
OF_CAMERA = re.compile(
    rb"(?:(?:IMG|VID|MVIMG|MOV|MVI|PANO|DSC|DJI|WP|BURST|Screen_?record(?:ing|er)?)[-_]?)?(?=(?:19|20)\d{2})",
    re.IGNORECASE,
)
MIDNIGHT = "00:00:00"


def claims_of_name(name: bytes, patterns: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(text, zone) of the dates in a file name, those of the given patterns first; without a time it is midnight."""
    known = None if RANDOM.search(name) and COUNTED.search(name) is None else _of_known(name)
    return list(dict.fromkeys([*_of_patterns(name, patterns), *([known] if known is not None else ())]))


def clock_times_of_name(name: bytes, patterns: Sequence[str] = ()) -> list[str]:
    """The times of day in a file name that a camera's clock showed where it was: those of the given patterns, and of
    names as cameras give them."""
    begins = OF_CAMERA.match(name)
    of_camera = begins is not None and any(kind.match(name, begins.end()) for kind in (RUN_TOGETHER, DATED))
    claims = claims_of_name(name, patterns) if of_camera else _of_patterns(name, patterns)
    return [text for text, zone in claims if zone == "local" and MIDNIGHT not in text]


def _of_patterns(name: bytes, patterns: Sequence[str]) -> list[tuple[str, str]]:
    return [_told(match.groupdict()) for p in patterns if (match := compiled(p).search(name)) is not None]


def _of_known(name: bytes) -> tuple[str, str] | None:
    """The date in a name of a kind that is known here."""
    counted = COUNTED.search(name) or COUNTED_ALONE.match(name) or COUNTED_SECONDS.match(name)
    if counted is not None:
        unit = timedelta(milliseconds=1) if len(counted[1]) == 13 else timedelta(seconds=1)
        return (datetime.fromtimestamp(0, UTC) + int(counted[1]) * unit).strftime("%Y-%m-%d %H:%M:%S"), "utc"
    match = RUN_TOGETHER.search(name) or DATED.search(name)
    if match is not None:
        return _told({**match.groupdict(), "utc": b"" if WRITES_UTC.match(name) else None})
    told = (_told(match.groupdict()) for kind in DAY_FIRST if (match := kind.search(name)) is not None)
    return next((one for one in told if written_in(one[0]) is not None), None)


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
