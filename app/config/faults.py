"""The schema's findings in plain words, with the place in the file and without the value of a secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.document import Document, Key, dotted
from app.config.legacy import RETIRED
from app.config.settings import Setting, all_sections, all_settings, entry_fields
from app.errors import Problem

EXPECTED = {
    "yes_no": "true or false",
    "whole_number": "a whole number",
    "number": "a number",
    "text": "text",
    "list": "a list",
    "entries": 'a list of entries, as in [{name: phone, ...}]',
}


@dataclass(frozen=True)
class Sources:
    """Where each value came from: its place in the file, or the variable that set it and what that holds."""

    document: Document
    variables: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict, repr=False)

    def place(self, path: str) -> tuple[int, int] | None:
        """Line and column of a key that is in the file, else None."""
        return self.document.places.get(tuple(path.split("."))) if path else None

    def nearest(self, path: str) -> tuple[int | None, int | None]:
        """Line and column of the innermost section around a key that is not in the file."""
        key = tuple(path.split("."))
        found = (self.document.places.get(key[:length]) for length in range(len(key), -1, -1))
        return next((place for place in found if place is not None), (None, None))

    def word(self, key: Key, path: str) -> str | None:
        """What a person wrote there without quotes, in the variable or in the file."""
        if path in self.variables:
            return self.words.get(path)
        span = self.document.spans.get(key)
        return span.word if span is not None else None

    def is_quoted(self, key: Key, path: str) -> bool:
        """Whether the value stands in quotes in the file."""
        span = self.document.spans.get(key)
        return path not in self.variables and span is not None and span.word is None


def schema_problems(error: ValidationError, sources: Sources) -> list[Problem]:
    """One problem per fault that the schema found."""
    found = [_problem(details, sources) for details in error.errors(include_url=False, include_context=True)]
    return list(dict.fromkeys(found))


def located(problem: Problem, sources: Sources, key: Key = ()) -> Problem:
    """The same problem with line and column of its key, or the environment variable that set it."""
    variable = sources.variables.get(problem.path)
    if variable is not None:
        return Problem(problem.path, f"{problem.message} (set by {variable})")
    if problem.line is not None:
        return problem
    message = problem.message
    if problem.related in sources.variables:
        message = f"{message} ({problem.related} is set by {sources.variables[problem.related]})"
    place = sources.place(".".join(key)) or sources.place(problem.path) or sources.place(problem.related)
    return Problem(problem.path, message, *(place or sources.nearest(problem.path)))


def _problem(details: ErrorDetails, sources: Sources) -> Problem:
    key = tuple(str(part) for part in details["loc"])
    setting = _setting_of(key)
    path = setting.path if setting and details["type"] != "extra_forbidden" else dotted(key)
    return located(Problem(path, _message(details, key, setting, sources)), sources, key)


def _setting_of(key: Key) -> Setting | None:
    """The setting that a location lies in: a list's entry belongs to the list, a field of an entry is its own."""
    for length in range(len(key), 0, -1):
        setting = all_settings().get(".".join(key[:length]))
        if setting is not None:
            fields = entry_fields(setting, ".".join(key[: length + 1]))
            return fields.get(key[length + 1], setting) if len(key) > length + 1 else setting
    return None


def _message(details: ErrorDetails, key: Key, setting: Setting | None, sources: Sources) -> str:
    kind = details["type"]
    if kind == "missing":
        return "is missing; this setting has no default"
    if kind == "extra_forbidden":
        return _unknown(key)
    if setting is None:
        return "must be a section: keys and values, indented below its name"
    if details["input"] is None:
        return "has no value; write one, or remove the line"
    if kind == "literal_error":
        return f"must be one of {', '.join(setting.choices)}"
    return _bounds(details) or _wrong_type(details["input"], setting, key, sources)


def _bounds(details: ErrorDetails) -> str | None:
    context = details.get("ctx", {})
    words = {
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "string_too_long": f"is longer than {context.get('max_length')} characters",
        "string_too_short": "must not be empty",
        "too_long": f"has more than {context.get('max_length')} entries",
        "finite_number": "must be a number",
    }
    return words.get(details["type"])


def _wrong_type(value: Any, setting: Setting, key: Key, sources: Sources) -> str:
    message = f"must be {EXPECTED.get(setting.kind, setting.kind)}"
    if setting.kind == "list" and not isinstance(value, (list, tuple)):
        return f'{message}, as in ["one", "two"]'
    if setting.kind == "entries" or not isinstance(value, (str, int, float, bool)):
        return message
    shown = _shown(value, setting, sources.word(key, setting.path))
    if setting.kind in ("text", "list"):
        return f"{message}; put {shown} in quotes"
    if isinstance(value, str) and sources.is_quoted(key, setting.path):
        return f"{message}, without quotes"
    return f"{message}, not {shown}"


def _shown(value: Any, setting: Setting, word: str | None) -> str:
    if setting.secret:
        return "the value"
    word = str(value) if word is None else word
    return word if len(word) <= 40 else f"{word[:40]}…"


def _unknown(key: Key) -> str:
    if (path := ".".join(key)) in RETIRED:
        return f"is retired; write {RETIRED[path]}"
    close = difflib.get_close_matches(key[-1], _siblings(key), n=1)
    return f"is not a setting; did you mean {close[0]}" if close else "is not a setting"


def _siblings(key: Key) -> list[str]:
    setting = _setting_of(key)
    if setting is not None:
        return list(entry_fields(setting, setting.path))
    known = [*all_settings(), *all_sections()]
    parent = ".".join(key[:-1])
    return [path.rpartition(".")[2] for path in known if path.rpartition(".")[0] == parent]
