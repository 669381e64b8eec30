"""The schema's findings in plain words, with the place in the file and without the value of a secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.document import Key, Span, dotted
from app.config.legacy import RETIRED
from app.config.settings import Setting, all_sections, all_settings
from app.errors import Problem

EXPECTED = {
    "yes_no": "true or false",
    "whole_number": "a whole number",
    "number": "a number",
    "text": "text",
    "list": "a list",
}


def schema_problems(error: ValidationError, spans: Mapping[Key, Span], variables: Mapping[str, str]) -> list[Problem]:
    """One problem per fault that the schema found."""
    found = [_problem(details, spans, variables) for details in error.errors(include_url=False, include_context=True)]
    return list(dict.fromkeys(found))


def located(problem: Problem, spans: Mapping[Key, Span], variables: Mapping[str, str]) -> Problem:
    """The same problem with the line and column of its key, or the environment variable that set it."""
    if problem.path in variables:
        return Problem(problem.path, f"{problem.message} (set by {variables[problem.path]})")
    span = _nearest(tuple(problem.path.split(".")), spans)
    if span is None or problem.line is not None:
        return problem
    return Problem(problem.path, problem.message, span.line, span.column)


def _problem(details: ErrorDetails, spans: Mapping[Key, Span], variables: Mapping[str, str]) -> Problem:
    key = tuple(str(part) for part in details["loc"])
    setting = _setting_of(key)
    path = setting.path if setting else dotted(key)
    return located(Problem(path, _message(details, key, setting, spans.get(key))), spans, variables)


def _setting_of(key: Key) -> Setting | None:
    """The setting that a location lies in: a list's entry belongs to the list."""
    for length in range(len(key), 0, -1):
        setting = all_settings().get(".".join(key[:length]))
        if setting is not None:
            return setting
    return None


def _message(details: ErrorDetails, key: Key, setting: Setting | None, span: Span | None) -> str:
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
    return _bounds(details) or _wrong_type(details["input"], setting, span)


def _bounds(details: ErrorDetails) -> str | None:
    context = details.get("ctx", {})
    words = {
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "string_too_long": f"is longer than {context.get('max_length')} characters",
        "too_long": f"has more than {context.get('max_length')} entries",
        "finite_number": "must be a number",
    }
    return words.get(details["type"])


def _wrong_type(value: Any, setting: Setting, span: Span | None) -> str:
    message = f"must be {EXPECTED.get(setting.kind, setting.kind)}"
    if setting.kind == "list" and not isinstance(value, (list, tuple)):
        return f'{message}, as in ["one", "two"]'
    if setting.kind in ("text", "list"):
        return f"{message}; put {_shown(value, setting, span)} in quotes" if _is_plain(value) else message
    if isinstance(value, str) and span is not None and span.word is None:
        return f"{message}, without quotes"
    return f"{message}, not {_shown(value, setting, span)}" if _is_plain(value) else message


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))


def _shown(value: Any, setting: Setting, span: Span | None) -> str:
    if setting.secret:
        return "the value"
    word = span.word if span is not None and span.word is not None else str(value)
    return word if len(word) <= 40 else f"{word[:40]}…"


def _unknown(key: Key) -> str:
    if (path := ".".join(key)) in RETIRED:
        return f"is retired; write {RETIRED[path]}"
    known = [*all_settings(), *all_sections()]
    parent = ".".join(key[:-1])
    siblings = [path.rpartition(".")[2] for path in known if path.rpartition(".")[0] == parent]
    close = difflib.get_close_matches(key[-1], siblings, n=1)
    return f"is not a setting; did you mean {close[0]}" if close else "is not a setting"


def _nearest(key: Key, spans: Mapping[Key, Span]) -> Span | None:
    for length in range(len(key), 0, -1):
        if key[:length] in spans:
            return spans[key[:length]]
    return None
