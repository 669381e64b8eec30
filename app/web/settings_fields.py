"""A setting as a field of a form: its control, its words, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.config.schema_json import json_schema
from app.config.settings import UNITS, Setting, all_settings, get_path
from app.errors import Problem
from app.model.peer_policy import duration_in_words
from app.web.settings_typed import text_of

#: Words of keys that are spelled otherwise in a label.
SPELLED = {
    "api": "API", "db": "database", "dbui": "database browser", "dir": "folder", "gui": "GUI", "id": "ID", "ids": "IDs",
    "max": "maximum", "mb": "MB", "sec": "seconds", "url": "URL", "urls": "URLs",
}  # fmt: skip
#: Controls by kind of setting; a secret has one of its own.
CONTROLS = {"whole_number": "number", "number": "number", "yes_no": "yes_no", "choice": "choice", "list": "lines",
            "entries": "entries"}  # fmt: skip
#: Lists of suggestions by setting.
SUGGESTED = {"sorter.timezone": "zones", "sorter.language": "languages"}
#: A default that is longer is not repeated on its button.
SHORT = 24
#: From then on seconds are told in larger units as well.
LONG_SECONDS = 90


@dataclass(frozen=True)
class Cell:
    """One field of an entry of a list of sections."""

    setting: Setting
    text: str
    faults: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name for people."""
        return label_of(self.setting)

    @property
    def id(self) -> str:
        """The id of its control."""
        return field_id(self.setting.path)


@dataclass(frozen=True)
class FormRow:
    """One entry of a list of sections; `is_kept`: it is in the settings, `is_new`: it is the row for one more."""

    number: int
    cells: tuple[Cell, ...]
    is_kept: bool
    is_removed: bool = False

    @property
    def title(self) -> str:
        """What to call it."""
        return self.cells[0].text or "new entry"


@dataclass(frozen=True)
class Field:
    """One setting as a control. `text` stands in it, `was` stood there when nothing was typed; both without secrets.

    `derived` is what an empty value means just now, `at_start` what this process began with where that counts until
    the next start, `variable` the one of the environment that sets it.
    """

    setting: Setting
    was: str
    text: str
    is_set: bool = False
    derived: str = ""
    at_start: str | None = None
    variable: str | None = None
    rows: tuple[FormRow, ...] = ()
    faults: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()

    @property
    def id(self) -> str:
        """The id of its control."""
        return field_id(self.setting.path)

    @property
    def label(self) -> str:
        """Its name for people."""
        return label_of(self.setting)

    @property
    def control(self) -> str:
        """Which control it has."""
        return "secret" if self.setting.secret else CONTROLS.get(self.setting.kind, "text")

    @property
    def default(self) -> str | None:
        """The text of its default; None when it has none, or when there is nothing to go back to in a control."""
        has_none = self.setting.required or self.setting.secret or self.setting.kind == "entries"
        return None if has_none else text_of(self.setting, self.setting.default)

    @property
    def default_words(self) -> str:
        """The default on a button."""
        words = {"true": "on", "false": "off", "": "empty"}
        text = self.default or ""
        text = words.get(text, text) if self.control == "yes_no" or not text else text
        return text if len(text) <= SHORT and "\n" not in text else ""

    @property
    def differs(self) -> bool:
        """Whether its value is not the default."""
        if self.default is None:
            return self.is_set or bool(self.rows[:-1])
        return self.text != self.default

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that is not saved."""
        return self.text != self.was

    @property
    def bounds(self) -> str:
        """The least and the most, in words."""
        low, high = _bounds().get(self.setting.path, (None, None))
        return f"{low:,} to {high:,}" if low is not None and high is not None else ""

    @property
    def duration(self) -> str:
        """A long time in seconds as people say it."""
        is_long = self.setting.unit == "seconds" and self.was.isdecimal() and int(self.was) > LONG_SECONDS
        return duration_in_words(int(self.was)) if is_long else ""

    @property
    def suggestions(self) -> str | None:
        """The list of suggestions that it has."""
        return SUGGESTED.get(self.setting.path)

    def answers(self, words: Sequence[str]) -> bool:
        """Whether all these words are found in its name or description."""
        setting = self.setting
        told = " ".join((setting.path, self.label, setting.description, *setting.choices)).lower()
        return all(word in told for word in words)


def field_id(path: str) -> str:
    """The id of a setting's control."""
    return f"set-{path.replace('.', '-')}"


def label_of(setting: Setting) -> str:
    """A setting's key as words, without the unit of a number, which stands behind the control."""
    name = setting.path.rpartition(".")[2]
    endings = [word for word in UNITS if name.endswith(f"_{word}")] if setting.unit else []
    name = name.removesuffix(f"_{endings[0]}") if endings else name
    words = " ".join(SPELLED.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


@cache
def _bounds() -> Mapping[str, tuple[float | None, float | None]]:
    whole = json_schema({})
    found = {path: get_path(whole, "properties." + path.replace(".", ".properties.")) for path in all_settings()}
    return {path: (schema.get("minimum"), schema.get("maximum")) for path, schema in found.items()}
