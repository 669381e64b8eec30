"""Dates in file names: IMG_20230701_120000.jpg, PXL_20230701_100000123.jpg (UTC), IMG-20230701-WA0001.jpg, ..."""

from __future__ import annotations

import re

DATE = rb"(?P<year>(?:19|20)\d{2})(?P<dash>[-_.]?)(?P<month>0[1-9]|1[0-2])(?P=dash)(?P<day>0[1-9]|[12]\d|3[01])"
TIME = rb"(?P<hour>[01]\d|2[0-3])[-_.:h]?(?P<minute>[0-5]\d)[-_.:m]?(?P<second>[0-5]\d)(?P<fraction>\d{3})?"
DATED = re.compile(rb"(?<!\d)" + DATE + rb"(?:(?:[-_. T]| at |_at_)+" + TIME + rb")?(?!\d)")
#: Run together, as in 20230701120000.jpg.
RUN_TOGETHER = re.compile(
    rb"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])" + TIME + rb"(?!\d)"
)
#: Google's Pixel phones write UTC.
WRITES_UTC = (b"PXL_",)


def claims_of_name(name: bytes) -> list[tuple[str, str]]:
    """(text, zone) of the date in a file name, or nothing. Without a time of day it is midnight."""
    match = RUN_TOGETHER.search(name) or DATED.search(name)
    if match is None:
        return []
    part = {key: (value or b"").decode() for key, value in match.groupdict().items()}
    time = f"{part['hour'] or '00'}:{part['minute'] or '00'}:{part['second'] or '00'}"
    fraction = f".{part['fraction']}" if part["fraction"] else ""
    zone = "utc" if name.startswith(WRITES_UTC) and part["hour"] else "local"
    return [(f"{part['year']}-{part['month']}-{part['day']} {time}{fraction}", zone)]
