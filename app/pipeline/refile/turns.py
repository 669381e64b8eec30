"""In which order groups move when some are to go where others still lie. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable

#: With fewer groups that can move at once, and more than so many that wait, others are put aside first: a long row of
#: groups that wait for one another then moves in a few steps.
FEW, MANY = 16, 64


class Turns:
    """Groups that wait for a place to become free, by pairs of (group, group that lies there)."""

    def __init__(self, blocked: Iterable[tuple[int, int]]) -> None:
        self._waits_for: dict[int, set[int]] = {}
        pairs = list(blocked)
        for group, _ in pairs:
            self._waits_for.setdefault(group, set())
        self._freed_by: dict[int, set[int]] = {}
        for group, other in pairs:
            if other in self._waits_for:
                self._waits_for[group].add(other)
                self._freed_by.setdefault(other, set()).add(group)

    @property
    def waiting(self) -> frozenset[int]:
        """All groups that had to wait and have not moved yet."""
        return frozenset(self._waits_for)

    def next_to_move(self) -> list[int]:
        """Groups whose places are free, in order; none when some have to be put aside first."""
        ready = sorted(group for group, others in self._waits_for.items() if not others)
        return [] if len(ready) < FEW and len(self._waits_for) - len(ready) > MANY else ready

    def next_aside(self, most: int) -> list[int]:
        """Groups to be put aside, in order: those that lie in the place of another."""
        return sorted(group for group in self._waits_for if self._freed_by.get(group))[:most]

    def has_moved(self, group: int) -> None:
        """It has left its place, or failed to."""
        self.is_aside(group)
        self._waits_for.pop(group, None)

    def is_aside(self, group: int) -> None:
        """It has left its place, and still has to get to its own."""
        for other in self._freed_by.pop(group, ()):
            self._waits_for.get(other, set()).discard(group)
