"""Showing settings: their values, and where each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.cli.context import Cli
from app.cli.saving import words
from app.config.document import read_document
from app.config.settings import Setting, all_sections, all_settings, get_path
from app.config.store import ConfigStore, Snapshot, masked
from app.errors import NotFound


def chosen_keys(key: str | None) -> list[str]:
    """The keys that a key or a section names; all of them without one. Raises NotFound."""
    paths = [path for path in all_settings() if key in (None, path) or path.startswith(f"{key}.")]
    if not paths:
        raise NotFound("setting", (key or "")[:64])
    return paths


def _source(snapshot: Snapshot, path: str) -> str:
    if path in snapshot.environment_keys:
        return snapshot.environment_keys[path]
    return "file" if get_path(read_document(snapshot.text).values, path) is not None else "default"


def settings_document(store: ConfigStore, snapshot: Snapshot, key: str | None) -> dict[str, Any]:
    """The settings in force, or one of them with where it comes from, as JSON-ready values."""
    shown = masked(snapshot.config)
    if key is not None:
        sources = {path: _source(snapshot, path) for path in chosen_keys(key)}
        return {"key": key, "value": get_path(shown, key), "sources": sources}
    facts = {"path": store.path, "revision": snapshot.revision, "environment_keys": dict(snapshot.environment_keys)}
    return {**shown, **facts, "fault": str(store.fault) if store.fault else None}


def print_settings(cli: Cli, snapshot: Snapshot, paths: Sequence[str], *, explained: bool = False) -> None:
    """Each setting with its value, by section, and where it comes from unless that is its default.

    `explained` adds what it means and what it may be.
    """
    shown, section = masked(snapshot.config), ""
    for path in paths:
        if path.rpartition(".")[0] != section:
            section = path.rpartition(".")[0]
            cli.say(f"\n{section}: {all_sections()[section]}")
        source = _source(snapshot, path)
        mark = "" if source == "default" else f"   ({source})"
        cli.say(f"  {path} = {words(get_path(shown, path))}{mark}")
        if explained:
            cli.say(f"      {_meaning(all_settings()[path])}")


def _meaning(setting: Setting) -> str:
    choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
    unit = f" Unit: {setting.unit}." if setting.unit else ""
    restart = " A change takes effect at the next start." if setting.needs_restart else ""
    return f"{setting.description}{choices}{unit}{restart}"
