"""The engine that the tests of this folder need, and the image that they share."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.container.stack import IMAGE, ROOT, docker

ENGINE = ROOT.parent / "shared" / "tools" / "docker-engine"


def engine_answers() -> bool:
    """Whether a Docker engine can be used."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image, built from this checkout."""
    if not engine_answers():
        assert ENGINE.exists(), "these tests need a Docker engine"
        subprocess.run([ENGINE], check=True)
    revision = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    labels = ("--build-arg", "VERSION=1.2.3", "--build-arg", f"REVISION={revision}")
    docker("build", "-q", "-t", IMAGE, *labels, str(ROOT))
    return IMAGE
