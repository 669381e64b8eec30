"""What the settings form sends: which settings were changed in it, and their values, to be judged as any other.

Each control comes with what stood in it when the page was made (`was.PATH`), so a change is known without the file:
what somebody else saved meanwhile is never taken back by a form that merely showed the old value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.config.document import plain_value
from app.config.render import scalar
from app.config.settings import Setting, all_settings, entry_fields, with_path
from app.errors import Problem
from app.log import MASK

#: Names of controls beside those of the settings themselves.
WAS, CLEAR, REMOVE, KEPT = "was.", "clear.", "remove.", "kept."
#: More rows of a list of sections than a form can hold.
MOST_ROWS = 200

Sent = MultiDict[str, str]


@dataclass(frozen=True)
class Row:
    """One entry of a list of sections as it was typed: texts by name of the field; secrets only when they are new."""

    number: int
    texts: Mapping[str, str]
    is_kept: bool
    is_removed: bool

    @property
    def is_blank(self) -> bool:
        """Whether it is the row for a new entry, left empty."""
        written = [text for name, text in self.texts.items() if name != "scope"]
        return not self.is_kept and not any(text.strip() for text in written)


@dataclass
class Typed:
    """`texts` is what stands in the controls, `was` what stood there when the page was made; `values` is what is to be
    saved, as nested values, of the `changed` paths."""

    texts: dict[str, str] = field(default_factory=dict)
    was: dict[str, str] = field(default_factory=dict)
    rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def change(self, path: str, value: Any) -> None:
        """One more setting to save; null for its default."""
        self.changed.append(path)
        self.values = with_path(self.values, path, value)

    def placed(self, problem: Problem) -> Problem:
        """The same problem at its row of the form: those left out or removed are not counted where it is found."""
        for path, rows in self.rows.items():
            found = re.match(rf"{re.escape(path)}\.(\d+)(.*)", problem.path)
            sent = [row for row in rows if not row.is_blank and not row.is_removed]
            if found is not None and int(found[1]) < len(sent):
                return Problem(f"{path}.{sent[int(found[1])].number}{found[2]}", problem.message)
        return problem


def read_typed(sent: Sent) -> Typed:
    """What a form says; settings that are not in it stay as they are."""
    typed = Typed()
    for path, setting in all_settings().items():
        if WAS + path in sent:
            typed.was[path] = _with_own_breaks(sent[WAS + path])
            _READERS.get(setting.kind, _read_text)(typed, setting, sent)
    return typed


def text_of(setting: Setting, value: Any) -> str:
    """How a value stands in its control."""
    if setting.kind == "list":
        return "\n".join(value or ())
    if setting.kind == "text":
        return str(value or "")
    return scalar(value if value is not None else "")


def _read_text(typed: Typed, setting: Setting, sent: Sent) -> None:
    path = setting.path
    was, text = sent[WAS + path], sent.get(path, "")
    typed.texts[path] = text
    if setting.secret:
        _read_secret(typed, setting, sent)
    elif _flat(text) != _flat(was):
        typed.change(path, None if text == text_of(setting, setting.default) and not setting.required else text)


def _read_secret(typed: Typed, setting: Setting, sent: Sent) -> None:
    if sent.get(setting.path):
        typed.change(setting.path, sent[setting.path])
    elif CLEAR + setting.path in sent:
        typed.change(setting.path, None)


def _read_number(typed: Typed, setting: Setting, sent: Sent) -> None:
    path = setting.path
    typed.texts[path] = text = sent.get(path, "")
    if text.strip() == sent[WAS + path]:
        return
    value = plain_value(text.strip())
    if value is None:
        typed.changed.append(path)
        typed.problems.append(Problem(path, "is empty; write a number, or go back to the default"))
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    typed.change(path, text.strip() if not is_number else None if value == setting.default else value)


def _read_yes_no(typed: Typed, setting: Setting, sent: Sent) -> None:
    path = setting.path
    typed.texts[path] = text = "true" if path in sent else "false"
    if text != sent[WAS + path]:
        value = text == "true"
        typed.change(path, None if value == setting.default else value)


def _read_list(typed: Typed, setting: Setting, sent: Sent) -> None:
    path = setting.path
    typed.texts[path] = _with_own_breaks(sent.get(path, ""))
    lines = _lines(sent.get(path, ""))
    if lines != _lines(sent[WAS + path]):
        typed.change(path, None if lines == list(setting.default) else lines)


def _read_rows(typed: Typed, setting: Setting, sent: Sent) -> None:
    path = setting.path
    typed.rows[path] = rows = tuple(_row(setting, number, sent) for number in _numbers(path, sent))
    entries = [_entry(setting, row) for row in rows if not row.is_blank and not row.is_removed]
    if scalar(entries) != sent[WAS + path]:
        typed.change(path, entries or None)


def _row(setting: Setting, number: int, sent: Sent) -> Row:
    prefix = f"{setting.path}.{number}"
    texts = {name: sent.get(f"{prefix}.{name}", "") for name in entry_fields(setting, prefix)}
    return Row(number, texts, KEPT + prefix in sent, REMOVE + prefix in sent)


def _entry(setting: Setting, row: Row) -> dict[str, str]:
    """A secret that was not typed anew keeps its value."""
    fields = entry_fields(setting, setting.path)
    kept = {name for name, text in row.texts.items() if fields[name].secret and not text and row.is_kept}
    return {name: MASK if name in kept else text for name, text in row.texts.items()}


def _numbers(path: str, sent: Sent) -> Sequence[int]:
    found = (re.fullmatch(rf"{re.escape(path)}\.([0-9]{{1,4}})\.\w+", name) for name in sent)
    return sorted({int(match[1]) for match in found if match is not None})[:MOST_ROWS]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]


def _with_own_breaks(text: str) -> str:
    """A browser sends every line break as two characters."""
    return text.replace("\r\n", "\n")


def _flat(text: str) -> str:
    """A line as an input of one line holds it."""
    return text.replace("\r", "").replace("\n", "")


_READERS = {
    "whole_number": _read_number,
    "number": _read_number,
    "yes_no": _read_yes_no,
    "list": _read_list,
    "entries": _read_rows,
}
