"""Stems: the part of its files' names by which a group is known, and other names with another stem. Values in, out."""

from __future__ import annotations

from collections.abc import Sequence

from app.filing.safe_names import cut


def own_stem(name: bytes) -> bytes:
    """The name up to its last dot; the whole of it when there is none, or only at its beginning."""
    return name[: _ends(name)[-1]]


def shared_stem(names: Sequence[bytes], lead: bytes) -> bytes:
    """The stem of the lead's with which most names begin, the longest of those; letter case does not count."""
    lowered = [name.lower() for name in names]

    def begin_with(end: int) -> int:
        return sum(1 for name in lowered if _begins(name, lead[:end].lower()))

    return lead[: max(_ends(lead), key=lambda end: (begin_with(end), end))]


def renamed(names: Sequence[bytes], lead: bytes, stem: bytes, limit_bytes: int) -> tuple[bytes, ...]:
    """The names with the group's stem replaced, what follows it kept; a name without it follows after a dash.

    A stem that is too long for the longest of the endings is cut short, for all of them alike.
    """
    old = shared_stem(names, lead)
    endings = [name[len(old) :] if _begins(name.lower(), old.lower()) else b"-" + name for name in names]
    room = max(limit_bytes - max(len(ending) for ending in endings), 1)
    short = cut(stem, room)
    return tuple(short + ending for ending in endings)


def _begins(name: bytes, stem: bytes) -> bool:
    """Whether a name has this stem and, when it has a suffix at all, keeps that."""
    return name.startswith(stem) and (len(name) > len(stem) or b"." not in name[1:])


def _ends(name: bytes) -> list[int]:
    """Where a stem may end: before each dot but a leading one."""
    return [i for i, byte in enumerate(name) if byte == ord(".") and i] or [len(name)]
