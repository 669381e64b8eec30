"""Ready-made choices: a handful of settings under one name, with a sentence on what becomes of a person's files.

A preset never touches a folder or a key, and sets exactly what its sentence needs to be true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.config.changes import changes_json, problems_json
from app.config.schema import Config
from app.config.settings import with_path
from app.config.store import ConfigStore
from app.errors import NotFound


@dataclass(frozen=True)
class Preset:
    """Settings by dotted path, under a name; `sentence` says what they mean for the files."""

    name: str
    title: str
    sentence: str
    settings: Mapping[str, Any]

    def changes(self, config: Config) -> dict[str, Any]:
        """The settings as nested values to save over a configuration."""
        values: dict[str, Any] = {}
        for path, value in self.settings.items():
            values = with_path(values, path, value)
        return values if self.name == "archive-only" else _delivering(values, config)


def _delivering(values: dict[str, Any], config: Config) -> dict[str, Any]:
    """Only archive-only switches delivery off; the others bring it back where it is off, and else leave it alone."""
    return with_path(values, "sync.target", "auto") if config.sync.target == "none" else values


PRESETS = (
    Preset(
        "copy-only",
        "Copy only",
        "Nothing ever leaves the ingest folder: batches and the archive are made of copies, and duplicates are only "
        "labelled. Each file then takes room twice, in the ingest folder and in the archive.",
        {
            "batch.transfer_mode": "copy",
            "sorter.transfer_mode": "move",
            "dedup.duplicate_policy": "label",
            "syncthing.auto_sort_after_sync": True,
        },
    ),
    Preset(
        "full-move",
        "Move everything",
        "Files move out of the ingest folder: into batches, which are delivered where a peer is set up, and from there "
        "into the archive. Duplicates move to the duplicates folder, and empty batch folders are removed.",
        {
            "batch.transfer_mode": "move",
            "sorter.transfer_mode": "move",
            "dedup.duplicate_policy": "quarantine",
            "syncthing.auto_sort_after_sync": True,
            "system.cleanup_empty_batches": True,
        },
    ),
    Preset(
        "archive-only",
        "Archive only",
        "Nothing is sent anywhere: files move from the ingest folder into the dated archive on this machine, and "
        "duplicates stay where they are, labelled.",
        {
            "sync.target": "none",
            "batch.transfer_mode": "move",
            "sorter.transfer_mode": "move",
            "dedup.duplicate_policy": "label",
            "syncthing.auto_sort_after_sync": True,
            "system.cleanup_empty_batches": True,
        },
    ),
)


def find_preset(name: str) -> Preset:
    """The preset of this name. Raises NotFound."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise NotFound("preset", name[:64])


def preset_json(preset: Preset, store: ConfigStore) -> dict[str, Any]:
    """A preset as JSON-ready values, with what it would change now; nothing to change means that it is in force."""
    verdict = store.check_partial(preset.changes(store.current().config))
    return {
        "name": preset.name,
        "title": preset.title,
        "sentence": preset.sentence,
        "in_force": verdict.is_valid and not verdict.changes,
        "changes": changes_json(verdict.changes),
        "errors": problems_json(verdict.problems),
    }
