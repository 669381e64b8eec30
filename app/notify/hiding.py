"""Keeps addresses and what they hold out of every sentence: an address of a notification service is a secret."""

from __future__ import annotations

import re
from urllib.parse import unquote

from app.config.secrets import hide
from app.errors import printable
from app.log import MASK

#: A reason that is longer helps nobody.
LONGEST = 300
_PARTS = re.compile(r"[/?&=:@#,;]+")


def hide_address(words: str, *secrets: str) -> str:
    """The words without these secrets, and without any part of them that is long enough to be told from a word."""
    parts = {piece for secret in secrets for piece in _PARTS.split(secret)}
    parts |= {unquote(part) for part in parts}
    known = sorted({*secrets, *(part for part in parts if part not in _HARMLESS)}, key=len, reverse=True)
    hidden = hide(printable(words.encode("utf-8", "replace")), known)
    return hidden if len(hidden) <= LONGEST else hidden[:LONGEST] + "..."


#: Words of addresses that say nothing.
_HARMLESS = frozenset({"", MASK, "localhost", "webhook", "webhooks", "https", "http", "jsons"})
