"""How large an image is, by its layers."""

from __future__ import annotations

import re

from tests.container.stack import ROOT, docker

UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def own_layers_mb(image: str) -> float:
    """The size of every layer above the base image, in MB (1,000,000 bytes)."""
    base = len(docker("history", "-q", base_image()).split())
    sizes = docker("history", "--format", "{{.Size}}", image).split()
    found = [re.fullmatch(r"([\d.]+)(\w+)", size) for size in sizes[:-base]]
    return sum(float(size[1]) * UNITS[size[2]] for size in found if size)


def base_image() -> str:
    """The public image that ours is built on, as the Dockerfile names it."""
    named = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert named is not None
    return named[1]
