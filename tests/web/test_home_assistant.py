"""What docs/home-assistant.md gives to paste for REST: templates, ids, addresses and commands fit the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from app.overview.home import NEVER
from tests.browser import rows
from tests.web.conftest import KEY, Site
from tests.web.example_requests import EXAMPLES
from tests.web.home_assistant_docs import (
    SERVER,
    automations,
    blocks,
    named_entities,
    package,
    rendered,
    rest_entities,
)
from tests.web.record_examples import filled
from tests.web.scenario import Scene

#: What Home Assistant sends, and what it does not: no Origin, no Referer.
CALL = {"User-Agent": "HomeAssistant/2026.11.0 aiohttp/3.13.2", "Content-Type": "application/octet-stream"}


def test_the_state_needs_the_key_and_takes_it_as_the_documented_header(locked: Site) -> None:
    (asked,) = package()["rest"]
    assert asked["resource"] == f"{SERVER}/api/ha/state"
    (header,) = asked["headers"]
    assert locked.client().get("/api/ha/state").status_code == 401
    assert locked.client().get("/api/ha/state", headers={header: KEY} | CALL).status_code == 200


@pytest.mark.parametrize("is_busy", [False, True])
def test_every_entity_of_the_package_gets_a_value_that_fits_its_class(
    make_site: Callable[..., Site], is_busy: bool
) -> None:
    site = make_site(sync={"target": "syncthing"}, syncthing={"folder_id": "photos"})
    if is_busy:
        rows.fill(site.services)
        rows.add_syncing_batch(site.services)
    found = site.client().get("/api/ha/state").json
    for entity_id, entity in rest_entities().items():
        value = rendered(entity["value_template"], found)
        if entity_id.startswith("binary_sensor."):
            assert value in ("True", "False"), entity_id
        elif entity.get("device_class") == "timestamp":
            assert datetime.fromisoformat(value).utcoffset() is not None, entity_id
            shown = rendered(entity["availability"], found)
            assert shown == str(value != NEVER), entity_id
        elif "unit_of_measurement" in entity:
            float(value)
        assert value not in ("", "None"), entity_id


def test_every_entity_and_command_has_an_id_of_its_own_and_the_blocks_name_no_other() -> None:
    ids = [entity["unique_id"] for entity in rest_entities().values()]
    assert len(ids) == len(set(ids))
    assert named_entities(blocks("REST")) <= set(rest_entities())
    commands = {f"rest_command.{name}" for name in package()["rest_command"]}
    assert automations("REST")
    called = {action["action"] for one in automations("REST") for action in one["actions"]}
    assert {name for name in called if name.startswith("rest_command.")} <= commands


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


#: What holds before a command that needs a run in flight.
SITUATIONS = {"pause": "a run is in flight"}


@pytest.mark.parametrize("name", package()["rest_command"])
def test_a_command_of_the_package_is_taken_as_home_assistant_sends_it(scene: Scene, name: str) -> None:
    client = scene.open(SITUATIONS.get(name.removeprefix("media_pipeline_"), ""))
    scene.is_touched = True
    found = client.get("/api/ha/state").json
    entities = rest_entities()
    command = package()["rest_command"][name]
    assert command["method"] == "post" and command["headers"] == package()["rest"][0]["headers"]
    url = rendered(command["url"], found, states=lambda entity: rendered(entities[entity]["value_template"], found))
    assert url.startswith(SERVER)
    answer = client.post(url.removeprefix(SERVER), data=b"", headers=CALL)
    assert answer.status_code in ((409,) if name.endswith("_batch") else (201, 202)), answer.text


def test_every_action_is_among_the_commands() -> None:
    names = {name.removeprefix("media_pipeline_") for name in package()["rest_command"]}
    assert names == {
        "run", "dedup", "batch", "sync", "sort", "cleanup", "pause", "resume", "cancel", "verify", "backup",
        "refresh_sync",
    }  # fmt: skip


def test_a_command_without_a_run_or_batch_to_act_on_changes_nothing(client: FlaskClient) -> None:
    for path in ("/api/runs/0/pause", "/api/runs/unknown/cancel", "/api/workflow/sync/0", "/api/workflow/sort/unknown"):
        assert client.post(path, data=b"", headers=CALL).status_code in (404, 422), path


def routes_without_need_of_a_body(scene: Scene) -> list[str]:
    document = scene.open().get("/openapi.json").json
    return [
        route
        for route, example in EXAMPLES.items()
        if route.startswith("POST ") and example.status < 300
        and not document["paths"][route.removeprefix("POST ")]["post"].get("requestBody", {}).get("required")
    ]  # fmt: skip


def test_every_action_takes_an_empty_body_of_a_type_that_says_nothing(scene: Scene) -> None:
    routes = routes_without_need_of_a_body(scene)
    assert len(routes) > 20
    for route in routes:
        example = EXAMPLES[route]
        client = scene.open(example.situation)
        scene.is_touched = True
        address = route.removeprefix("POST ")
        for name, value in example.path.items():
            address = address.replace(f"{{{name}}}", str(filled(client, value)))
        answer = client.post(address, query_string=example.query, data=b"", headers=CALL)
        assert answer.status_code not in (400, 415, 422, 500), (route, answer.text)
