"""How templates write sizes, counts and instants."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup, escape

from app.model.counting import counted, size_in_words
from app.model.instants import instant_in_words
from app.model.peer_policy import duration_in_words
from app.web.date_forms import Chosen

#: An instant in a sentence, as it is stored, as Syncthing writes it, or as `instant_in_words` does; and a command of
#: ours in backticks. Nothing else in backticks: it may be the name of a file.
TOLD = re.compile(
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)|"
    r"\b(?P<told>\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC\b|"
    r"`(?P<command>media-pipeline [^`\n]+)`"
)


def size(count: int | None) -> str:
    """A size for people, as in the sentences of reports: `1.4 GiB`."""
    return "unknown" if count is None else size_in_words(count)


def number(count: int) -> str:
    """A count with thousands set apart."""
    return f"{count:,}"


def instant(stored: str | None) -> Markup:
    """A stored instant as a time element; the browser shows it in its own zone, without a browser it is UTC."""
    if not stored:
        return Markup("–")
    shown = instant_in_words(stored)
    if shown == stored:
        return Markup("{}").format(stored)
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(stored, shown)


def told(sentence: str | None) -> Markup:
    """A sentence whose instants are time elements like those of `instant`, and whose commands of ours are code."""
    parts, end, sentence = [], 0, sentence or ""
    for found in TOLD.finditer(sentence):
        parts += [escape(sentence[end : found.start()]), _told_part(found)]
        end = found.end()
    return Markup("").join([*parts, escape(sentence[end:])])


def _told_part(found: re.Match[str]) -> Markup:
    if found["command"]:
        return Markup("<code>{}</code>").format(found["command"])
    return instant(f"{found['told'].replace(' ', 'T')}+00:00" if found["told"] else found[0])


def opening(sentence: str) -> str:
    """A sentence or name with a capital at its beginning; everything else stays as it is written."""
    return sentence[:1].upper() + sentence[1:]


def commands(sentence: str | None) -> Markup:
    """A sentence of ours whose `commands`, set in backticks, are code."""
    parts = (sentence or "").split("`")
    if len(parts) % 2 == 0:
        return escape(sentence)
    pieces = (Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts))
    return Markup("").join(pieces)


def words(name: str) -> str:
    """A status or key as words: `set_aside` becomes `set aside`."""
    return name.replace("_", " ").lower()


def narrowing(entries: Sequence[dict[str, Any]], chosen: Chosen, name: str) -> list[dict[str, Any]]:
    """Counts by reason, camera or folder, each with its words and the query that narrows the list to it; None for the
    top of ingest, which holds everything."""
    told = []
    for entry in entries:
        value = entry[name]
        words = entry.get("why") or value or ("none known" if name == "camera" else "the top of ingest")
        query = chosen.query(**{name: value}) if value or name == "camera" else None
        is_chosen = value == getattr(chosen, name)
        told.append({"words": words, "query": query, "files": entry["files"], "is_chosen": is_chosen})
    return told


FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "number": number,
    "plural": counted,
    "instant": instant,
    "told": told,
    "opening": opening,
    "commands": commands,
    "words": words,
    "narrowing": narrowing,
    "duration": duration_in_words,
}
