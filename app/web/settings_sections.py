"""The sections of the settings form, made from what is in force and from what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.config.document import read_document
from app.config.legacy import carry_over
from app.config.parse import Snapshot, masked
from app.config.render import scalar
from app.config.schema import Config
from app.config.settings import Setting, all_sections, all_settings, entry_fields, get_path
from app.errors import Problem
from app.web.settings_fields import Cell, Field, FormRow
from app.web.settings_typed import Row, Typed, text_of


@dataclass(frozen=True)
class FormSection:
    """Fields under one heading."""

    path: str
    title: str
    sentence: str
    fields: tuple[Field, ...]

    @property
    def id(self) -> str:
        """The id of its heading."""
        return f"section-{self.path.replace('.', '-')}"

    @property
    def differing(self) -> int:
        """How many values are not the default."""
        return sum(field.differs for field in self.fields if not field.setting.required)


@dataclass(frozen=True)
class Wanted:
    """Which settings are looked at: those with these words, those that differ from their default."""

    words: str = ""
    differing: bool = False

    def narrowed(self, sections: Sequence[FormSection]) -> list[FormSection]:
        """The sections with only what is wanted; those without any are left out."""
        kept = [FormSection(one.path, one.title, one.sentence, self._fields(one)) for one in sections]
        return [one for one in kept if one.fields]

    def _fields(self, section: FormSection) -> tuple[Field, ...]:
        words = self.words.lower().split()
        found = (one for one in section.fields if one.answers(words) and (one.differs or not self.differing))
        return tuple(found)


@dataclass
class Told:
    """Problems by setting: faults of what was typed, and doubts about what is in force."""

    faults: Sequence[Problem] = ()
    doubts: Sequence[Problem] = ()

    def faults_of(self, path: str) -> tuple[str, ...]:
        """The faults at one control."""
        return tuple(problem.message for problem in self.faults if problem.path == path)

    def doubts_of(self, path: str) -> tuple[str, ...]:
        """The doubts about one setting, its entries included."""
        found = (p for p in self.doubts if p.path == path or p.path.startswith(f"{path}."))
        return tuple(problem.message for problem in found)


@dataclass
class Basis:
    """What a form is made from: the settings in force, those that this process began with, what was typed."""

    snapshot: Snapshot
    began_with: Config | None = None
    typed: Typed = field(default_factory=Typed)
    told: Told = field(default_factory=Told)


def form_sections(basis: Basis) -> list[FormSection]:
    """Every section with its fields."""
    shown = masked(basis.snapshot.config)
    in_file, _ = carry_over(read_document(basis.snapshot.text).values)
    fields: dict[str, list[Field]] = {path: [] for path in all_sections()}
    for path, setting in all_settings().items():
        fields[path.rpartition(".")[0]].append(_field(setting, basis, shown, in_file))
    return [
        FormSection(path, _title(path), sentence, tuple(fields[path]))
        for path, sentence in all_sections().items()
        if fields[path]
    ]


def _field(setting: Setting, basis: Basis, shown: Mapping[str, Any], in_file: Mapping[str, Any]) -> Field:
    path, typed = setting.path, basis.typed
    value = get_path(shown, path)
    derived = _derived(setting, value, get_path(in_file, path), basis.snapshot)
    was = "" if derived or setting.secret else text_of(setting, value)
    was = typed.was.get(path, was)
    return Field(
        setting,
        was=was,
        text=was if setting.secret else typed.texts.get(path, was),
        is_set=setting.secret and bool(value),
        derived=derived,
        at_start=_at_start(setting, basis),
        variable=basis.snapshot.environment_keys.get(path),
        rows=_rows(setting, value, basis) if setting.entry else (),
        faults=basis.told.faults_of(path),
        doubts=basis.told.doubts_of(path),
    )


def _derived(setting: Setting, value: Any, in_file: Any, snapshot: Snapshot) -> str:
    """What stands for an empty value: the folder that follows from others."""
    is_left_empty = in_file in (None, "") and setting.path not in snapshot.environment_keys
    is_text = setting.kind == "text" and not setting.secret and not setting.required
    return str(value) if is_text and is_left_empty and value not in ("", setting.default) else ""


def _at_start(setting: Setting, basis: Basis) -> str | None:
    if not setting.needs_restart or basis.began_with is None:
        return None
    began, now = (get_path(config.model_dump(), setting.path) for config in (basis.began_with, basis.snapshot.config))
    return None if began == now else scalar(began)


def _rows(setting: Setting, entries: Sequence[Mapping[str, Any]], basis: Basis) -> tuple[FormRow, ...]:
    """The entries, and an empty row for one more."""
    typed = basis.typed.rows.get(setting.path)
    if typed is None:
        typed = tuple(Row(number, entry, True, False) for number, entry in enumerate(entries))
    last = typed[-1].number + 1 if typed else 0
    if not typed or typed[-1].is_kept or not typed[-1].is_blank:
        typed = (*typed, Row(last, {}, False, False))
    return tuple(_row(setting, row, basis.told) for row in typed)


def _row(setting: Setting, row: Row, told: Told) -> FormRow:
    fields = entry_fields(setting, f"{setting.path}.{row.number}")
    cells = tuple(
        Cell(one, "" if one.secret else str(row.texts.get(name, one.default or "")), told.faults_of(one.path))
        for name, one in fields.items()
    )
    return FormRow(row.number, cells, row.is_kept, row.is_removed)


def _title(path: str) -> str:
    return path.replace(".", ": ").capitalize()
