"""File names as people remember them: letter case and the composition of characters put aside."""

from __future__ import annotations

import unicodedata


def name_key(path: bytes) -> bytes:
    """The base name of a path as the column `assets.name` holds it: composed, case-folded, bytes."""
    name = path.rpartition(b"/")[2]
    if name.isascii():
        return name.lower()
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold()).encode("utf-8", "surrogateescape")


def after_prefix(prefix: bytes) -> bytes | None:
    """The smallest bytes that no longer begin with `prefix`; None when nothing comes after."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
