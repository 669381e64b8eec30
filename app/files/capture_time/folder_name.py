"""Dates in the names of folders, a last hint: 2023/07/01, 2023-07-01 Lake, Lake 01.07.2023, 2023-07, Photos from 2023.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.files.capture_time.judge import written_in

YEAR = rb"(?<!\d)(?P<year>(?:19|20)\d{2})"
MONTH = rb"(?P<month>0[1-9]|1[0-2])"
DAY = rb"(?P<day>0[1-9]|[12]\d|3[01])"
DIVIDER = rb"(?P<divider>[-_. /]?)"
#: A folder of a month may bear the year again: 2023/2023-07/01, 2023/07 July/01.
WHOLE = re.compile(YEAR + DIVIDER + MONTH + rb"(?P=divider)" + DAY + rb"(?!\d)")
#: With dots the day comes first, wherever they are written so.
DAY_FIRST = re.compile(rb"(?<![\d.v])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>(?:19|20)\d{2})(?!\.?\d)")
OF_MONTH = re.compile(YEAR + DIVIDER + MONTH + rb"(?!\d)")
OF_YEAR = re.compile(YEAR + rb"(?!\d)")


@lru_cache(maxsize=4096)
def date_of_folder(folder: bytes) -> str:
    """The date that a path of folders tells, the innermost one: "2023-07-01", "2023-07" or "2023"; or nothing."""
    days = (match for kind in (WHOLE, DAY_FIRST) for match in kind.finditer(folder))
    for match in sorted(days, key=re.Match.start, reverse=True):
        day = f"{_number(match, 'year'):04}-{_number(match, 'month'):02}-{_number(match, 'day'):02}"
        if written_in(day) is not None or match.re is WHOLE:
            return day
    for pattern in (OF_MONTH, OF_YEAR):
        found = [match.groupdict() for match in pattern.finditer(folder)]
        if found:
            parts = (found[-1].get(name) for name in ("year", "month"))
            return "-".join(part.decode() for part in parts if part)
    return ""


def _number(match: re.Match[bytes], name: str) -> int:
    return int(match[name])
