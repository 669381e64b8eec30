"""The settings as JSON Schema (2020-12), with what a form or a script needs to know beyond the types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.config.schema import Config
from app.config.settings import Setting, all_settings, entry_fields

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = "$defs"


def json_schema(variables: Mapping[str, str]) -> dict[str, Any]:
    """The schema of the whole configuration, without references.

    Beside the words of JSON Schema each setting has `unit`, `secret`, `needs_restart`, `variable` (the environment
    variable that can set it) and `set_by` (the one that does, from `variables`).
    """
    whole = Config.model_json_schema()
    definitions = whole.pop(DEFINITIONS, {})
    whole = {"$schema": DIALECT, **_inlined(whole, definitions)}
    for path, setting in all_settings().items():
        _describe(_property(whole, path), setting, variables.get(path))
    return whole


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(inner, definitions) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    # The defaults of sections only repeat those of their keys.
    is_section = node.get("type") == "object"
    return {
        key: _inlined(value, definitions)
        for key, value in node.items()
        if key != "title" and not (is_section and key == "default")
    }


def _property(schema: dict[str, Any], path: str) -> dict[str, Any]:
    for name in path.split("."):
        schema = schema["properties"][name]
    return schema


def _describe(schema: dict[str, Any], setting: Setting, set_by: str | None) -> None:
    _describe_value(schema, setting)
    schema |= {"needs_restart": setting.needs_restart, "variable": setting.variable, "set_by": set_by}
    for name, field in entry_fields(setting, setting.path).items():
        _describe_value(schema["items"]["properties"][name], field)


def _describe_value(schema: dict[str, Any], setting: Setting) -> None:
    schema |= {"unit": setting.unit, "secret": setting.secret}
    if setting.secret:
        schema["writeOnly"] = True
