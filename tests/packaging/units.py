"""Configurations and units for the tests, made by the scripts that users have."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def configuration(folder: Path, place: str, *settings: str, media: str = "media") -> Path:
    """A configuration in `folder` for an installation whose folders lie in `place`."""
    path = folder / "etc" / "config.yaml"
    chosen = [part for setting in settings for part in ("--set", setting)]
    python(
        "scripts/write_config.py", str(path), "--media", f"{place}/{media}", "--state", f"{place}/state",
        "--set", "system.bind_host=127.0.0.1", *chosen,
    )  # fmt: skip
    return path


def rendered(config: Path, into: Path, user: str = "media", install_dir: str = str(ROOT)) -> dict[str, str]:
    """Unit -> text, as scripts/system_units.py writes them."""
    python(
        "scripts/system_units.py", "--install-dir", install_dir, "--user", user, "--config", str(config),
        "--into", str(into), "--python", sys.executable,
    )  # fmt: skip
    return {path.name: path.read_text() for path in into.iterdir()}
