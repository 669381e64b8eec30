"""Writes what app stores and NAS systems read into a folder: templates with the public names filled in, and the icon.

templates.py VERSION FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import resvg_py
from names import ROOT, public_names
from stacks import casaos_app

#: Template in docker/ -> name among the files of a release.
FILLED = {
    "unraid/media-pipeline.xml": "unraid-media-pipeline.xml",
    "unraid/ca_profile.xml": "ca_profile.xml",
    "portainer/templates.json": "portainer-templates.json",
}
ICON_PIXELS = 512


def main(version: str, folder: Path) -> None:
    """Write every file."""
    names = public_names()
    folder.mkdir(parents=True, exist_ok=True)
    for source, target in FILLED.items():
        text = (ROOT / "docker" / source).read_text(encoding="utf-8")
        (folder / target).write_text(names.fill(text), encoding="utf-8")
    (folder / "casaos-compose.yaml").write_text(casaos_app(version), encoding="utf-8")
    drawing = (ROOT / "docker/unraid/icon.svg").read_text(encoding="utf-8")
    picture = resvg_py.svg_to_bytes(svg_string=drawing, width=ICON_PIXELS, height=ICON_PIXELS)
    (folder / "icon.png").write_bytes(bytes(picture))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
