"""Writing a settings file from values: every key in the order of the schema, with one comment each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.config.document import plain_value
from app.config.settings import Setting, all_settings, get_path

HEADER = """\
# Settings of Media Pipeline; docs/CONFIG.md says more about each.
# Changes take effect without a restart. Saving from the settings form rewrites this file in this layout.
"""

#: Words that YAML reads as text without quotes.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_/.:+-]*")


def render(values: Mapping[str, Any]) -> str:
    """The text of a settings file with these values; a key that has none gets its default."""
    lines = [HEADER.rstrip("\n")]
    opened: tuple[str, ...] = ()
    for path, setting in all_settings().items():
        sections = tuple(path.split(".")[:-1])
        lines += _open_sections(opened, sections)
        opened = sections
        lines += _entry(setting, get_path(values, path), "  " * len(sections))
    return "\n".join(lines) + "\n"


def _open_sections(opened: tuple[str, ...], sections: tuple[str, ...]) -> list[str]:
    if opened == sections:
        return []
    shared = 0
    while shared < min(len(opened), len(sections)) and opened[shared] == sections[shared]:
        shared += 1
    lines = [] if shared else [""]
    return lines + ["  " * depth + f"{sections[depth]}:" for depth in range(shared, len(sections))]


def _entry(setting: Setting, value: Any, indent: str) -> list[str]:
    if value is None:
        value = "" if setting.required else setting.default
    name, comment = setting.path.rpartition(".")[2], f"{indent}# {setting.description}"
    if setting.entry and value and isinstance(value, (list, tuple)):
        return [comment, f"{indent}{name}:", *(f"{indent}  - {scalar(entry)}" for entry in value)]
    return [comment, f"{indent}{name}: {scalar(value)}"]


def scalar(value: Any) -> str:
    """One value as YAML on one line, quoted where its plain form would mean something else."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value if _needs_no_quotes(value) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_in_flow(inner)}" for name, inner in value.items()) + "}"
    return "[" + ", ".join(_in_flow(entry) for entry in value) + "]"


def _in_flow(value: Any) -> str:
    """A value between brackets, where a comma or a bracket in a plain word would mean something else."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else scalar(value)


def _needs_no_quotes(word: str) -> bool:
    return _PLAIN_WORD.fullmatch(word) is not None and plain_value(word) == word and not word.endswith(":")
