"""The whole configuration. The settings of each section, with types, defaults, bounds and a sentence about each, stand
in a file beside this one: schema_media.py, schema_delivery.py, schema_running.py, sorter.py, access.py,
backup.py, mqtt.py, notifying.py.

The descriptions are what default.yaml, a saved file and the settings form say about a key, so they are
written once, there. Rules that join several keys, or look at the disk, are in app/config/checks.py.
"""

from __future__ import annotations

import os
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import model_validator

from app.config.access import Auth
from app.config.backup import Backup
from app.config.derived import derive_folders, is_zone
from app.config.fields import Section, TransferMode
from app.config.mqtt import Mqtt
from app.config.notifying import Hooks, Notify
from app.config.schema_delivery import Sync, Syncthing
from app.config.schema_media import Batch, Dedup, Paths, Scan
from app.config.schema_running import Cleanup, System, Verify, Workflow
from app.config.sorter import Sorter

__all__ = ["Batch", "Config", "Sorter", "SyncTarget", "Syncthing", "TransferMode"]

SyncTarget = Literal["syncthing", "folder", "none"]


class Config(Section):
    """The whole configuration; immutable, so a run keeps the one that it began with."""

    paths: Paths
    scan: Scan = Scan()
    dedup: Dedup = Dedup()
    batch: Batch = Batch()
    sync: Sync = Sync()
    syncthing: Syncthing = Syncthing()
    sorter: Sorter = Sorter()
    auth: Auth = Auth()
    system: System = System()
    cleanup: Cleanup = Cleanup()
    verify: Verify = Verify()
    backup: Backup = Backup()
    notify: Notify = Notify()
    hooks: Hooks = Hooks()
    workflow: Workflow = Workflow()
    mqtt: Mqtt = Mqtt()

    @model_validator(mode="before")
    @classmethod
    def _derive_folders(cls, data: Any) -> Any:
        return derive_folders(data)

    @property
    def sync_target(self) -> SyncTarget:
        """Where batches are delivered, with `auto` resolved.

        Whoever names a folder or a device wants Syncthing: what is missing then holds a delivery up, and never lets a
        batch pass the peer by.
        """
        if self.sync.target != "auto":
            return self.sync.target
        return "syncthing" if self.syncthing.folder_id or self.syncthing.required_ids else "none"

    @property
    def zone(self) -> ZoneInfo:
        """The zone that decides a file's day: sorter.timezone, else TZ, else UTC."""
        for name in (self.sorter.timezone, os.environ.get("TZ", "").lstrip(":")):
            if name and is_zone(name):
                return ZoneInfo(name)
        return ZoneInfo("UTC")
