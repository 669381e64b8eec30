"""Settings of the way to Home Assistant by MQTT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from app.config.fields import SECRET, Port, Section, Text
from app.errors import Problem

#: One level of a topic or several; no wildcard, nothing that a broker or Home Assistant reads otherwise.
TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
LONGEST_TOPIC = 100
HOST = re.compile(r"[A-Za-z0-9_.:%-]{1,253}")


class Mqtt(Section):
    """Home Assistant by MQTT: sensors, buttons and a switch that appear there by themselves."""

    host: Text = Field(default="", description="Name or address of the MQTT broker; empty = MQTT is off.")
    port: Port = Field(default=1883, description="Port of the broker; with TLS mostly 8883.")
    username: Text = Field(default="", description="Who we are to the broker; empty = nobody in particular.")
    password: Text = Field(
        default="", description="Password for the broker.", repr=False, json_schema_extra=SECRET
    )
    tls: bool = Field(default=False, description="Talk to the broker under TLS.")
    tls_ca_file: Text = Field(
        default="", description="File with the certificate that the broker's is signed by; empty = the usual ones."
    )
    prefix: Text = Field(
        default="media_pipeline", description="How our topics and entity ids begin; one of its own for each appliance."
    )
    discovery_prefix: Text = Field(
        default="homeassistant", description="Topic under which Home Assistant looks for devices."
    )


def mqtt_problems(mqtt: Mqtt) -> Iterator[Problem]:
    """Everything that is wrong with these settings."""
    if mqtt.host and not HOST.fullmatch(mqtt.host):
        yield Problem("mqtt.host", "must be a name or an address alone, as in homeassistant.local: no mqtt:// and port")
    if mqtt.password and not mqtt.username:
        yield Problem("mqtt.username", "is needed where mqtt.password is set", related="mqtt.password")
    if mqtt.tls_ca_file and not mqtt.tls:
        yield Problem("mqtt.tls_ca_file", "is of use under mqtt.tls: true only", related="mqtt.tls")
    for path, topic in (("mqtt.prefix", mqtt.prefix), ("mqtt.discovery_prefix", mqtt.discovery_prefix)):
        if not TOPIC.fullmatch(topic) or len(topic) > LONGEST_TOPIC:
            yield Problem(path, "must be letters, digits, _ and -, in levels apart by /, as in media_pipeline")
    if mqtt.prefix == mqtt.discovery_prefix:
        yield Problem("mqtt.prefix", "must differ from mqtt.discovery_prefix", related="mqtt.discovery_prefix")


def broker_of(values: Mapping[str, Any]) -> tuple[str, str]:
    """Host and port of the broker that nested values name, as far as they can be told; no host without one."""
    found = values.get("mqtt")
    section = found if isinstance(found, Mapping) else {}
    return str(section.get("host") or "").lower(), str(section.get("port") or Mqtt.model_fields["port"].default)
