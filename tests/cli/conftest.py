"""A machine to call the command line on: in this process, or as the program that a person starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli import run
from app.config.store import ConfigStore
from app.services import Services, set_up
from tests.conftest import make_config

HOME = Path(__file__).resolve().parents[2]


def write_config(base: Path, **changes: Any) -> Path:
    """A configuration file whose folders lie under `base`."""
    path = base / "config.yaml"
    path.write_text(yaml.safe_dump(make_config(base, **changes).model_dump(mode="json")))
    return path


class Machine:
    """A configuration file, its services, and ways to call the command line on it."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> None:
        self.base, self.capsys = base, capsys
        self.config_path = write_config(base, **changes)
        self.services: Services = set_up(ConfigStore(str(self.config_path)).load())

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of a call in this process."""
        self.capsys.readouterr()
        code = run(["--config", str(self.config_path), *arguments])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """(exit code, the one JSON document that was printed)."""
        code, out, _ = self.call(*arguments, "--json")
        return code, json.loads(out)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment that a started program gets."""
        return {**environment_for(self.config_path), **more}

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
        """The program as a person starts it; its output can be read from pipes."""
        return start(self.config_path, *arguments, **more)


def environment_for(config_path: Path) -> dict[str, str]:
    """The environment of a program that works on this configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
    return {**kept, "MEDIA_PIPELINE_CONFIG": str(config_path), "PYTHONPATH": str(HOME)}


def start(config_path: Path, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """The program as a person starts it; its output can be read from pipes."""
    # It hears Control-C as in a terminal, also where the tests were started in the background, deaf to it.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "app.cli", *arguments]
    usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    given = {"env": environment_for(config_path), "cwd": config_path.parent, **usual, **more}
    return subprocess.Popen(command, **given)


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    found = Machine(tmp_path, capsys)
    yield found
    found.services.close()
