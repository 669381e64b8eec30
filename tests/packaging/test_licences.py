"""Whatever comes with the program, or is needed to work on it, may be used together with our own licence, MIT."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"))
PACKAGES = sorted({canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", PINNED, re.M)})

#: They ask for a notice, or, as MPL does, for changes to their own files to be published.
PERMISSIVE = re.compile(r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|CC0|Zlib|BlueOak)\b", re.I)
#: They ask more of whoever passes them on.
DEMANDING = re.compile(r"\b(A?GPL|LGPL|SSPL|BUSL|Affero|Lesser General Public|General Public)", re.IGNORECASE)
#: What the licences that declare nothing of their kind say in full.
MIT_TEXT = "permission is hereby granted, free of charge"

#: Demanding, and why they may be used all the same.
EXPLAINED = {
    "dramatiq": "LGPL: used unchanged, as a package of its own that anybody can replace",
    "pi-heif": "BSD itself; its wheel brings libheif (LGPL) as a library of its own that anybody can replace",
}


def declared(name: str) -> str:
    """All that a package says of its licence."""
    about = metadata.metadata(name)
    kinds = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License")]
    return " / ".join(filter(None, [about.get("License-Expression"), (about.get("License") or "")[:200], *kinds]))


def has_mit_text(name: str) -> bool:
    """Whether a file of the package is the MIT licence."""
    files = [file for file in metadata.files(name) or [] if "LICEN" in file.name.upper()]
    return any(MIT_TEXT in " ".join(file.read_text().lower().split()) for file in files)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_python_package_has_a_licence_that_fits(name: str) -> None:
    said = declared(name)
    if name in EXPLAINED:
        assert DEMANDING.search(said), f"{name} needs no explanation any more: {said}"
        return
    assert not DEMANDING.search(said), f"{name} is under {said}: explain it here, or do without it"
    assert PERMISSIVE.search(said) or has_mit_text(name), f"{name} says of its licence: {said or 'nothing'}"


def test_every_package_for_the_browser_has_a_licence_that_fits() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    said = {path: entry.get("license", "") for path, entry in packages.items() if path}
    assert len(said) >= 4
    assert {path: what for path, what in said.items() if DEMANDING.search(what) or not PERMISSIVE.search(what)} == {}
