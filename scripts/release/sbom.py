"""Prints what a release is made of as a CycloneDX 1.6 document: the pinned Python packages and browser libraries.

    sbom.py VERSION      run by a Python that has requirements.txt installed: it knows what each package brings

Only packages that the program needs at run time are named, each with the version that is pinned here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from importlib import metadata
from typing import Any

from names import ROOT, public_names
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: Pinned in requirements.txt so that an installation can be checked; the program does not import it.
NOT_AT_RUN_TIME = {"pytest"}


def wanted() -> list[Requirement]:
    """The direct requirements of the program."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    return [each for each in found if each.name not in NOT_AT_RUN_TIME]


def pins() -> dict[str, str]:
    """Canonical name -> pinned version, of requirements.txt and constraints.txt."""
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "constraints.txt"))
    pairs = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)$", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


def python_packages() -> dict[str, list[str]]:
    """Canonical name -> what it needs, for the direct requirements and all that they bring."""
    found: dict[str, list[str]] = {}
    waiting = wanted()
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, [])
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            brought = [each for each in needs(name) if is_brought(each, extra)]
            found[name] += [canonicalize_name(each.name) for each in brought]
            waiting += brought
    return found


def needs(name: str) -> list[Requirement]:
    """What an installed package says it needs."""
    return [Requirement(text) for text in metadata.requires(name) or []]


def is_brought(requirement: Requirement, extra: str) -> bool:
    """Whether pip installs it here for this extra ("" = none); one without an extra only once."""
    if requirement.marker is None:
        return extra == ""
    here = requirement.marker.evaluate({"extra": extra})
    return here and (extra == "" or not requirement.marker.evaluate({"extra": ""}))


def python_component(name: str, version: str) -> dict[str, Any]:
    """One package of PyPI."""
    purl = f"pkg:pypi/{name}@{version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    licence = metadata.metadata(name).get("License-Expression")
    if licence:
        component["licenses"] = [{"expression": licence}]
    return component


def browser_components() -> list[dict[str, Any]]:
    """The libraries in package-lock.json that are shipped."""
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = []
    for path, entry in sorted(locked.items()):
        if not path or entry.get("dev"):
            continue
        name = path.removeprefix("node_modules/")
        purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
        found.append(
            {"type": "library", "bom-ref": purl, "name": name, "version": entry["version"], "purl": purl}
            | {"licenses": [{"expression": entry["license"]}]}
        )
    return found


def document(version: str, commit: str, written_at: str) -> dict[str, Any]:
    """The whole document; the same for the same commit."""
    names = public_names()
    pinned = pins()
    packages = python_packages()
    unpinned = sorted(packages.keys() - pinned.keys())
    if unpinned:
        sys.exit(f"sbom.py: not pinned in constraints.txt: {', '.join(unpinned)}")
    refs = {name: f"pkg:pypi/{name}@{pinned[name]}" for name in packages}
    browser = browser_components()
    own = f"pkg:github/{names.repository}@v{version}"
    direct = [refs[canonicalize_name(each.name)] for each in wanted()] + [each["bom-ref"] for each in browser]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{own}#{commit}')}",
        "version": 1,
        "metadata": {
            "timestamp": written_at,
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "media-pipeline",
                "version": version,
                "purl": own,
                "licenses": [{"expression": "MIT"}],
            },
        },
        "components": [python_component(name, pinned[name]) for name in sorted(packages)] + browser,
        "dependencies": [{"ref": own, "dependsOn": sorted(direct)}]
        + [
            {"ref": refs[name], "dependsOn": sorted({refs[each] for each in packages[name]})}
            for name in sorted(packages)
        ]
        + [{"ref": each["bom-ref"]} for each in browser],
    }


def main() -> None:
    """Print it."""
    command = ["git", "log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
    print(json.dumps(document(sys.argv[1], *told.split()), indent=2))


if __name__ == "__main__":
    main()
