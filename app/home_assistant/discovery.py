"""The message that makes one device of us in Home Assistant, with everything it can show and do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app import __version__
from app.config.mqtt import Mqtt
from app.home_assistant.entities import ANSWER, BUTTONS, PAUSE, Entity, sensors
from app.home_assistant.topics import Topics

NAME = "Media Pipeline"


def discovery(mqtt: Mqtt, statuses: Sequence[str]) -> dict[str, Any]:
    """The device's discovery message, for the topic `Topics.discovery`; Home Assistant 2024.11 or newer reads it.

    One message for all entities; each gets its state from the one state topic by a template.
    """
    topics = Topics(mqtt)
    commanded = {"command_topic": topics.command}
    components = {
        **_components(topics, sensors(statuses), {}),
        **_components(topics, [ANSWER], {"state_topic": topics.answer}),
        **_components(topics, [*BUTTONS, PAUSE], commanded),
    }
    return {
        "dev": {"ids": [topics.device_id], "name": device_name(mqtt), "mf": NAME, "mdl": NAME, "sw": __version__},
        "o": {"name": NAME, "sw": __version__},
        "avty_t": topics.availability,
        "stat_t": topics.state,
        "qos": 1,
        "cmps": components,
    }


def device_name(mqtt: Mqtt) -> str:
    """What Home Assistant shows, and makes entity ids of; a second appliance is told by its prefix."""
    is_usual = mqtt.prefix == Mqtt.model_fields["prefix"].default
    return NAME if is_usual else mqtt.prefix.replace("/", " ").replace("_", " ")


def _components(topics: Topics, entities: Sequence[Entity], more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        entity.object_id: {
            "p": entity.platform,
            "unique_id": f"{topics.device_id}_{entity.object_id}",
            "default_entity_id": f"{entity.platform}.{topics.device_id}_{entity.object_id}",
            "name": entity.name,
            **more,
            **entity.about,
        }
        for entity in entities
    }
