"""A real mosquitto on loopback, and somebody at home who listens to it and presses buttons."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.web.serving import free_port

PATIENCE_SECONDS = 30.0


class Mosquitto:
    """One broker; it keeps nothing over a restart. Use as a context manager: it leaves no process behind."""

    def __init__(self, base: Path, *lines: str) -> None:
        self.port = free_port()
        self._base = base
        lines = lines or ("allow_anonymous true",)
        self._config = base / "mosquitto.conf"
        head = (f"listener {self.port} 127.0.0.1", "persistence false", "user root")
        self._config.write_text("\n".join([*head, *lines, ""]))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; returns once it listens."""
        with (self._base / "mosquitto.log").open("ab") as said:
            self._process = subprocess.Popen(["mosquitto", "-c", self._config], stdout=said, stderr=said)
        until(self._listens, "mosquitto listens")

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Ear:
    """A client that keeps the newest message of each topic. Use as a context manager."""

    def __init__(self, port: int) -> None:
        self.last: dict[str, str] = {}
        self.heard: list[tuple[str, str]] = []
        self.retained: set[str] = set()
        self._port, self._listens = port, threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: self._listens.set()
        self.client.on_message = lambda _client, _data, message: self._hear(message)

    def __enter__(self) -> Ear:
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._listens.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, message: MQTTMessage) -> None:
        text = message.payload.decode()
        self.last[message.topic] = text
        self.heard.append((message.topic, text))
        if message.retain:
            self.retained.add(message.topic)

    def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        """Write a message; returns once the broker has it."""
        self.client.publish(topic, text, qos=1, retain=retain).wait_for_publish(PATIENCE_SECONDS)

    def command(self, word: str, prefix: str = "media_pipeline") -> str:
        """Send a command as a button does; the answer."""
        self.last.pop(f"{prefix}/answer", None)
        self.say(f"{prefix}/command", word)
        until(lambda: f"{prefix}/answer" in self.last, f"{word} is answered")
        return self.last[f"{prefix}/answer"]

    def state(self, prefix: str = "media_pipeline") -> dict[str, Any]:
        """The newest state; empty before the first one."""
        return dict(json.loads(self.last.get(f"{prefix}/state") or "{}"))


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"in {seconds} s it did not happen that {what}"
        time.sleep(0.02)
