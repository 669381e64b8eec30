"""Whether the MQTT broker can be reached, by connecting to it as the worker does."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from app.home_assistant.broker import try_to_connect
from app.services import Services
from app.syncthing.checks import OK, WARNING, Check

FIX = (
    "Is the broker running, and does it let us in? Look at mqtt.host, mqtt.port, mqtt.username, mqtt.password and "
    "mqtt.tls; the worker tries again by itself. Photos are not affected."
)


def check_broker(services: Services) -> Iterator[Check]:
    """One check while a broker is named, none else."""
    mqtt = services.config.mqtt
    if not mqtt.host:
        return
    # A name of its own: the broker would end the worker's connection for another one of the same name.
    fault = try_to_connect(mqtt, f"media-pipeline-doctor-{uuid4().hex[:8]}")
    if fault:
        yield Check("mqtt", WARNING, fault, FIX)
    else:
        yield Check("mqtt", OK, f"The MQTT broker at {mqtt.host}:{mqtt.port} lets us in.")
