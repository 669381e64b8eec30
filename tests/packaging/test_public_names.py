"""The public names stand in pyproject.toml; files that nothing fills in have to say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["media-pipeline"]
#: Where people, and the installer that was piped from curl, are sent to the releases and the source.
WITH_ADDRESSES = ("scripts/install.sh", "Dockerfile", "README.md", "docs/install.md", "docs/operations.md")
OUR_ADDRESS = re.compile(r"https://github\.com/([\w.-]+/media-pipeline)\b")


def only(pattern: str, file: str) -> str:
    """What the pattern's group matches in the file, where it matches exactly once."""
    (found,) = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"))
    return str(found)


def test_the_installer_fetches_releases_of_the_repository_that_pyproject_names() -> None:
    assert only(r"\$\{MEDIA_PIPELINE_PUBLIC_REPOSITORY:-([^}]*)\}", "scripts/install.sh") == NAMES["repository"]
    assert only(r"\$\{MEDIA_PIPELINE_RELEASES:-([^\n]*)\}\n", "scripts/install.sh") == (
        "https://github.com/$repository/releases"
    )


@pytest.mark.parametrize("file", WITH_ADDRESSES)
def test_every_address_of_ours_names_that_repository(file: str) -> None:
    assert set(OUR_ADDRESS.findall((ROOT / file).read_text(encoding="utf-8"))) == {NAMES["repository"]}


def test_compose_runs_the_image_that_pyproject_names() -> None:
    assert only(r"\$\{MEDIA_PIPELINE_IMAGE:-([^:}]*):latest\}", "compose.yaml") == NAMES["image"]
