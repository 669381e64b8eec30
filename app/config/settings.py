"""The schema as a flat list: one entry per key, for the environment, the saved file, the form and the docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.config.schema import Config

ENVIRONMENT_PREFIX = "MEDIA_PIPELINE_"


@dataclass(frozen=True)
class Setting:
    """One key: `path` is dotted; `default` is None when a value is required; `kind` is text, number, ..."""

    path: str
    description: str
    default: Any
    required: bool
    secret: bool
    kind: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that sets this key."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "__").upper()


@cache
def all_settings() -> Mapping[str, Setting]:
    """Every key of the schema by its dotted path, in the order of the schema."""
    return {setting.path: setting for setting in _walk(Config, "")}


@cache
def all_sections() -> Mapping[str, str]:
    """Every section by its dotted path, with the sentence that its class says about it."""
    return dict(_walk_sections(Config, ""))


@cache
def secret_paths() -> tuple[str, ...]:
    """The dotted paths of the keys whose values never leave the program."""
    return tuple(setting.path for setting in all_settings().values() if setting.secret)


def get_path(values: Any, path: str) -> Any:
    """The value under a dotted path in nested dictionaries, or None."""
    for name in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(name)
    return values


def with_path(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same nested dictionaries with the value under a dotted path replaced; the given ones stay as they are."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**values, first: value}
    inner = values.get(first)
    return {**values, first: with_path(inner if isinstance(inner, Mapping) else {}, rest, value)}


def without_path(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The same nested dictionaries without the value under a dotted path."""
    first, _, rest = path.partition(".")
    if not rest:
        return {name: value for name, value in values.items() if name != first}
    inner = values.get(first)
    return {**values, first: without_path(inner, rest)} if isinstance(inner, Mapping) else dict(values)


def _walk(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, info in model.model_fields.items():
        section = _section(info.annotation)
        if section is not None:
            yield from _walk(section, f"{prefix}{name}.")
        else:
            yield _setting(f"{prefix}{name}", info)


def _walk_sections(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, info in model.model_fields.items():
        section = _section(info.annotation)
        if section is not None:
            yield f"{prefix}{name}", section.__doc__ or ""
            yield from _walk_sections(section, f"{prefix}{name}.")


def _section(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _setting(path: str, info: FieldInfo) -> Setting:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    is_required = info.is_required()
    choices = tuple(get_args(info.annotation)) if _kind(info.annotation) == "choice" else ()
    return Setting(
        path=path,
        description=info.description or "",
        default=None if is_required else info.default,
        required=is_required,
        secret=bool(extra.get("secret")),
        kind=_kind(info.annotation),
        choices=choices,
    )


def _kind(annotation: Any) -> str:
    names = {bool: "yes_no", int: "whole_number", float: "number", str: "text"}
    if annotation in names:
        return names[annotation]
    return "list" if get_origin(annotation) is tuple else "choice"
