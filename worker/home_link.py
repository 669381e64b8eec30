"""A thread that keeps Home Assistant informed by MQTT and carries out what it asks for, while a broker is named."""

from __future__ import annotations

import json
import threading
import time

from app import jobs
from app.config.mqtt import Mqtt
from app.db import facts
from app.db.migrate import DATABASE_ID
from app.db.news import News
from app.errors import MediaPipelineError
from app.home_assistant.broker import BORN, COMMAND, CONNECTED, LOST, Broker, Word
from app.home_assistant.discovery import discovery
from app.home_assistant.topics import ONLINE
from app.jobs.actor import work_for
from app.log import get_logger
from app.overview import config_facts_of
from app.overview.home import HomeState
from app.overview.home.values import text
from app.overview.home.work import STATUSES
from app.services import ServiceContainer, Services

#: While no broker is named the settings are looked at this often.
IDLE_SECONDS = 2.0
WAIT_SECONDS = 0.5
#: The state is read at most so often after somebody wrote, and so often although nobody did: disks fill by themselves.
NEWS_SECONDS, STILL_SECONDS = 4.0, 60.0
#: Who asks, in the journal.
ACTOR = "mqtt"
#: What changes at each reading, and is no reason to write the state again.
MOMENT = "generated_at"


class HomeLink(threading.Thread):
    """Serves one broker after the other, as the settings name them; a fault is logged once and tried again."""

    def __init__(self, container: ServiceContainer, stopping: threading.Event) -> None:
        super().__init__(name="home-assistant", daemon=True)
        self._container, self._stopping = container, stopping
        self._fault = ""

    def run(self) -> None:
        """Serve until the worker stops."""
        work_for(ACTOR)
        while not self._stopping.is_set():
            try:
                self._serve()
            # The thread is a door: a fault in it must not end the link.
            except Exception as error:  # noqa: BLE001
                self._report(error)
                self._stopping.wait(IDLE_SECONDS)

    def _serve(self) -> None:
        mqtt = self._container.services.config.mqtt
        if not mqtt.host:
            self._stopping.wait(IDLE_SECONDS)
            return
        broker = Broker(mqtt, _client_id(self._container.services))
        talk = Talk(self._container, broker, mqtt)
        broker.start()
        try:
            while not self._stopping.is_set() and self._container.services.config.mqtt == mqtt:
                talk.go_on()
        finally:
            talk.close()
            broker.end(clears=not self._stopping.is_set() and _moves(mqtt, self._container.services.config.mqtt))

    def _report(self, error: Exception) -> None:
        if str(error) != self._fault:
            self._fault = str(error)
            foreseen = isinstance(error, (MediaPipelineError, OSError))
            get_logger().error("the link to Home Assistant failed", reason=self._fault, exc_info=not foreseen)


def _client_id(services: Services) -> str:
    """Our name at the broker: one for each installation, as a broker drops the older of two of one name."""
    with services.db.reading() as conn:
        return f"media-pipeline-{(facts.find(conn, DATABASE_ID) or '')[:8]}"


def _moves(old: Mqtt, new: Mqtt) -> bool:
    """Whether what was left at the broker would stay there unused."""
    here, there = [(one.host, one.port, one.prefix, one.discovery_prefix) for one in (old, new)]
    return here != there


class Talk:
    """What is said through one broker. For one thread."""

    def __init__(self, container: ServiceContainer, broker: Broker, mqtt: Mqtt) -> None:
        self._container, self._broker, self._mqtt = container, broker, mqtt
        self._home, self._news = HomeState(), News(container.services.db)
        self._told: dict[str, str | int | bool] = {}
        self._is_connected, self._read_at, self._fault = False, 0.0, ""

    def go_on(self) -> None:
        """Hear one word, or none for a moment; write the state when it is due."""
        word = self._broker.next_word(WAIT_SECONDS)
        if word is not None:
            self._heed(word)
        if self._is_connected and self._is_due():
            self._tell_state()

    def close(self) -> None:
        """Let go of the database."""
        self._news.close()

    def _heed(self, word: Word) -> None:
        if word.what == LOST:
            self._lose(word.text)
        elif word.what == COMMAND:
            self._carry_out(word.text)
        elif word.what in (CONNECTED, BORN):
            if word.what == CONNECTED:
                get_logger().info("connected to the MQTT broker", host=self._mqtt.host)
            self._is_connected, self._fault = True, ""
            self._introduce()

    def _lose(self, reason: str) -> None:
        """Told once until it is connected again: tries go on in the background, ever later."""
        self._is_connected = False
        if reason != self._fault:
            self._fault = reason
            get_logger().warning("the MQTT broker cannot be reached; it is tried again", reason=reason)

    def _introduce(self) -> None:
        topics = self._broker.topics
        self._broker.put(topics.discovery, json.dumps(discovery(self._mqtt, STATUSES)), retain=True)
        self._broker.put(topics.availability, ONLINE, retain=True)
        self._told = {}
        self._tell_state()

    def _is_due(self) -> bool:
        age = time.monotonic() - self._read_at
        return age >= STILL_SECONDS or (age >= NEWS_SECONDS and self._news.has_come())

    def _tell_state(self) -> None:
        state = self._home.read(self._container.services, config_facts_of(self._container))
        self._read_at = time.monotonic()
        if {**state, MOMENT: ""} != {**self._told, MOMENT: ""}:
            self._broker.put(self._broker.topics.state, json.dumps(state), retain=True)
            self._told = state

    def _carry_out(self, command: str) -> None:
        services, path = self._container.services, self._container.store.path
        try:
            answer = jobs.carry_out(services, path, command)
        except MediaPipelineError as error:
            answer = str(error)
            get_logger().info("a command by MQTT was not carried out", command=command, why=answer)
        self._broker.put(self._broker.topics.answer, text(answer), retain=False)
        self._home = HomeState()
        self._tell_state()
