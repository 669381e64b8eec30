"""A settings file that a store has loaded."""

from __future__ import annotations

from pathlib import Path

from app.config.store import ConfigStore


def stored(folder: Path, text: str) -> ConfigStore:
    """The store of a file with this text, loaded once, whatever the environment says."""
    path = folder / "config.yaml"
    path.write_text(text)
    found = ConfigStore(str(path), {})
    found.load()
    return found
