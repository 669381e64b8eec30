"""The shape of a JSON value as a JSON Schema, and whether a value has a shape."""

from __future__ import annotations

import re
from typing import Any

#: Objects whose keys are data, not names of fields.
MAPS = frozenset({"by_reason", "by_status", "file_counts", "detail", "data", "arguments", "counts", "defaults"})

#: Of these, those whose keys differ from one installation to the next.
DATA = MAPS - {"counts", "by_status", "file_counts"}

#: Fields that may be null, whatever they are in an example.
MAY_BE_NULL = re.compile(
    r"next_.*|rate_bytes_per_second|remaining_seconds|.*_at|.*_id|.*_bytes|reason|error|digest.*|sha256|taken_.*|origin.*|wish|fault|detail|note|trash|cause|fix"
    r"|waits_for|instead|batch|group|run|last_run|last_result|summary|report|progress|verdict|peer|all|finding|after|folder_after"
)
#: Identities and counts that never are.
NEVER_NULL = frozenset({"root_id", "move_id", "size_bytes"})

WORDS: tuple[tuple[type, str], ...] = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))


def shape_of(value: Any, name: str = "") -> dict[str, Any]:
    """What the value says of its shape; null says nothing but that it may be null."""
    if value is None:
        return {}
    if isinstance(value, dict):
        if name in MAPS:
            return {"type": "object", "additionalProperties": True}
        properties = {key: _field(key, inner) for key, inner in value.items()}
        return {"type": "object", "properties": properties, "required": sorted(properties)}
    if isinstance(value, list):
        return {"type": "array", "items": together([shape_of(inner) for inner in value])}
    return {"type": next(word for cls, word in WORDS if isinstance(value, cls))}


def _field(name: str, value: Any) -> dict[str, Any]:
    shape = shape_of(value, name)
    if shape == {} or name in NEVER_NULL or MAY_BE_NULL.fullmatch(name) is None:
        return shape
    return {"anyOf": [shape, {"type": "null"}]}


def together(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    """One shape for all of them: what they share; nothing where they differ."""
    if not shapes or any(shape == {} for shape in shapes):
        return {}
    if len({"anyOf" in shape for shape in shapes}) > 1:
        return {}
    first = shapes[0]
    if "anyOf" in first:
        return {"anyOf": [together([shape["anyOf"][0] for shape in shapes]), {"type": "null"}]}
    if any(shape["type"] != first["type"] for shape in shapes):
        return {"type": "number"} if {s["type"] for s in shapes} == {"integer", "number"} else {}
    if first["type"] == "array":
        known = [shape["items"] for shape in shapes if shape["items"]]
        return {"type": "array", "items": together(known) if known else {}}
    if "properties" not in first or any("properties" not in shape for shape in shapes):
        return first
    names = dict.fromkeys(name for shape in shapes for name in shape["properties"])
    return {
        "type": "object",
        "properties": {
            name: together([s["properties"][name] for s in shapes if name in s["properties"]]) for name in names
        },
        "required": sorted(name for name in names if all(name in shape["required"] for shape in shapes)),
    }


def faults(value: Any, schema: dict[str, Any], components: dict[str, Any], where: str = "$") -> list[str]:
    """Where a value does not have a shape. Knows what the document uses: $ref, anyOf, type, properties, items."""
    if "$ref" in schema:
        return faults(value, components[schema["$ref"].rpartition("/")[2]], components, where)
    if "anyOf" in schema:
        each = [faults(value, option, components, where) for option in schema["anyOf"]]
        return [] if any(not found for found in each) else each[0]
    if "type" not in schema:
        return []
    if not _is(value, schema["type"]):
        return [f"{where} is {value!r}, not of type {schema['type']}"]
    found = []
    if isinstance(value, dict):
        found += [f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                found += faults(value[name], inner, components, f"{where}.{name}")
    if isinstance(value, list):
        for number, inner in enumerate(value):
            found += faults(inner, schema.get("items", {}), components, f"{where}[{number}]")
    return found


def _is(value: Any, word: str) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
        "boolean": (bool,), "null": (type(None),),
    }  # fmt: skip
    return isinstance(value, kinds[word]) and (word == "boolean" or not isinstance(value, bool))


def not_shown(answer: Any, example: Any, where: str = "$") -> list[str]:
    """Where an answer has a key that the recorded example lacks, at any depth; the first entry stands for a list."""
    if isinstance(answer, list) and isinstance(example, list):
        return not_shown(answer[0], example[0], f"{where}[]") if answer and example else []
    if not isinstance(answer, dict) or not isinstance(example, dict) or where.rpartition(".")[2] in DATA:
        return []
    found = [f"{where}.{key}" for key in answer if key not in example]
    return found + [
        name for key in answer if key in example for name in not_shown(answer[key], example[key], f"{where}.{key}")
    ]
