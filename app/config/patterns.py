"""Rules about the two name patterns, whose results become folder names here, at the peer and in the archive."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping

from app.config.schema import Config
from app.errors import Problem

#: Longest folder name; leaves room for suffixes on every file system.
NAME_MAX_BYTES = 120

#: What may follow a field's colon: zero padding and d. Anything else could ask for gigabytes of blanks.
FORMAT_SPEC = re.compile(r"(0?[0-9]{1,2})?d?")

#: Characters that a peer with Windows or an SD card cannot store.
FORBIDDEN = set('<>:"\\|?*')

EXAMPLE_DAYS: tuple[Mapping[str, int], ...] = (
    {"year": 2024, "month": 2, "day": 29},
    {"year": 1970, "month": 12, "day": 1},
)


def pattern_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with batch.naming_pattern and sorter.folder_pattern."""
    message = _naming_problem(config.batch.naming_pattern)
    if message:
        yield Problem("batch.naming_pattern", message)
    message = _folder_problem(config.sorter.folder_pattern)
    if message:
        yield Problem("sorter.folder_pattern", message)


def _naming_problem(pattern: str) -> str | None:
    fields, message = _fields(pattern, ("index",))
    if message:
        return message
    if "index" not in fields:
        return "must use {index}, as in batch_{index:03d}; else every batch would have the same name"
    name = pattern.format(index=1)
    if "/" in name:
        return "must be one folder name, without /"
    return _name_problem(name)


def _folder_problem(pattern: str) -> str | None:
    _, message = _fields(pattern, ("year", "month", "day"))
    if message:
        return message
    for example in EXAMPLE_DAYS:
        names = pattern.format(**example).split("/")
        if "" in names:
            return "must be folder names with single slashes between them, without one at either end"
        for name in names:
            if found := _name_problem(name):
                return found
    return None


def _fields(pattern: str, allowed: tuple[str, ...]) -> tuple[set[str], str | None]:
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        return set(), "has braces that do not match; write {{ and }} for a brace in a name"
    fields = [(name, spec or "", conversion) for _, name, spec, conversion in parts if name is not None]
    for name, spec, conversion in fields:
        if name not in allowed:
            return set(), f"uses {{{name[:40]}}}; only {', '.join(f'{{{a}}}' for a in allowed)} can be used"
        if conversion or not FORMAT_SPEC.fullmatch(spec):
            return set(), f"formats {{{name}}} in a way that is not allowed; write {{{name}}} or {{{name}:02d}}"
    return {name for name, _, _ in fields}, None


def _name_problem(name: str) -> str | None:
    if name.startswith(".") or name.startswith("~syncthing~"):
        return f"gives {name!r}; a folder name must not begin like that"
    if name.endswith((".", " ")) or name != name.strip():
        return f"gives {name!r}; a folder name must not begin or end with a space or end with a dot"
    if not name or not name.isprintable() or FORBIDDEN & set(name):
        return f"gives {name!r}; a folder name must not be empty or use any of {' '.join(sorted(FORBIDDEN))}"
    if len(name.encode()) > NAME_MAX_BYTES:
        return f"gives a folder name that is longer than {NAME_MAX_BYTES} bytes"
    return None
