"""Names that the archive's file system, and those who look into it from elsewhere, can bear. Values in, values out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

#: The longest name of the usual file systems, in bytes.
NAME_LIMIT_BYTES = 255

#: What Windows and its file systems refuse in a name, and what no terminal shows.
REFUSED_BY_WINDOWS = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]')
#: What no name made by us holds on any file system.
NEVER_MADE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: Windows takes these for devices, whatever follows their first dot.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NameRules:
    """What names may hold: with `portable`, only what Windows, SD cards and SMB shares take as well."""

    portable: bool = False
    limit_bytes: int = NAME_LIMIT_BYTES


NATIVE = NameRules()


def kept_name(name: bytes, rules: NameRules) -> bytes:
    """A name that a file came with: changed only where the rules refuse it."""
    return _portable(name.decode("utf-8", "surrogateescape")).encode() if rules.portable else name


def made_name(text: str, rules: NameRules) -> bytes:
    """A name put together from a pattern: nothing unseen in it, composed, at most as long as the rules allow.

    It may come out empty, when there was nothing in it.
    """
    seen = unicodedata.normalize("NFC", NEVER_MADE.sub("_", text).strip())
    name = _portable(seen) if rules.portable and seen else seen
    return cut(name.encode("utf-8", "surrogateescape"), rules.limit_bytes)


def cut(name: bytes, limit_bytes: int) -> bytes:
    """At most so many bytes of a name, ending with a whole character that is no blank or dot when it had to be cut."""
    if len(name) <= limit_bytes:
        return name
    end = max(limit_bytes, 1)
    while end > 1 and name[end] & 0xC0 == 0x80:
        end -= 1
    return name[:end].rstrip(b" .") or name[:end]


def _portable(name: str) -> str:
    safe = REFUSED_BY_WINDOWS.sub("_", name)
    safe = safe.rstrip(" .") or "_" * len(safe)
    return DEVICE.sub(r"\1_", safe, count=1) if DEVICE.match(safe) else safe
