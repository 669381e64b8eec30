"""Counts in sentences."""

from __future__ import annotations


def counted(count: int, one: str, many: str) -> str:
    """`1 file`, `1,200 files`: the number with thousands set apart, and the words that go with it."""
    return f"{count:,} {one if count == 1 else many}"
