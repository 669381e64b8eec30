"""A container of today on the volumes of an earlier version: nothing is lost, and work goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.container.stack import ROOT, Stack, drop_demo_library, new_stack, started

# Builds a second image, from the history of the repository; a checkout without history cannot.
pytestmark = [pytest.mark.container, pytest.mark.torture, pytest.mark.timeout(1800)]

#: The first version that had an image; its database has schema 0002.
EARLIER = "cfa94f8"
EARLIER_IMAGE = "media-pipeline:earlier"


@pytest.fixture
def earlier(image: str, tmp_path: Path) -> Iterator[Stack]:
    """The earlier version, started by its own compose.yaml."""
    del image
    source = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["docker", "build", "-q", "-t", EARLIER_IMAGE, "-"], input=source, check=True, capture_output=True)
    compose = tmp_path / "compose.yaml"
    compose.write_bytes(
        subprocess.run(["git", "show", f"{EARLIER}:compose.yaml"], cwd=ROOT, capture_output=True, check=True).stdout
    )
    media = tmp_path / "media"
    media.mkdir()
    with started(replace(new_stack(media, MEDIA_PIPELINE_IMAGE=EARLIER_IMAGE), files=(compose,))) as up:
        yield up


def test_the_data_of_an_earlier_image_is_taken_over(earlier: Stack, image: str) -> None:
    drop_demo_library(earlier.media / "ingest")
    assert earlier.run_workflow(240)["status"] == "done"
    archived = {path.relative_to(earlier.media): path.read_bytes() for path in files(earlier.media / "archive")}
    assert len(archived) > 10

    earlier.compose("down", "--timeout", "60")
    now = replace(earlier, files=new_stack(earlier.media).files)
    now.environment["MEDIA_PIPELINE_IMAGE"] = image
    now.compose("up", "-d")
    now.wait_until_healthy()
    balance = now.ask("/api/workflow/overview")["balance"]
    lines = {line["key"]: line["files"] for line in balance["lines"]}
    assert balance["adds_up"] and lines["archived"] > 10, lines

    drop_demo_library(now.media / "ingest" / "again")
    assert now.run_workflow(240)["status"] == "done"
    for path, content in archived.items():
        assert (now.media / path).read_bytes() == content
    after = {line["key"]: line["files"] for line in now.ask("/api/workflow/overview")["balance"]["lines"]}
    assert after["duplicate"] > lines["duplicate"], after


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
