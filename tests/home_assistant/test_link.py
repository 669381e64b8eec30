"""Home Assistant by MQTT over a real broker: the device appears, tells the state, takes commands, and goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.config.mqtt import Mqtt
from app.db import journal, runs
from app.home_assistant.discovery import discovery
from app.home_assistant.topics import Topics
from app.jobs.commands import COMMANDS
from app.model import Run, RunStatus
from app.overview.home.work import STATUSES
from tests.browser import rows
from tests.home_assistant.conftest import linked
from tests.home_assistant.mosquitto import Ear, Mosquitto, until
from tests.home_assistant.rules import faults, is_taken, shown
from tests.web.conftest import Site
from tests.web.home_assistant_docs import documented_keys, slug

CONFIG = "homeassistant/device/media_pipeline/config"
AVAILABILITY, STATE = "media_pipeline/availability", "media_pipeline/state"
PROGRAM = Path(__file__).resolve().parents[2]


def runs_of(site: Site) -> list[Run]:
    with site.services.db.reading() as conn:
        return runs.list_recent(conn)


def components(ear: Ear) -> dict[str, dict[str, Any]]:
    return dict(json.loads(ear.last[CONFIG])["cmps"])


def test_one_message_makes_the_whole_device_as_home_assistant_wants_it(home: Site, ear: Ear) -> None:
    message = json.loads(ear.last[CONFIG])
    assert faults(CONFIG, message) == []
    assert {"sensor", "binary_sensor", "button", "switch"} == {one["p"] for one in message["cmps"].values()}
    assert (message["avty_t"], message["stat_t"]) == (AVAILABILITY, STATE)
    assert ear.last[AVAILABILITY] == "online"


def test_the_state_has_the_documented_keys_and_every_entity_gets_a_value_from_it(home: Site, ear: Ear) -> None:
    assert set(ear.state()) == set(documented_keys())
    for is_busy in (False, True):
        if is_busy:
            rows.fill(home.services)
            rows.add_syncing_batch(home.services)
            rows.start_run(home.services)
            until(lambda: ear.state()["files"] > 0 and ear.state()["run_id"] > 0, "the state follows the rows")
        for key, one in components(ear).items():
            if "value_template" in one and "state_topic" not in one:
                assert is_taken(one, shown(one, ear.last[STATE])), key
    assert shown(components(ear)["files_waiting"], ear.last[STATE]) == "1400"


@pytest.mark.parametrize("prefix", ["media_pipeline", "photos/attic", "Two-Words"])
def test_entity_ids_follow_from_names_also_where_only_names_count(prefix: str) -> None:
    mqtt = Mqtt(host="b", prefix=prefix)
    message = discovery(mqtt, STATUSES)
    assert faults(Topics(mqtt).discovery, message) == []
    for one in message["cmps"].values():
        named = slug(f"{message['dev']['name']} {one['name']}")
        assert one["default_entity_id"] == f"{one['p']}.{named}"


def test_who_comes_later_finds_the_device_its_state_and_nothing_else(home: Site, ear: Ear, broker: Mosquitto) -> None:
    ear.command("nonsense")
    with Ear(broker.port) as late:
        until(lambda: len(late.last) >= 3, "what is retained comes")
        assert set(late.last) == late.retained == {CONFIG, AVAILABILITY, STATE}


def test_the_device_is_told_again_when_home_assistant_starts(home: Site, ear: Ear) -> None:
    ear.last.clear()
    ear.say("homeassistant/status", "online")
    until(lambda: {CONFIG, AVAILABILITY, STATE} <= set(ear.last), "all is told again")
    assert faults(CONFIG, json.loads(ear.last[CONFIG])) == []


def test_every_command_has_a_button_or_is_the_switchs(home: Site, ear: Ear) -> None:
    found = components(ear)
    assert {one["command_topic"] for one in found.values() if "command_topic" in one} == {"media_pipeline/command"}
    pressed = {one["payload_press"] for one in found.values() if one["p"] == "button"}
    assert (found["pause"]["payload_on"], found["pause"]["payload_off"]) == ("pause", "resume")
    assert pressed | {"pause", "resume"} == set(COMMANDS)


def test_a_run_is_started_paused_resumed_and_cancelled_from_home(home: Site, ear: Ear) -> None:
    switch = components(ear)["pause"]
    assert ear.command("run") == "The whole workflow was started (run 1)."
    with home.services.db.reading() as conn:
        assert journal.list_events(conn, kind_prefix="run.requested", limit=1)[0].detail["actor"] == "mqtt"
    until(lambda: ear.state()["status"] == "queued", "the run is told")
    assert ear.command("verify") == "Run 1 is queued; wait for it to end or cancel it."
    ear.command(switch["payload_on"])
    until(lambda: shown(switch, ear.last[STATE]) == "ON", "the switch is on")
    ear.command(switch["payload_off"])
    until(lambda: shown(switch, ear.last[STATE]) == "OFF", "the switch is off")
    ear.command("cancel")
    until(lambda: ear.state()["status"] == "idle", "the run has ended")
    assert [(run.id, run.status) for run in runs_of(home)] == [(1, RunStatus.CANCELLED)]


def test_what_is_said_without_a_meaning_or_a_run_is_answered_and_changes_nothing(home: Site, ear: Ear) -> None:
    before = ear.state()
    assert ear.command("pause") == "There is no run to act on."
    assert ear.command("sync") == "There is no batch for that: The delivery found none."
    assert ear.command("x" * 5_000).startswith("There is no command xxx")
    assert len(ear.last["media_pipeline/answer"]) <= 255
    assert runs_of(home) == [] and ear.state() == before


def test_a_command_that_somebody_left_at_the_broker_is_not_carried_out(
    tmp_path: Path, broker: Mosquitto, ear: Ear, make_home: Callable[..., Site]
) -> None:
    ear.say("media_pipeline/command", "run", retain=True)
    home = make_home()
    assert ear.command("refresh_sync") == "No delivery is under way, so there is nothing to look at."
    assert runs_of(home) == []


def test_a_broker_that_was_killed_gets_everything_again(home: Site, ear: Ear, broker: Mosquitto) -> None:
    broker.kill()
    ear.last.clear()
    broker.start()
    until(lambda: {CONFIG, AVAILABILITY, STATE} <= set(ear.last), "all is told again", 90)
    assert ear.last[AVAILABILITY] == "online"
    assert ear.command("run") == "The whole workflow was started (run 1)."


def test_a_link_that_ends_says_so_and_leaves_the_device(tmp_path: Path, broker: Mosquitto, ear: Ear) -> None:
    site = Site(tmp_path, mqtt={"host": "127.0.0.1", "port": broker.port})
    with linked(site):
        until(ear.state, "the state is told")
    until(lambda: ear.last[AVAILABILITY] == "offline", "it is offline")
    assert ear.last[CONFIG] and ear.last[STATE]
    site.services.close()


def test_where_mqtt_is_switched_off_nothing_is_left_at_the_broker(home: Site, ear: Ear, broker: Mosquitto) -> None:
    home.container.store.save_partial({"mqtt": {"host": ""}}, "anna")
    until(lambda: ear.last[CONFIG] == ear.last[STATE] == ear.last[AVAILABILITY] == "", "the device is taken away")
    with Ear(broker.port) as late:
        late.say("marker", "x")
        until(lambda: "marker" in late.last, "the marker comes")
        assert set(late.last) == {"marker"}


def test_under_another_prefix_the_old_device_goes_and_the_new_one_comes(home: Site, ear: Ear) -> None:
    home.container.store.save_partial({"mqtt": {"prefix": "attic"}}, "anna")
    until(lambda: ear.state("attic"), "the new state is told")
    assert ear.last[CONFIG] == "" and ear.last["homeassistant/device/attic/config"]
    assert ear.command("dedup", "attic") == "The search for duplicates was started (run 1)."


def test_paho_is_not_loaded_where_no_broker_is_named() -> None:
    told = "import sys, worker.service, app.web; print([name for name in sys.modules if name.startswith('paho')])"
    environment = os.environ | {"PYTHONPATH": str(PROGRAM)}
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
