"""Where a list goes on, as an opaque text: the last key, with a mark of the search that it belongs to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import replace
from typing import Any

from app.db.search import SORTS, AssetSearch
from app.errors import BadRequest

#: Of which type each column of a key is.
BYTES_COLUMNS = frozenset({"name", "path", "origin_path"})
TEXT_COLUMNS = frozenset({"taken_local"})
LONGEST = 16_384


def encode(wanted: AssetSearch, key: tuple[Any, ...] | None) -> str | None:
    """The cursor of the page after a key; None at the end."""
    if key is None:
        return None
    values = [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in key]
    return base64.urlsafe_b64encode(json.dumps([_mark(wanted), *values]).encode()).decode().rstrip("=")


def decode(wanted: AssetSearch, cursor: str) -> tuple[Any, ...]:
    """The key in a cursor. Raises BadRequest unless it was given out for this very search."""
    try:
        text = base64.b64decode(cursor[:LONGEST] + "=" * (-len(cursor) % 4), b"-_", validate=True)
        mark, *values = json.loads(text)
        key = tuple(_value(column, value) for column, value in zip(SORTS[wanted.sort], values, strict=True))
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise BadRequest("The cursor is none that was given out; begin again without it.") from error
    if mark != _mark(wanted):
        raise BadRequest("The cursor belongs to another search; keep every filter as it was, or begin without it.")
    return key


def _value(column: str, value: Any) -> Any:
    if column in BYTES_COLUMNS:
        return base64.b64decode(value, validate=True)
    if column in TEXT_COLUMNS:
        if not isinstance(value, str):
            raise ValueError(column)
        return value
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise ValueError(column)
    return value


def _mark(wanted: AssetSearch) -> str:
    """A few characters that stand for the filters and the order; the size of a page may change on the way."""
    asked = replace(wanted, after=None, limit=0)
    return hashlib.sha256(repr(asked).encode("utf-8", "replace")).hexdigest()[:12]
