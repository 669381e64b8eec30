"""The topics that we write and read."""

from __future__ import annotations

import re

from app.config.mqtt import Mqtt

ONLINE, OFFLINE = "online", "offline"


class Topics:
    """The topics of one appliance, by its settings."""

    def __init__(self, mqtt: Mqtt) -> None:
        #: How our ids begin in Home Assistant: the prefix in letters, digits and underscores.
        self.device_id = re.sub(r"[^a-z0-9]+", "_", mqtt.prefix.lower()).strip("_") or "media_pipeline"
        self.state = f"{mqtt.prefix}/state"
        self.availability = f"{mqtt.prefix}/availability"
        self.command = f"{mqtt.prefix}/command"
        #: What came of the last command; never retained.
        self.answer = f"{mqtt.prefix}/answer"
        self.discovery = f"{mqtt.discovery_prefix}/device/{self.device_id}/config"
        #: Home Assistant writes `online` to it when it starts.
        self.birth = f"{mqtt.discovery_prefix}/status"

    @property
    def retained(self) -> tuple[str, ...]:
        """What we leave at the broker, in the order in which it is removed: the device first."""
        return (self.discovery, self.state, self.availability)
