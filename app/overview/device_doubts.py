"""Whether the settings require Syncthing here itself, to which nothing can be sent: only Syncthing can tell.

It is a warning and no fault, since a Syncthing that is silent must not decide which settings can be saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.config.addresses import origin_of
from app.config.changes import Change, Verdict
from app.config.checks import DEVICE_SETTINGS
from app.config.schema import Config
from app.config.secrets import API_URL
from app.config.store import ConfigStore, Snapshot
from app.errors import ConfigError, Problem, SyncthingError
from app.syncthing.client import SyncthingClient

#: What decides which Syncthing it is, and whom it has to send to.
DECIDING = (*DEVICE_SETTINGS, API_URL)


def with_device_doubts(verdict: Verdict, store: ConfigStore) -> Verdict:
    """The verdict with what Syncthing tells of the devices that it requires.

    Only the Syncthing in force is asked: settings that are merely checked decide neither where a request goes, nor
    where a key does.
    """
    wanted = verdict.config
    try:
        in_force = store.current().config
    except ConfigError:
        return verdict
    if wanted is None or origin_of(wanted.syncthing.api_url) != origin_of(in_force.syncthing.api_url):
        return verdict
    return replace(verdict, warnings=(*verdict.warnings, *_doubts(in_force, wanted)))


def warnings_of_saved(snapshot: Snapshot, changes: Sequence[Change]) -> list[Problem]:
    """Every warning of settings that were saved; Syncthing is asked when a change concerns it."""
    is_concerned = any(change.path in DECIDING for change in changes)
    return [*snapshot.warnings, *(_doubts(snapshot.config, snapshot.config) if is_concerned else ())]


def _doubts(asked: Config, wanted: Config) -> list[Problem]:
    required = wanted.syncthing.required_ids
    own_id = _own_id(asked) if required else None
    if own_id is None or own_id not in required:
        return []
    path = "syncthing.device_id" if wanted.syncthing.device_id.strip() == own_id else "syncthing.device_ids"
    return [Problem(path, "is this Syncthing itself; nothing can be delivered until it is the ID of the peer")]


def _own_id(config: Config) -> str | None:
    try:
        with SyncthingClient.from_config(config) as client:
            return client.my_id()
    except SyncthingError:
        return None
