"""What docs/home-assistant.md says of MQTT: topics, commands, rights and entity ids are the program's."""

from __future__ import annotations

import re

from app.config.mqtt import Mqtt
from app.config.parse import parse
from app.home_assistant.discovery import discovery
from app.home_assistant.topics import Topics
from app.jobs.commands import COMMANDS
from app.overview.home.work import STATUSES
from tests.web.home_assistant_docs import automations, blocks, named_entities, section

TOPICS = Topics(Mqtt())
#: Those that we write to, and those that we read.
WRITTEN = {TOPICS.discovery, TOPICS.availability, TOPICS.state, TOPICS.answer}
READ = {TOPICS.command, TOPICS.birth}
PATHS = "paths: {source_dir: /data/ingest, batch_dir: /data/batches, sorted_dir: /data/archive}\n"


def rows_of(table: str) -> list[str]:
    """What stands in the first column of the table with this heading there."""
    head = section("MQTT").partition(f"| {table} |")[2]
    return re.findall(r"^\| `([^`]+)` \|", head.partition("\n\n")[0], re.MULTILINE)


def test_each_topic_is_documented_but_home_assistants_own_and_no_other_is() -> None:
    assert sorted(rows_of("topic")) == sorted((WRITTEN | READ) - {TOPICS.birth})
    named = re.findall(r"\b(?:media_pipeline|homeassistant)/[\w/]+", section("MQTT").replace(".yaml", ""))
    assert set(named) <= WRITTEN | READ


def test_each_command_is_documented_and_no_other_is() -> None:
    assert sorted(rows_of("command")) == sorted(COMMANDS)


def test_the_access_list_has_the_rights_that_are_needed_and_no_other() -> None:
    rights = re.findall(r"^topic (\w+) (\S+)$", section("MQTT"), re.MULTILINE)
    assert {topic for way, topic in rights if way == "write"} == WRITTEN
    assert {topic for way, topic in rights if way == "read"} == READ
    assert len(rights) == len(WRITTEN | READ)


def test_the_settings_are_taken_as_they_stand_there() -> None:
    (found,) = [block for block in blocks("MQTT") if "mqtt" in block]
    words = "\n".join(f"  {key}: {value}" for key, value in found["mqtt"].items())
    assert parse(f"{PATHS}mqtt:\n{words}\n", {}).config.mqtt.host == "homeassistant.local"


def test_every_entity_in_the_blocks_is_made_by_discovery() -> None:
    made = {one["default_entity_id"] for one in discovery(Mqtt(), STATUSES)["cmps"].values()}
    named = named_entities(blocks("MQTT"))
    assert named <= made
    assert {"button.media_pipeline_run", "switch.media_pipeline_pause"} <= named


def test_what_the_blocks_do_is_what_there_is() -> None:
    assert len(automations("MQTT")) >= 3
    done = [action for one in automations("MQTT") for action in one["actions"]]
    pressed = [action["target"]["entity_id"] for action in done if action["action"] == "button.press"]
    assert pressed == ["button.media_pipeline_run"]
    (package,) = [block for block in blocks("MQTT") if "script" in block]
    said = [step["data"] for script in package["script"].values() for step in script["sequence"]]
    assert all(data["topic"] == TOPICS.command and data["payload"] in COMMANDS for data in said)
