"""The hours in which nobody is to be woken, as the clocks on the wall tell them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class QuietHours:
    """From `begin` up to `end`, in minutes since midnight; over midnight when the end comes first."""

    begin: int
    end: int

    def cover(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether it is quiet at this moment. It goes by the wall clock alone: an hour that a night shows twice counts
        twice, and one that it leaves out not at all."""
        clock = moment.astimezone(zone)
        minute = clock.hour * 60 + clock.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def read_quiet_hours(text: str) -> QuietHours | None:
    """The hours that a text such as 22:00-07:00 tells; None for an empty one. Raises ValueError for any other."""
    if not text.strip():
        return None
    found = FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be two times of day, as in 22:00-07:00")
    hours = [int(part) for part in found.groups()]
    quiet = QuietHours(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
    if quiet.begin == quiet.end:
        raise ValueError("begins and ends at the same time; leave it empty for no quiet hours")
    return quiet
