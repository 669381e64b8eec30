"""What a file says of itself, as its reader gathers it: dates with their sources, the camera, what it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

#: Source, date as it is written, and its zone: "local" (none told), "utc", or an offset like "+02:00".
Claims = list[tuple[str, str, str]]

ZONE_AT_END = re.compile(r"\s*(Z|[+-]\d{2}:?\d{2})$")
#: A zone follows a time of day, never a bare date: the end of 2023-07-01 is none.
SHORTEST_WITH_TIME = len("2023-07-01T12:00")
#: More than any camera writes; a hostile file may hold thousands.
MAX_CLAIMS = 24
LONGEST_CLAIM = 100


class Odd(ValueError):
    """The file is not as its format's standard says; a library may still make something of it."""


class Unread(Odd):
    """The file is sound as far as was read, but says what it says where only another program looks."""


class Faults:
    """One part's damage leaves the others to be read, and is told of at the end."""

    def __init__(self) -> None:
        self._first: Odd | None = None

    def attempt(self, tell: Callable[..., object], *given: object) -> None:
        """Call `tell`, whatever is odd about its part."""
        try:
            tell(*given)
        except Odd as odd:
            self._first = self._first or odd

    def raise_first(self) -> None:
        """Raise the first fault, if there was one."""
        if self._first is not None:
            raise self._first


@dataclass(slots=True)
class Told:
    """Filled while a file is read, so that what came before the damage is kept. Of a name the first one counts."""

    claims: Claims = field(default_factory=list)
    make: str | None = None
    model: str | None = None
    content_identifier: str | None = None
    motion_photo: bool = False

    def date(self, source: str, text: str, zone: str = "local") -> None:
        """A date and its zone; an empty one and one that was told before say nothing."""
        claim = (source, text.replace("\0", "").strip()[:LONGEST_CLAIM], zone)
        if claim[1] and claim not in self.claims and len(self.claims) < MAX_CLAIMS:
            self.claims.append(claim)

    def zoned_date(self, source: str, text: str) -> None:
        """A date that carries its zone at its end, if any: 2023-07-01T12:00:00+0200."""
        text = text.replace("\0", "").strip()
        match = ZONE_AT_END.search(text) if len(text) >= SHORTEST_WITH_TIME else None
        if match is None:
            self.date(source, text)
        else:
            self.date(source, text[: match.start()], "utc" if match[1] == "Z" else match[1])

    def camera(self, make: str | None, model: str | None) -> None:
        """The camera, unless it is known."""
        self.make, self.model = self.make or make or None, self.model or model or None

    def has_source(self, *sources: str) -> bool:
        """Whether one of these sources told a date."""
        return any(source in sources for source, _, _ in self.claims)
