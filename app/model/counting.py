"""Counts and sizes in sentences."""

from __future__ import annotations

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size_in_words(size_bytes: int) -> str:
    """A size for people: `1.5 GiB`."""
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit else f"{size_bytes} bytes"


def counted(count: int, one: str, many: str) -> str:
    """`1 file`, `1,200 files`: the number with thousands set apart, and the words that go with it."""
    return f"{count:,} {one if count == 1 else many}"
