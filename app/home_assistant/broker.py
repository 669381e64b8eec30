"""The connection to the MQTT broker. paho-mqtt is loaded when a broker is named, and by nobody else."""

from __future__ import annotations

import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from app.config.mqtt import Mqtt
from app.home_assistant.topics import OFFLINE, ONLINE, Topics

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

#: A broker that hears nothing for one and a half times as long takes us for gone, and says so to everybody.
KEEPALIVE_SECONDS = 30
#: The wait before the next try doubles from the first to the second.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1, 60
GOODBYE_SECONDS = 2.0
TRIAL_SECONDS = 5.0
#: A longer word is no command.
LONGEST_COMMAND = 100

CONNECTED, LOST, BORN, COMMAND = "connected", "lost", "born", "command"


@dataclass(frozen=True)
class Word:
    """What came from the broker: `what` is one of the four above, `text` the command, or why we are not connected."""

    what: str
    text: str = ""


class Broker:
    """One connection, kept up by a thread of its own until `end`: a broker that is away is tried again, ever later.

    For one thread at a time. Raises OSError and ssl.SSLError at once when the file of the certificate cannot be used.
    """

    def __init__(self, mqtt: Mqtt, client_id: str) -> None:
        self.topics = Topics(mqtt)
        self._mqtt = mqtt
        self._words: SimpleQueue[Word] = SimpleQueue()
        self._is_refused = False
        self._last: MQTTMessageInfo | None = None
        self._client = _client(mqtt, client_id)
        self._client.will_set(self.topics.availability, OFFLINE, qos=1, retain=True)
        self._client.reconnect_delay_set(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        self._client.on_connect = self._greet
        self._client.on_disconnect = lambda *given: self._part(given[3])
        self._client.on_connect_fail = lambda *_: self._words.put(Word(LOST, unanswered(mqtt)))
        self._client.on_message = lambda _client, _data, message: self._hear(message)

    def start(self) -> None:
        """Begin to connect."""
        self._client.connect_async(self._mqtt.host, self._mqtt.port, KEEPALIVE_SECONDS)
        self._client.loop_start()

    def next_word(self, timeout_seconds: float) -> Word | None:
        """What came next, waiting for it at most so long."""
        try:
            return self._words.get(timeout=timeout_seconds)
        except Empty:
            return None

    def put(self, topic: str, text: str, *, retain: bool) -> None:
        """Write a message; one that cannot be sent now is not kept for later, when it would be old."""
        if self._client.is_connected():
            self._last = self._client.publish(topic, text, qos=1, retain=retain)

    def end(self, *, clears: bool) -> None:
        """Say goodbye and close. `clears` removes all that we left at the broker, and so the device at home."""
        if self._client.is_connected():
            self.put(self.topics.availability, OFFLINE, retain=True)
            for topic in self.topics.retained if clears else ():
                self.put(topic, "", retain=True)
            self._wait_until_sent()
        self._client.disconnect()
        self._client.loop_stop()

    def _wait_until_sent(self) -> None:
        if self._last is not None:
            with suppress(RuntimeError, ValueError):  # the connection ended meanwhile; the will speaks for us then
                self._last.wait_for_publish(GOODBYE_SECONDS)

    def _greet(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._is_refused = reason.is_failure
        if reason.is_failure:
            self._words.put(Word(LOST, why_refused(reason)))
            return
        client.subscribe([(self.topics.command, 1), (self.topics.birth, 1)])
        self._words.put(Word(CONNECTED))

    def _part(self, reason: Any) -> None:
        # After a refusal the connection ends for no reason of its own; that one was told.
        if not self._is_refused:
            self._words.put(Word(LOST, why_refused(reason)))

    def _hear(self, message: Any) -> None:
        text = bytes(message.payload[:LONGEST_COMMAND]).decode("utf-8", "replace").strip()
        if message.topic == self.topics.birth:
            # A retained one tells how things were; we tell everything after connecting in any case.
            if text == ONLINE and not message.retain:
                self._words.put(Word(BORN))
        elif not message.retain:
            # A retained command would be carried out again at each connection.
            self._words.put(Word(COMMAND, text))


def try_to_connect(mqtt: Mqtt, client_id: str) -> str:
    """Connect once and leave: why that does not work, in a sentence, or nothing when it does."""
    answer, answered = [unanswered(mqtt)], threading.Event()

    def hear(reason: Any) -> None:
        answer[0] = why_refused(reason) if reason.is_failure else ""
        answered.set()

    try:
        client = _client(mqtt, client_id)
        client.on_connect = lambda *given: hear(given[3])
        client.connect(mqtt.host, mqtt.port, KEEPALIVE_SECONDS)
    except (OSError, ValueError) as error:
        return f"{unanswered(mqtt)} ({error})"
    client.loop_start()
    answered.wait(TRIAL_SECONDS)
    client.disconnect()
    client.loop_stop()
    return answer[0]


def unanswered(mqtt: Mqtt) -> str:
    """That nothing answers there as a broker does."""
    return f"No MQTT broker answers at {mqtt.host}:{mqtt.port}."


def why_refused(reason: Any) -> str:
    """Why the broker ended the connection, from the reason that it gave."""
    return f"The MQTT broker ended the connection: {reason}."


def _client(mqtt: Mqtt, client_id: str) -> Client:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id)
    client.connect_timeout = TRIAL_SECONDS
    if mqtt.username:
        client.username_pw_set(mqtt.username, mqtt.password or None)
    if mqtt.tls:
        client.tls_set_context(ssl.create_default_context(cafile=mqtt.tls_ca_file or None))
    return client


