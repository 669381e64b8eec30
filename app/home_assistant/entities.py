"""Every entity that Home Assistant makes of us: sensors, binary sensors, buttons and the switch.

Names are short, for Home Assistant puts the device's name before them; the entity id follows from both. Keys of the
state are those of docs/home-assistant.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FILES = {"unit_of_measurement": "files", "state_class": "measurement"}
BATCHES = {"unit_of_measurement": "batches", "state_class": "measurement"}
SIZE = {"unit_of_measurement": "B", "device_class": "data_size", "state_class": "measurement"}
RATE = {"unit_of_measurement": "B/s", "device_class": "data_rate", "state_class": "measurement"}
DURATION = {"unit_of_measurement": "s", "device_class": "duration", "state_class": "measurement"}
PERCENT = {"unit_of_measurement": "%", "state_class": "measurement"}
ASIDE = {"entity_category": "diagnostic"}
PROBLEM, CONNECTED, RUNNING = {"device_class": "problem"}, {"device_class": "connectivity"}, {"device_class": "running"}

DELIVERED_PERCENT = (
    "{{ (100 * value_json.delivery_confirmed_bytes / value_json.delivery_bytes) | round(1) "
    "if value_json.delivery_bytes else 100 }}"
)


@dataclass(frozen=True)
class Entity:
    """One entity: its platform, its name, and what the discovery message says of it beside ids and name."""

    platform: str
    name: str
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """What comes after the device's id in the entity id."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower())


def _sensor(name: str, key: str, *about: dict[str, Any], template: str = "") -> Entity:
    merged = {k: v for part in about for k, v in part.items()}
    return Entity("sensor", name, {"value_template": template or f"{{{{ value_json.{key} }}}}", **merged})


def _known(name: str, key: str, *about: dict[str, Any]) -> Entity:
    """A number that may not be known: -1 in the state, `None` for Home Assistant, which is unknown."""
    return _sensor(name, key, *about, template=f"{{{{ value_json.{key} if value_json.{key} >= 0 else none }}}}")


def _instant(name: str, key: str, *about: dict[str, Any]) -> Entity:
    """An instant, unknown where the state says 1970."""
    template = f"{{{{ value_json.{key} if value_json.{key}[:4] != '1970' else none }}}}"
    return _sensor(name, key, {"device_class": "timestamp"}, *about, template=template)


def _binary(name: str, key: str, *about: dict[str, Any]) -> Entity:
    merged = {k: v for part in about for k, v in part.items()}
    return Entity(
        "binary_sensor", name, {"value_template": f"{{{{ 'ON' if value_json.{key} else 'OFF' }}}}", **merged}
    )


def _button(name: str, command: str, icon: str, *about: dict[str, Any]) -> Entity:
    merged = {k: v for part in about for k, v in part.items()}
    return Entity("button", name, {"payload_press": command, "icon": f"mdi:{icon}", **merged})


def sensors(statuses: Sequence[str]) -> tuple[Entity, ...]:
    """What is told; `statuses` are all that the state's status can be."""
    return (
        _sensor("Status", "status", {"device_class": "enum", "options": list(statuses), "icon": "mdi:image-sync"}),
        _sensor("Stage", "run_stage"),
        _sensor("Message", "message"),
        _sensor("Files waiting", "files_waiting", FILES),
        _sensor("Files archived", "files_archived", FILES),
        _sensor("Files failed", "files_failed", FILES),
        _sensor("Files damaged", "files_damaged", FILES),
        _sensor("Archive size", "files_archived_bytes", SIZE),
        _sensor("Batches open", "batches_open", BATCHES),
        _sensor("Batches failed", "batches_failed", BATCHES),
        _sensor("Delivery confirmed", "delivery", PERCENT, template=DELIVERED_PERCENT),
        _sensor("Delivery rate", "delivery_bytes_per_second", RATE),
        _known("Delivery time left", "delivery_remaining_seconds", DURATION),
        _sensor("Peers connected", "peers_connected", {"state_class": "measurement"}),
        _sensor("Last run result", "last_run_status"),
        _sensor("Last run error", "last_run_error", ASIDE),
        _known("Ingest free", "ingest_free_bytes", SIZE, ASIDE),
        _known("Batch free", "batch_free_bytes", SIZE, ASIDE),
        _known("Archive free", "archive_free_bytes", SIZE),
        _instant("Last run ended", "last_run_ended_at"),
        _instant("Next run", "next_run_at"),
        _instant("Last delivered", "last_delivered_at"),
        _instant("Oldest batch made", "oldest_batch_created_at", ASIDE),
        _instant("Peer away since", "peer_away_since"),
        _instant("Last backup", "last_backup_at", ASIDE),
        _binary("Running", "running", RUNNING),
        _binary("Problem", "problem", PROBLEM),
        _binary("Peer unseen", "peer_unseen", PROBLEM),
        _binary("Syncthing", "syncthing_reachable", CONNECTED),
        _binary("Folders", "folders_available", CONNECTED, ASIDE),
        _binary("Backup failed", "backup_failed", PROBLEM, ASIDE),
        _binary("Confirmation awaited", "confirmation_awaited", PROBLEM, ASIDE),
    )


#: One for each command but pause and resume, which are the switch.
BUTTONS = (
    _button("Run", "run", "play"),
    _button("Find duplicates", "dedup", "content-duplicate"),
    _button("Make batch", "batch", "package-variant-closed-plus"),
    _button("Deliver batch", "sync", "truck-delivery"),
    _button("Archive batch", "sort", "archive-arrow-down"),
    _button("Clean up", "cleanup", "broom"),
    _button("Cancel run", "cancel", "stop"),
    _button("Verify", "verify", "file-check"),
    _button("Back up", "backup", "content-save"),
    _button("Look at deliveries", "refresh_sync", "refresh"),
)
PAUSE = Entity(
    "switch",
    "Pause",
    {
        "value_template": "{{ 'ON' if value_json.paused else 'OFF' }}",
        "payload_on": "pause",
        "payload_off": "resume",
        "state_on": "ON",
        "state_off": "OFF",
        "icon": "mdi:pause",
    },
)
#: What came of the last command: it is told, and forgotten when Home Assistant starts again.
ANSWER = Entity("sensor", "Answer", {"value_template": "{{ value }}", **ASIDE})
