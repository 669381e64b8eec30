"""What app stores read: checked against the rules of each, and against compose.yaml."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
import yaml

from tests.packaging.portainer_schema import PORTAINER

ROOT = Path(__file__).resolve().parents[2]
VERSION = "1.2.3"


def script(name: str, *arguments: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, f"scripts/release/{name}.py", *arguments],
        cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    script("templates", VERSION, str(folder))
    return folder


@pytest.fixture
def unraid(made: Path) -> ElementTree.Element:
    return ElementTree.parse(made / "unraid-media-pipeline.xml").getroot()


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def test_no_mark_is_left_and_other_names_can_be_put_in(tmp_path: Path, made: Path) -> None:
    names = {"MEDIA_PIPELINE_PUBLIC_IMAGE": "fork/photos", "MEDIA_PIPELINE_PUBLIC_REPOSITORY": "fork/code"}
    script("templates", VERSION, str(tmp_path), **names)
    for path in tmp_path.iterdir():
        if path.suffix == ".png":
            continue
        text = path.read_text()
        assert re.findall(r"@[A-Z]+@", text) == []
        assert "mediapipeline" not in text
        assert "github.com/media-pipeline" not in text
        assert "fork/" in text
        assert "fork/" not in (made / path.name).read_text()


def test_the_public_names_stand_in_no_template() -> None:
    for path in sorted((ROOT / "docker").glob("*/*")):
        assert "mediapipeline/media-pipeline" not in path.read_text(), path
        assert "github.com/media-pipeline" not in path.read_text(), path


def test_the_icon_is_a_square_picture(made: Path) -> None:
    head = (made / "icon.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", head[16:24]) == (512, 512)


def test_the_unraid_template_has_what_community_applications_asks_for(unraid: ElementTree.Element) -> None:
    assert unraid.tag == "Container"
    assert unraid.get("version") == "2"
    found = {child.tag: child.text or "" for child in unraid if child.tag != "Config"}
    for name in (
        "Repository",
        "Registry",
        "Support",
        "Project",
        "Overview",
        "Category",
        "WebUI",
        "Icon",
        "TemplateURL",
    ):
        assert found[name], name
    assert not {"Networking", "Data", "Environment", "Labels", "DateInstalled"} & found.keys()
    assert re.fullmatch(r"[a-z0-9-]+", found["Name"])
    assert found["Network"] == "bridge"
    assert found["Category"] == "MediaApp:Photos Backup: Tools:Utilities"


def test_each_entry_of_the_unraid_template_is_well_formed(unraid: ElementTree.Element) -> None:
    attributes = {"Name", "Target", "Default", "Mode", "Description", "Type", "Display", "Required", "Mask"}
    modes = {"Path": {"rw", "ro"}, "Port": {"tcp", "udp"}, "Variable": {""}}
    targets = []
    for entry in unraid.findall("Config"):
        assert set(entry.keys()) == attributes
        assert entry.get("Mode") in modes[entry.get("Type", "")]
        assert entry.get("Display") in {"always", "advanced"}
        assert {entry.get("Required"), entry.get("Mask")} <= {"true", "false"}
        if "|" not in entry.get("Default", ""):
            assert (entry.text or "") == entry.get("Default")
        targets.append((entry.get("Type"), entry.get("Target")))
    assert len(targets) == len(set(targets))
    port = re.search(r"\[PORT:(\d+)\]", unraid.findtext("WebUI", ""))
    assert port
    assert ("Port", port[1]) in targets
    assert [target for kind, target in targets if kind == "Path"] == ["/config", "/media"]


def test_secrets_of_the_unraid_template_are_masked_and_its_variables_are_known(unraid: ElementTree.Element) -> None:
    from app.config.schema import Config

    for entry in unraid.findall("Config[@Type='Variable']"):
        target = entry.get("Target", "")
        assert (entry.get("Mask") == "true") == target.endswith("API_KEY"), target
        if target.startswith("MEDIA_PIPELINE_"):
            section, key = target.removeprefix("MEDIA_PIPELINE_").lower().split("__")
            model: Any = Config.model_fields[section].annotation
            assert key in model.model_fields, target


def test_unraid_gives_the_worker_as_long_to_stop_as_compose_does(unraid: ElementTree.Element) -> None:
    grace = compose()["services"]["media-pipeline"]["stop_grace_period"].removesuffix("s")
    assert f"--stop-timeout={grace}" in unraid.findtext("ExtraParams", "").split()


def test_the_profile_for_community_applications_is_whole(made: Path) -> None:
    profile = ElementTree.parse(made / "ca_profile.xml").getroot()
    assert profile.tag == "CommunityApplications"
    assert all(profile.findtext(name) for name in ("Profile", "Icon", "WebPage", "Forum"))


def test_portainers_templates_follow_its_schema(made: Path) -> None:
    templates = json.loads((made / "portainer-templates.json").read_text())
    jsonschema_rs.validate(PORTAINER, templates)
    stack, alone = templates["templates"]
    assert (stack["type"], alone["type"]) == (3, 1)
    assert (ROOT / stack["repository"]["stackfile"]).is_file()
    assert alone["image"] == "mediapipeline/media-pipeline:latest"


def test_portainers_schema_refuses_a_template_that_has_no_title(made: Path) -> None:
    templates = json.loads((made / "portainer-templates.json").read_text())
    del templates["templates"][0]["title"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(PORTAINER, templates)


def test_portainers_stack_is_made_of_the_compose_file() -> None:
    assert (ROOT / "docker/portainer/stack.yaml").read_text() == script("stacks", "portainer"), (
        "compose.yaml has changed: python scripts/release/stacks.py portainer >docker/portainer/stack.yaml"
    )


def test_portainers_stack_differs_from_the_compose_file_only_in_image_and_photos() -> None:
    stack = yaml.safe_load((ROOT / "docker/portainer/stack.yaml").read_text())
    project = compose()
    for services in (stack["services"], project["services"]):
        for key in ("build", "image"):
            services["media-pipeline"].pop(key, None)
        for service in services.values():
            service["volumes"] = [re.sub(r"^\$\{MEDIA_DIR:[^}]*\}", "photos", volume) for volume in service["volumes"]]
    assert stack == project


def test_portainer_asks_for_every_variable_that_has_no_default() -> None:
    templates = json.loads((ROOT / "docker/portainer/templates.json").read_text())
    text = (ROOT / "docker/portainer/stack.yaml").read_text()
    asked = {each["name"] for each in templates["templates"][0]["env"]}
    assert set(re.findall(r"\$\{(\w+):\?", text)) <= asked
    assert asked <= set(re.findall(r"\$\{(\w+):", text))
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    for each in templates["templates"][0]["env"]:
        if "default" in each and each["name"] in defaults:
            assert each["default"] == defaults[each["name"]]


def test_the_app_for_casaos_has_what_its_store_asks_for(made: Path) -> None:
    app = yaml.safe_load((made / "casaos-compose.yaml").read_text())
    about = app["x-casaos"]
    assert re.fullmatch(r"[a-z0-9_-]+", app["name"])
    assert about["main"] in app["services"]
    assert set(about["architectures"]) == {"amd64", "arm64"}
    for name in ("author", "category", "developer", "icon", "thumbnail", "index", "scheme"):
        assert about[name], name
    for name in ("title", "tagline", "description"):
        assert about[name]["en_US"], name
    published = {port["published"] for port in app["services"][about["main"]]["ports"]}
    assert about["port_map"] in published
    assert app["services"]["media-pipeline"]["image"] == f"mediapipeline/media-pipeline:{VERSION}"


def test_the_app_for_casaos_keeps_everything_in_folders_that_are_seen_there(made: Path) -> None:
    text = (made / "casaos-compose.yaml").read_text()
    app = yaml.safe_load(text)
    for name, service in app["services"].items():
        for volume in service["volumes"]:
            assert volume["source"].startswith("/DATA/")
        told = service["x-casaos"]
        assert [each["container"] for each in told["volumes"]] == [each["target"] for each in service["volumes"]]
        assert [each["container"] for each in told["ports"]] == [str(each["target"]) for each in service["ports"]]
        assert all(each["container"] in service["environment"] for each in told["envs"]), name
    assert set(re.findall(r"\$\{?(\w+)", text)) <= {"PUID", "PGID", "TZ", "AppID"}


def test_the_app_for_casaos_has_the_services_and_mounts_of_the_compose_file(made: Path) -> None:
    app = yaml.safe_load((made / "casaos-compose.yaml").read_text())
    for name, service in compose()["services"].items():
        mine = app["services"][name]
        assert list(mine["environment"]) == list(service["environment"])
        assert [volume["target"] for volume in mine["volumes"]] == [
            each.split(":", 1)[1].removesuffix(":ro").split(":")[-1] for each in service["volumes"]
        ]
        kept = service.keys() - {"build", "image", "environment", "ports", "volumes"}
        assert {key: mine[key] for key in kept} == {key: service[key] for key in kept}
