"""Rules about the patterns, whose results become names of folders and files here, at the peer and in the archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.config.filing_fields import FOLDER_FIELDS, NAME_FIELDS
from app.config.months import NAMES, language_of
from app.config.name_dates import name_date_fault
from app.config.pattern_parts import NUMBERS, Field, Pattern, read_pattern
from app.config.schema import Config
from app.errors import Problem

#: Longest folder name; leaves room for suffixes on every file system.
NAME_MAX_BYTES = 120

#: Characters that a peer with Windows or an SD card cannot store.
FORBIDDEN = set('<>:"\\|?*')

#: Folders at the top of the archive that a pattern should leave to files with a doubtful date.
OUR_FOLDERS = ("review", "unknown-date")

EXAMPLES: tuple[Mapping[str, int], ...] = (
    {"year": 2024, "month": 2, "day": 29, "index": 1},
    {"year": 1970, "month": 12, "day": 1, "index": 1},
)


def pattern_problems(config: Config) -> Iterator[Problem]:
    """Everything that is wrong with the patterns, with the place of it, and with the language of their months."""
    patterns = {
        "batch.naming_pattern": _batch_problem(config.batch.naming_pattern),
        "sorter.folder_pattern": folder_pattern_problem(config.sorter.folder_pattern),
        "sorter.name_pattern": name_pattern_problem(config.sorter.name_pattern),
    }
    yield from (Problem(path, message) for path, message in patterns.items() if message)
    for pattern in config.sorter.filename_dates:
        fault = name_date_fault(pattern)
        if fault is not None:
            yield Problem("sorter.filename_dates", f"{pattern[:40]}: {fault}")
    if language_of(config.sorter.language) is None:
        yield Problem("sorter.language", f"is not a language whose months are known; write one of {', '.join(NAMES)}")


def pattern_doubts(config: Config) -> Iterator[Problem]:
    """Patterns that work and are most likely not meant so."""
    used = read_pattern(config.sorter.folder_pattern, FOLDER_FIELDS).fields
    top = config.sorter.folder_pattern.partition("/")[0].casefold()
    if "week" in used and "week_year" not in used:
        words = "uses {week} without {week_year}: the last days of a year can be in week 1 of the next one"
        yield Problem("sorter.folder_pattern", words)
    if top in OUR_FOLDERS:
        yield Problem("sorter.folder_pattern", f"begins with {top}, which is kept for doubtful dates; {top}_ is used")


def folder_pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern for folders, or None."""
    read = read_pattern(pattern, FOLDER_FIELDS)
    if read.faults:
        return str(read.faults[0])
    for example in EXAMPLES:
        names = _filled(read, example).split("/")
        if "" in names:
            return "must be folder names with single slashes between them, without one at either end"
        for name in names:
            if found := _name_problem(name):
                return found
    return None


def name_pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern for names without their endings, or None; an empty one leaves files their names."""
    read = read_pattern(pattern, NAME_FIELDS)
    if not pattern or read.faults:
        return str(read.faults[0]) if read.faults else None
    if not read.fields:
        return "must use a field, as in {year}{month:02d}{day:02d}_{counter:03d}; else every file would have one name"
    name = _filled(read, EXAMPLES[0])
    if "/" in name:
        return f"at character {pattern.index('/') + 1}: a name holds no /; folders belong into sorter.folder_pattern"
    return _name_problem(name)


def _batch_problem(pattern: str) -> str | None:
    read = read_pattern(pattern, ("index",))
    if read.faults:
        return str(read.faults[0])
    if "index" not in read.fields:
        return "must use {index}, as in batch_{index:03d}; else every batch would have the same name"
    name = _filled(read, EXAMPLES[0])
    if "/" in name:
        return "must be one folder name, without /"
    return _name_problem(name)


def _filled(read: Pattern, example: Mapping[str, int]) -> str:
    """With numbers of an example; a text stands for itself by its name, and by what is written where there is none."""
    return "".join(part if isinstance(part, str) else _example(part, example) for part in read.parts)


def _example(field: Field, example: Mapping[str, int]) -> str:
    if field.name in NUMBERS:
        return format(example.get(field.name, 1), f"{field.width}d")
    return field.name + (field.instead or "")


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
