"""Reading a pattern such as `{year}/{month:02d}`: its text and its fields, and every fault with its place.

A field is `{name}`, `{name:02d}` for a number of at least two digits, or `{name|other}` with what stands there when the
field is empty. Braces of a name are written {{ and }}.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

#: Whole numbers; they can be padded.
NUMBERS = ("year", "month", "day", "hour", "minute", "second", "week", "week_year", "counter", "index")

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
#: Nothing else may follow a colon: a format of Python's could ask for gigabytes of blanks.
INSIDE = re.compile(r"([a-z_]+)(?::(0?[0-9]{0,2})d?)?(?:\|([^/]*))?")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a pattern: how wide a number is at least, and what stands there instead of an empty text."""

    name: str
    width: str = ""
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of a pattern, counted in characters from 1."""

    position: int
    message: str

    def __str__(self) -> str:
        return f"at character {self.position}: {self.message}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, read; what has a fault stands among the parts as the text that it is."""

    parts: tuple[str | Field, ...]
    faults: tuple[Fault, ...]
    #: The names of its fields.
    fields: frozenset[str]


@lru_cache(maxsize=100)
def read_pattern(text: str, allowed: tuple[str, ...]) -> Pattern:
    """The parts of a pattern in which these fields may be used."""
    parts: list[str | Field] = []
    faults: list[Fault] = []
    last = 0
    for token in TOKEN.finditer(text):
        parts.append(text[last : token.start()])
        last = token.end()
        part = _part(token, allowed)
        if isinstance(part, Fault):
            faults.append(part)
            part = token[0]
        parts.append(part)
    parts.append(text[last:])
    fields = frozenset(part.name for part in parts if isinstance(part, Field))
    return Pattern(tuple(part for part in parts if part != ""), tuple(faults), fields)


def _part(token: re.Match[str], allowed: tuple[str, ...]) -> str | Field | Fault:
    position = token.start() + 1
    if token[0] in ("{{", "}}"):
        return token[0][0]
    if token[1] is None:
        return Fault(position, f"this {token[0]} has no partner; write {{{{ and }}}} for a brace in a name")
    inside = INSIDE.fullmatch(token[1])
    name = inside[1] if inside else re.split(r"[^A-Za-z_]", token[1])[0]
    if name not in allowed:
        return Fault(position, _unknown(token[0], name, allowed))
    # A number is never missing, and a text has no width.
    if inside is None or inside[3 if name in NUMBERS else 2] is not None:
        other = f"{{{name}:02d}}" if name in NUMBERS else f"{{{name}|text when there is none}}"
        return Fault(position, f"{token[0][:40]} is not a form that is allowed; write {{{name}}} or {other}")
    return Field(name, inside[2] or "", inside[3])


def _unknown(written: str, name: str, allowed: Collection[str]) -> str:
    close = get_close_matches(name.lower(), allowed, 1)
    meant = f"did you mean {{{close[0]}}}? " if close else ""
    fields = ", ".join(f"{{{field}}}" for field in allowed)
    return f"{written[:40]} cannot be used here; {meant}only {fields} can be used"
