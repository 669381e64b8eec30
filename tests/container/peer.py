"""A second Syncthing in the compose network, which takes what the first one offers."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.container.stack import Stack

FOLDER = "media-pipeline"
PHOTOS = "/var/syncthing/photos"


class Peer:
    """The service `peer` of a stack, spoken to from inside its container."""

    def __init__(self, stack: Stack, seconds: int = 60) -> None:
        self.stack = stack
        limit = time.monotonic() + seconds
        while "</apikey>" not in (config := self._config()):
            assert time.monotonic() < limit, "the peer has written no configuration"
            time.sleep(0.5)
        self.key = config.split("<apikey>")[1].split("</apikey>")[0]

    def _config(self) -> str:
        return self.stack.inside("sh", "-c", "cat /var/syncthing/config/config.xml 2>&1 || true", service="peer")

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        address = f"http://127.0.0.1:8384{path}"
        command = ["curl", "-fsS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1"]
        command += ["-H", f"X-API-Key: {self.key}"]
        command += ["-X", method, *([] if body is None else ["-d", json.dumps(body)]), address]
        said = self.stack.inside(*command, service="peer")
        return json.loads(said) if said.strip() else None

    @property
    def device_id(self) -> str:
        return str(self.ask("/rest/system/status")["myID"])

    def accept(self, device_id: str) -> None:
        """Know that device and take its folder, as a person does at a phone."""
        device = {"deviceID": device_id, "name": "nas", "addresses": ["tcp://syncthing:22000"]}
        self.ask("/rest/config/devices", "POST", device)
        folder = {"id": FOLDER, "path": PHOTOS, "type": "receiveonly", "devices": [{"deviceID": device_id}]}
        self.ask("/rest/config/folders", "POST", folder)
