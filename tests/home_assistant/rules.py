"""What Home Assistant demands of a device's discovery message, as far as the message uses it."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from jinja2 import Environment, StrictUndefined

#: Of each device class: the units that it takes; None for a class that takes none.
UNITS = {
    "data_size": {"B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"},
    "data_rate": {"B/s", "kB/s", "MB/s"},
    "duration": {"s", "min", "h", "d"},
    "timestamp": None,
    "enum": None,
}
BINARY_CLASSES = {"problem", "connectivity", "running"}
EVERYWHERE = {"p", "unique_id", "default_entity_id", "name", "icon", "entity_category"}
KEYS = {
    "sensor": EVERYWHERE
    | {"state_topic", "value_template", "device_class", "unit_of_measurement", "state_class", "options"},
    "binary_sensor": EVERYWHERE | {"value_template", "device_class"},
    "button": EVERYWHERE | {"command_topic", "payload_press"},
    "switch": EVERYWHERE
    | {"command_topic", "value_template", "payload_on", "payload_off", "state_on", "state_off"},
}  # fmt: skip
OBJECT_ID = re.compile(r"[a-z0-9_]+")


def faults(topic: str, message: dict[str, Any]) -> list[str]:
    """Everything in a discovery message that Home Assistant would refuse; none for one that it takes."""
    found = [] if re.fullmatch(r"\w+/device/[A-Za-z0-9_-]+/config", topic) else [f"the topic {topic}"]
    found += [f"no {key}" for key in ("dev", "o", "cmps", "avty_t", "stat_t") if key not in message]
    found += [] if message["dev"].get("ids") and message["dev"].get("name") else ["a device without ids or name"]
    found += [] if message["o"].get("name") else ["an origin without a name"]
    ids = [component.get("unique_id") for component in message["cmps"].values()]
    found += [] if len(ids) == len(set(ids)) else ["a unique_id twice"]
    return found + [f"{key}: {fault}" for key, one in message["cmps"].items() for fault in _faults_of(one)]


def _faults_of(one: dict[str, Any]) -> list[str]:
    platform = one.get("p")
    if platform not in KEYS or not one.get("unique_id"):
        return ["no known platform, or no unique_id"]
    found = [f"{key} is no key of a {platform}" for key in one.keys() - KEYS[platform]]
    domain, _, object_id = one["default_entity_id"].partition(".")
    found += [] if domain == platform and OBJECT_ID.fullmatch(object_id) else ["default_entity_id"]
    if one.get("entity_category", "diagnostic") not in ("diagnostic", "config"):
        found.append("entity_category")
    return found + {"sensor": _of_sensor, "binary_sensor": _of_binary}.get(platform, _of_control)(one)


def _of_sensor(one: dict[str, Any]) -> list[str]:
    device_class, unit = one.get("device_class"), one.get("unit_of_measurement")
    found = []
    if device_class is not None and device_class not in UNITS:
        return [f"the device class {device_class}"]
    if device_class is not None and (UNITS[device_class] or {None}) - {unit} == (UNITS[device_class] or {None}):
        found.append(f"the unit {unit} of a {device_class}")
    if (device_class == "enum") != ("options" in one):
        found.append("options belong to an enum, and to nothing else")
    if UNITS.get(device_class or "", set()) is None and ("state_class" in one or unit):
        found.append(f"a {device_class} has neither unit nor state class")
    return found


def _of_binary(one: dict[str, Any]) -> list[str]:
    return [] if one.get("device_class") in BINARY_CLASSES else ["the device class"]


def _of_control(one: dict[str, Any]) -> list[str]:
    return [] if one.get("command_topic") else ["no command_topic"]


def shown(one: dict[str, Any], payload: str) -> str:
    """The state that Home Assistant reads from a payload by the component's template."""
    template = Environment(undefined=StrictUndefined).from_string(one["value_template"])
    value_json = json.loads(payload) if payload.startswith("{") else None
    return template.render(value=payload, value_json=value_json).strip()


def is_taken(one: dict[str, Any], value: str) -> bool:
    """Whether Home Assistant takes this as a state; `None` is unknown."""
    if one["p"] != "sensor":
        return value in ("ON", "OFF")
    if value == "None":
        return True
    device_class = one.get("device_class")
    if device_class == "timestamp":
        return datetime.fromisoformat(value).utcoffset() is not None
    if device_class == "enum":
        return value in one["options"]
    if "unit_of_measurement" in one or "state_class" in one:
        float(value)
    return 0 < len(value) <= 255
