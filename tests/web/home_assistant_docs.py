"""The YAML of docs/home-assistant.md, read as Home Assistant reads it: with secrets, entity ids and templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "home-assistant.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
SERVER = "http://nas.local:8080"
ROW = re.compile(r"^\| `(\w+)` \| ([\w ]+) \| ([^|]+) \|$", re.MULTILINE)
State = dict[str, Any]


class Loader(yaml.SafeLoader):
    """Knows the tags of Home Assistant's files."""


Loader.add_constructor("!secret", lambda loader, node: f"secret {loader.construct_scalar(node)}")
Loader.add_constructor("!include_dir_named", lambda loader, node: loader.construct_scalar(node))


def section(heading: str) -> str:
    """The text below a heading of the second level."""
    return re.split(r"^## ", TEXT.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def blocks(heading: str) -> list[Any]:
    """Every YAML block of a section, parsed."""
    return [yaml.load(block, Loader) for block in re.findall(r"```yaml\n(.*?)```", section(heading), re.DOTALL)]


def package() -> dict[str, Any]:
    """The package for REST."""
    (found,) = [block for block in blocks("REST") if "rest" in block]
    return dict(found)


def automations(heading: str) -> list[dict[str, Any]]:
    """Every automation of a section."""
    return [automation for block in blocks(heading) for automation in block.get("automation", ())]


def documented_keys() -> dict[str, str]:
    """The type of each key of the state, as the table tells it."""
    return {key: kind for key, kind, _ in ROW.findall(TEXT)}


def slug(name: str) -> str:
    """The object id that Home Assistant makes of a name of plain letters."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def rest_entities() -> dict[str, dict[str, Any]]:
    """The entities of the package by their entity id."""
    (asked,) = package()["rest"]
    return {
        f"{platform}.{slug(entity['name'])}": entity
        for platform in ("sensor", "binary_sensor")
        for entity in asked[platform]
    }


def rendered(template: str, state: State, **more: Any) -> str:
    """A template as Home Assistant renders it over the state; a key that is not there is a fault."""
    environment = Environment(undefined=StrictUndefined)
    return environment.from_string(template).render(value_json=state, **more).strip()


def named_entities(value: Any) -> set[str]:
    """Every entity id of ours that stands anywhere in a block, in templates too."""
    return set(re.findall(r"\b(?:sensor|binary_sensor|button|switch)\.media_pipeline\w*", str(value)))
