"""Reading a settings file: YAML without its traps, with the place of every value.

The text is read as a stream of parser events, never through YAML's constructors, so that tags, anchors and
aliases cannot do anything; nesting is bounded before a tree is built; a key that appears twice is a fault
instead of a silent change of mind. Scalars have YAML 1.2's plain meaning: 0777 and 60:30 stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from app.errors import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Key = tuple[str, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|yes|on", re.IGNORECASE)
_FALSE = re.compile(r"false|no|off", re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]*|\.[0-9]{1,18})([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Span:
    """Where a value stands in the text, as offsets from 0; its plain source if it is an unquoted word."""

    start: int
    end: int
    word: str | None = None


@dataclass
class Document:
    """What a text says: values by key, where each stands, and every fault of form.

    `places` says where a person looks for a key: line and column of its name, or of a list's entry. Of a key that
    is there twice, the first one counts.
    """

    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[Key, Span] = field(default_factory=dict)
    places: dict[Key, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _TooDeep(Exception):
    pass


def read_document(text: str) -> Document:
    """Read a settings file. Never raises for what a text can hold; faults are in `problems`."""
    document = Document(places={(): (1, 1)})
    try:
        size_bytes = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        document.problems.append(Problem("", "the file is not UTF-8 text", *place_of(text[: error.start])))
        return document
    if size_bytes > MAX_BYTES:
        place = place_of(text.encode("utf-8")[:MAX_BYTES].decode("utf-8", "ignore"))
        document.problems.append(Problem("", f"the file is larger than {MAX_BYTES // 1024} KiB", *place))
        return document
    try:
        _Reader(text, document).read()
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(text, error))
    except _TooDeep:
        pass
    return document


def place_of(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows this beginning of a text."""
    lines = before.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def dotted(key: Key) -> str:
    """A key as people write it: `batch.max_size_gb`; an endless one is cut."""
    return ".".join(key)[:200]


def plain_value(word: str) -> Any:
    """What an unquoted word means: null, true or false, a number, else text."""
    if _NULL.fullmatch(word):
        return None
    if _TRUE.fullmatch(word):
        return True
    if _FALSE.fullmatch(word):
        return False
    if _WHOLE.fullmatch(word):
        return int(word)
    if _DECIMAL.fullmatch(word):
        return float(word)
    return word


def _syntax_problem(text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    # The parser's own sentence never quotes more than one character of the file.
    words = getattr(error, "problem", None)
    if mark is None or words is None:
        return _unreadable_problem(text, error)
    began = getattr(error, "context_mark", None)
    since = f"; what it belongs to begins in line {began.line + 1}" if began and began.line < mark.line else ""
    return Problem("", f"this is not YAML: {words}{since}", mark.line + 1, mark.column + 1)


def _unreadable_problem(text: str, error: yaml.YAMLError) -> Problem:
    """A character that must not be in a YAML file; the reader counts in bytes."""
    offset = getattr(error, "position", 0)
    before = text.removeprefix("\ufeff").encode("utf-8")[:offset].decode("utf-8", "ignore")
    message = "this is not YAML: the file holds characters that YAML does not allow"
    return Problem("", message, *place_of(before))


class _Reader:
    """Builds the document from the events of one text."""

    def __init__(self, text: str, document: Document) -> None:
        self.document = document
        self.events: Iterator[Any] = iter(yaml.parse(text.removeprefix("\ufeff"), Loader=_LOADER))
        self.shift = 1 if text.startswith("\ufeff") else 0

    def read(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self._read_top(documents)

    def _read_top(self, number: int) -> None:
        event = next(self.events)
        value = self._value(event, (), 1)
        if number > 1:
            self._fault((), event, "the file holds more than one YAML document")
        elif isinstance(value, dict):
            self.document.values = value
        elif value is not None:
            self._fault((), event, "the file must be a list of sections such as `paths:` and `batch:`")

    def _value(self, event: Any, key: Key, depth: int) -> Any:
        self._refuse_tricks(event, key)
        if depth > MAX_DEPTH:
            self._fault(key[:3], event, f"the file is nested more than {MAX_DEPTH} levels deep")
            raise _TooDeep
        if isinstance(event, yaml.MappingStartEvent):
            self._note(key, event, None)
            return self._mapping(key, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            self._note(key, event, None)
            return self._sequence(key, depth)
        return self._scalar(event, key)

    def _scalar(self, event: Any, key: Key) -> Any:
        if not isinstance(event, yaml.ScalarEvent):
            return None
        is_plain = event.implicit[0]
        self._note(key, event, event.value if is_plain else None)
        return plain_value(event.value) if is_plain else event.value

    def _mapping(self, key: Key, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            name = self._name(event, key, depth)
            inner = (*key, name)
            line, _ = self._place(inner, event)
            if name in found:
                self._fault(inner, event, f"this key is there twice; the first one is in line {line}")
            found.setdefault(name, self._value(next(self.events), inner, depth + 1))
        self._close(key, event)
        return found

    def _name(self, event: Any, key: Key, depth: int) -> str:
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_tricks(event, key)
            return str(event.value)
        self._fault(key, event, "a key must be a single word")
        self._value(event, (*key, "?"), depth + 1)
        return "?"

    def _sequence(self, key: Key, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            inner = (*key, str(len(found)))
            self._place(inner, event)
            found.append(self._value(event, inner, depth + 1))
        self._close(key, event)
        return found

    def _refuse_tricks(self, event: Any, key: Key) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._fault(key, event, "aliases (*name) are not allowed; write the value out")
        elif event.anchor is not None:
            self._fault(key, event, "anchors (&name) are not allowed; write the value out")
        if getattr(event, "tag", None) is not None:
            self._fault(key, event, "tags (!name) are not allowed; write the plain value")

    def _note(self, key: Key, event: Any, word: str | None) -> None:
        start, end = event.start_mark, event.end_mark
        span = Span(start.index + self.shift, end.index + self.shift, word)
        self.document.spans.setdefault(key, span)

    def _close(self, key: Key, event: Any) -> None:
        """A section or list reaches to its end, not only to its bracket or its first key."""
        span = self.document.spans[key]
        end = max(span.end, event.end_mark.index + self.shift)
        self.document.spans[key] = replace(span, end=end)

    def _place(self, key: Key, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return self.document.places.setdefault(key, (mark.line + 1, mark.column + 1))

    def _fault(self, key: Key, event: Any, message: str) -> None:
        mark = event.start_mark
        self.document.problems.append(Problem(dotted(key), message, mark.line + 1, mark.column + 1))
