"""The settings of delivery: where batches go, and how Syncthing is reached."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.config.fields import SECRET, Device, Devices, Seconds, Section, Text


class Sync(Section):
    """Where batches are delivered."""

    target: Literal["auto", "syncthing", "folder", "none"] = Field(
        default="auto",
        description="syncthing, folder, none; auto = syncthing when syncthing.folder_id or a device is set, else none.",
    )
    folder_dir: Text = Field(default="", description="Folder that receives verified copies under target: folder.")
    peer_policy: Literal["keep", "mirror", "release"] = Field(
        default="keep",
        description="The peer's copy after archiving: keep it, mirror our removal, or wait until the peer releases it.",
    )
    grace_seconds: Seconds = Field(
        default=0, description="Wait this long before files leave the batch folder under mirror."
    )
    peer_room_gb: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="GiB of files in open batches that the peer may hold at once; 0 = no limit.",
    )
    peer_unseen_days: int = Field(
        default=7, ge=0, le=3650, description="Warn when a peer was not seen for so many days; 0 = never."
    )
    no_delivery_days: int = Field(
        default=30, ge=0, le=3650, description="Warn when no batch was delivered for so many days; 0 = never."
    )


class Syncthing(Section):
    """How to reach Syncthing."""

    api_url: Text = Field(default="http://127.0.0.1:8384", description="Address of Syncthing's GUI and REST API.")
    api_key: Text = Field(default="", description="Syncthing's API key.", repr=False, json_schema_extra=SECRET)
    folder_id: Text = Field(
        default="", description="ID of the Syncthing folder that holds paths.batch_dir; empty: found by its path."
    )
    batch_dir: Text = Field(
        default="", description="paths.batch_dir as Syncthing sees it, when it runs elsewhere; empty: the same path."
    )
    device_id: Device = Field(default="", description="ID of the peer that must have every file; empty: the only peer.")
    device_ids: Devices = Field(
        default=(), description="IDs of more peers that must have every file, beside device_id."
    )
    gui_url: Text = Field(
        default="", description="Address of Syncthing's GUI for links in the browser; empty: api_url."
    )
    poll_interval_sec: int = Field(default=60, ge=1, le=86_400, description="Seconds between two looks at a delivery.")
    rescan_delay_sec: Seconds = Field(
        default=3, description="Seconds between publishing a batch and asking for a rescan."
    )
    auto_sort_after_sync: bool = Field(default=True, description="Archive a batch as soon as it is delivered.")

    @property
    def required_ids(self) -> tuple[str, ...]:
        """Every device that must have each file: device_id and device_ids, each once; empty when none is named."""
        named = (text.strip() for text in (self.device_id, *self.device_ids))
        return tuple(dict.fromkeys(text for text in named if text))
