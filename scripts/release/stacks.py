"""Makes Portainer's stack and CasaOS's app of compose.yaml, so that there is one description of the services.

stacks.py portainer              prints docker/portainer/stack.yaml, kept in the repository: Portainer clones it
stacks.py casaos VERSION         prints the app for CasaOS and ZimaOS, with the image of that version
"""

from __future__ import annotations

import re
import sys
from typing import Any

import yaml
from names import ROOT, public_names

HEADER = "# Made of compose.yaml by scripts/release/stacks.py; change that one and make this anew.\n"

#: `${NAME:-default}` as Compose knows it.
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")

#: What CasaOS fills in itself, and where the photos lie there.
CASAOS = {"PUID": "$PUID", "PGID": "$PGID", "TZ": "$TZ", "MEDIA_DIR": "/DATA/Gallery/media-pipeline"}
CASAOS_STATE = "/DATA/AppData/$AppID"


def services_to_pull() -> dict[str, Any]:
    """compose.yaml without what only a checkout can do: build."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    compose["services"]["media-pipeline"].pop("build")
    return compose


def replaced(node: Any, variables: dict[str, str]) -> Any:
    """The tree with `${NAME:-default}` replaced, for each name that is given, in every text of it."""
    if isinstance(node, dict):
        return {key: replaced(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [replaced(value, variables) for value in node]
    if isinstance(node, str):
        return VARIABLE.sub(lambda found: variables.get(found[1], found[0]), node)
    return node


def portainer_stack() -> str:
    """The stack: the template gives the image, and a folder relative to a clone would be lost with the clone."""
    needed = {
        "MEDIA_PIPELINE_IMAGE": "${MEDIA_PIPELINE_IMAGE:?the image to use}",
        "MEDIA_DIR": "${MEDIA_DIR:?the folder of the photos on this machine}",
    }
    return HEADER + as_yaml(replaced(services_to_pull(), needed))


def casaos_app(version: str) -> str:
    """The app: no variables but those that CasaOS fills in, folders instead of volumes, and what each one is."""
    names = public_names()
    metadata = yaml.safe_load(names.fill((ROOT / "docker/casaos/metadata.yaml").read_text(encoding="utf-8")))
    compose = services_to_pull()
    defaults = dict(VARIABLE.findall((ROOT / "compose.yaml").read_text(encoding="utf-8")))
    compose = replaced(compose, defaults | CASAOS)
    compose["services"]["media-pipeline"]["image"] = f"{names.image}:{version}"
    for name, service in compose["services"].items():
        service["ports"] = [published(port) for port in service["ports"]]
        service["volumes"] = [bound(volume) for volume in service["volumes"]]
        service["x-casaos"] = described(service, metadata["services"][name])
    compose.pop("volumes")
    return as_yaml({"name": "media-pipeline", **compose, "x-casaos": metadata["app"]})


def published(port: str) -> dict[str, Any]:
    """`8080:80/udp` in the long form that CasaOS reads."""
    outside, inside = port.split(":")
    target, _, protocol = inside.partition("/")
    return {"target": int(target), "published": outside, "protocol": protocol or "tcp"}


def bound(volume: str) -> dict[str, Any]:
    """`source:target:ro` in the long form; a named volume becomes a folder of the app."""
    source, target, *mode = volume.split(":")
    if not source.startswith("/"):
        source = f"{CASAOS_STATE}/{source}"
    return {"type": "bind", "source": source, "target": target} | ({"read_only": True} if mode == ["ro"] else {})


def described(service: dict[str, Any], texts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What CasaOS shows beside each port, folder and variable of a service."""
    return {
        "ports": [
            {"container": str(port["target"]), "description": {"en_US": texts["ports"][str(port["target"])]}}
            | ({"protocol": "udp"} if port["protocol"] == "udp" else {})
            for port in service["ports"]
        ],
        "volumes": [
            {"container": volume["target"], "description": {"en_US": texts["volumes"][volume["target"]]}}
            for volume in service["volumes"]
        ],
        "envs": [{"container": name, "description": {"en_US": text}} for name, text in texts["envs"].items()],
    }


def as_yaml(value: Any) -> str:
    """In the order in which it was written."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    print(portainer_stack() if sys.argv[1] == "portainer" else casaos_app(sys.argv[2]), end="")
