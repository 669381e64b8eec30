"""Patterns for dates in file names, as a person writes them: `Scan {day}.{month}.{year}`, `*_{year}{month}{day}`.

A field is a part of a date, `*` is any text, and `{utc}`, which stands for no text, says that the time is in UTC.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: What the fields stand for in a name.
FIELDS = {
    "year": r"(?P<year>(?:19|20)\d{2})",
    "month": r"(?P<month>0[1-9]|1[0-2]|[1-9])",
    "day": r"(?P<day>0[1-9]|[12]\d|3[01]|[1-9])",
    "hour": r"(?P<hour>[01]\d|2[0-3]|\d)",
    "minute": r"(?P<minute>[0-5]\d)",
    "second": r"(?P<second>[0-5]\d)",
    "utc": r"(?P<utc>)",
}
NEEDED = ("year", "month", "day")
#: More would make the looking slow.
MAX_STARS = 3
PART = re.compile(r"\{([^{}]*)\}|(\*)|([{}])|([^{}*]+)")


class NameDateFault(ValueError):
    """A pattern that cannot be used: what is wrong, and at which character."""


@lru_cache(maxsize=64)
def compiled(pattern: str) -> re.Pattern[bytes]:
    """A pattern, to be looked for in names. Raises NameDateFault."""
    parts: list[str] = []
    used: list[str] = []
    for part in PART.finditer(pattern):
        field, star, brace, text = part.groups()
        _refuse_faults(part, used, parts)
        used += [field] if field else []
        parts.append(".*?" if star else FIELDS[field] if field else re.escape(text or brace))
    missing = [name for name in NEEDED if name not in used]
    if missing:
        raise NameDateFault("it needs " + ", ".join("{" + name + "}" for name in missing))
    return re.compile((r"(?<!\d)" + "".join(parts) + r"(?!\d)").encode(), re.IGNORECASE | re.DOTALL)


def name_date_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, or None."""
    try:
        compiled(pattern)
    except NameDateFault as fault:
        return str(fault)
    return None


def _refuse_faults(part: re.Match[str], used: list[str], parts: list[str]) -> None:
    field, star, brace, _ = part.groups()
    where = f"at character {part.start() + 1}"
    if brace is not None or (field is not None and field not in FIELDS):
        known = ", ".join("{" + name + "}" for name in FIELDS)
        raise NameDateFault(f"{where}: {part[0]} is not known here; {known} and * are")
    if field is not None and field in used:
        raise NameDateFault(f"{where}: {part[0]} stands there twice")
    if star and parts.count(".*?") == MAX_STARS:
        raise NameDateFault(f"{where}: * stands there more than {MAX_STARS} times")
