"""The schema as a flat list: one entry per key, for the environment, the saved file, the form and the docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.config.schema import Config

ENVIRONMENT_PREFIX = "MEDIA_PIPELINE_"


#: What a name's last word says about the unit of a number.
UNITS = {
    "mb_per_second": "MB/s",
    "seconds": "seconds",
    "sec": "seconds",
    "days": "days",
    "gb": "GiB",
    "mb": "MB",
}


@dataclass(frozen=True)
class Setting:
    """One key: `path` is dotted; `default` is None when a value is required; `kind` is text, number, ...

    A setting of the kind `entries` is a list of small sections; `entry` is their model.
    """

    path: str
    description: str
    default: Any
    required: bool
    secret: bool
    kind: str
    choices: tuple[str, ...] = ()
    needs_restart: bool = False
    entry: type[BaseModel] | None = None

    @property
    def variable(self) -> str | None:
        """The environment variable that sets this key; lists of sections have none."""
        return None if self.entry else ENVIRONMENT_PREFIX + self.path.replace(".", "__").upper()

    @property
    def unit(self) -> str | None:
        """What a number counts, as far as the name says it: seconds, days, GiB, MB."""
        if self.kind not in ("whole_number", "number"):
            return None
        name = self.path.rpartition(".")[2]
        return next((unit for word, unit in UNITS.items() if name == word or name.endswith(f"_{word}")), None)


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


def secret_keys(values: Any) -> list[tuple[str, ...]]:
    """Where nested values hold secrets: the place of each, down to the entry of a list (`auth`, `keys`, `0`, `key`)."""
    places = [tuple(path.split(".")) for path in secret_paths()]
    for setting in all_settings().values():
        entries = get_path(values, setting.path) if setting.entry else None
        if setting.entry and isinstance(entries, (list, tuple)):
            names = [
                [*setting.path.split("."), str(n), name] for n in range(len(entries)) for name in _secrets(setting)
            ]
            places += [tuple(name) for name in names]
    return places


def entry_fields(setting: Setting, prefix: str) -> Mapping[str, Setting]:
    """The fields of an entry of a list of sections, by name; `prefix` is the path of the entry."""
    if setting.entry is None:
        return {}
    return {name: _setting(f"{prefix}.{name}", info) for name, info in setting.entry.model_fields.items()}


def _secrets(setting: Setting) -> list[str]:
    return [name for name, field in entry_fields(setting, setting.path).items() if field.secret]


def get_path(values: Any, path: str) -> Any:
    """The value under a dotted path in nested dictionaries and lists, or None."""
    for name in path.split("."):
        if isinstance(values, (list, tuple)) and name.isdigit() and int(name) < len(values):
            values = values[int(name)]
        elif isinstance(values, Mapping):
            values = values.get(name)
        else:
            return None
    return values


def with_path(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same nested dictionaries with the value under a dotted path replaced; the given ones stay as they are."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**values, first: value}
    inner = values.get(first)
    if isinstance(inner, (list, tuple)):
        return {**values, first: _with_entry(inner, rest, value)}
    return {**values, first: with_path(inner if isinstance(inner, Mapping) else {}, rest, value)}


def _with_entry(entries: Sequence[Any], path: str, value: Any) -> list[Any]:
    number, _, rest = path.partition(".")
    place = int(number)
    return [*entries[:place], with_path(entries[place], rest, value), *entries[place + 1 :]]


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
    is_required = info.is_required()
    kind = _kind(info.annotation)
    return Setting(
        path=path,
        description=info.description or "",
        default=None if is_required else info.default,
        required=is_required,
        secret=bool(_extra(info).get("secret")),
        kind=kind,
        choices=tuple(get_args(info.annotation)) if kind == "choice" else (),
        needs_restart=bool(_extra(info).get("needs_restart")),
        entry=_entry(info.annotation),
    )


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _entry(annotation: Any) -> type[BaseModel] | None:
    return _section(get_args(annotation)[0]) if get_origin(annotation) is tuple else None


def _kind(annotation: Any) -> str:
    names = {bool: "yes_no", int: "whole_number", float: "number", str: "text"}
    if annotation in names:
        return names[annotation]
    if _entry(annotation) is not None:
        return "entries"
    return "list" if get_origin(annotation) is tuple else "choice"
