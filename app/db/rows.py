"""Turning rows into the dataclasses of app/model/."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import EnumType
from typing import Any, TypeVar, cast

from sqlalchemy import Column, Table

T = TypeVar("T")


def columns_for(table: Table, cls: type[Any]) -> list[Column[Any]]:
    """The table's columns that the dataclass has fields for, in field order."""
    return [table.c[f.name] for f in dataclasses.fields(cls)]


_POSITIONS: dict[type[Any], dict[str, int]] = {}
_WORDS: dict[EnumType, dict[Any, Any]] = {}


def _positions(cls: type[Any]) -> dict[str, int]:
    known = _POSITIONS.get(cls)
    if known is None:
        known = _POSITIONS[cls] = {field.name: i for i, field in enumerate(dataclasses.fields(cls))}
    return known


def build(cls: type[T], row: Sequence[Any], converters: dict[str, Any]) -> T:
    """The dataclass from a row made by `columns_for`; `converters` turns words into enums and JSON into values."""
    values, positions = list(row), _positions(cls)
    assert len(values) == len(positions)
    for name, convert in converters.items():
        position = positions[name]
        value = values[position]
        if value is not None:
            # Calling an enum class costs more than all the rest of a row: its words are looked up.
            values[position] = _words(convert)[value] if isinstance(convert, EnumType) else convert(value)
    return cls(*values)


def _words(convert: EnumType) -> dict[Any, Any]:
    known = _WORDS.get(convert)
    if known is None:
        known = _WORDS[convert] = {member.value: member for member in iter(cast("Any", convert))}
    return known
