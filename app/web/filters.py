"""How templates write sizes, counts and instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from markupsafe import Markup

from app.model.counting import counted
from app.model.peer_policy import duration_in_words

UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def size(count: int | None) -> str:
    """A size for people, in decimal units: `1.4 GB`."""
    if count is None:
        return "unknown"
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    digits = 0 if unit == 0 or amount >= 100 else 1
    return f"{amount:.{digits}f} {UNITS[unit]}"


def number(count: int) -> str:
    """A count with thousands set apart."""
    return f"{count:,}"


def instant(stored: str | None) -> Markup:
    """A stored instant as a time element; the browser shows it in its own zone, without a browser it is UTC."""
    if not stored:
        return Markup("–")
    try:
        shown = datetime.fromisoformat(stored).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return Markup("{}").format(stored)
    return Markup('<time datetime="{}">{}</time>').format(stored, shown)


def words(name: str) -> str:
    """A status or key as words: `set_aside` becomes `set aside`."""
    return name.replace("_", " ").lower()


FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "number": number,
    "plural": counted,
    "instant": instant,
    "words": words,
    "duration": duration_in_words,
}
