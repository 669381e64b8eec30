"""Turning rows into the dataclasses of app/model.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Table

T = TypeVar("T")


def columns_for(table: Table, cls: type[Any]) -> list[Column[Any]]:
    """The table's columns that the dataclass has fields for, in field order."""
    return [table.c[f.name] for f in dataclasses.fields(cls)]


def build(cls: type[T], row: Sequence[Any], converters: dict[str, Any]) -> T:
    """The dataclass from a row made by `columns_for`; `converters` turns words into enums and JSON into values."""
    values = {}
    for field, value in zip(dataclasses.fields(cls), row, strict=True):  # type: ignore[arg-type]
        convert = converters.get(field.name)
        values[field.name] = convert(value) if convert and value is not None else value
    return cls(**values)
