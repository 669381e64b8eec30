"""Every setting: its type, default, bounds and one sentence about it.

The descriptions are what default.yaml, a saved file and the settings form say about a key, so they are
written once, here. Rules that join several keys, or look at the disk, are in app/config/checks.py.
"""

from __future__ import annotations

import os
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from app.config.access import Auth
from app.config.backup import Backup
from app.config.derived import DEFAULT_DB_PATH, derive_folders, is_zone
from app.config.fields import (
    NEEDS_RESTART,
    SECRET,
    Days,
    Device,
    Devices,
    OriginalOrder,
    Port,
    Seconds,
    Section,
    Text,
    TextList,
    TransferMode,
)
from app.config.sorter import Sorter
from app.model.original_order import DEFAULT_ORDER

__all__ = ["Config", "Sorter", "SyncTarget", "TransferMode"]

SyncTarget = Literal["syncthing", "folder", "none"]


class Paths(Section):
    """Where the folders are. Absolute paths; no folder may be, hold or lie in another one."""

    source_dir: Text = Field(description="Ingest: the folder where photos and videos arrive, read recursively.")
    duplicates_dir: Text = Field(
        default="",
        description="Where duplicates go under dedup.duplicate_policy: quarantine. Empty: beside sorted_dir.",
    )
    batch_dir: Text = Field(description="Where batches are published; the folder that Syncthing shares.")
    sorted_dir: Text = Field(description="The archive: the dated tree that finished files end up in.")


class Scan(Section):
    """What counts as a file that has arrived."""

    settle_seconds: Seconds = Field(
        default=10, description="A file counts once it has not changed for this many seconds."
    )
    ignore_patterns: TextList = Field(default=(), description="More file or folder names to leave in place (globs).")
    lone_sidecars: Literal["wait", "archive"] = Field(
        default="wait",
        description="A sidecar whose photo has not come for a week. wait: it waits on; archive: it is archived alone.",
    )


class Dedup(Section):
    """How duplicates are found and what happens to them."""

    hash_algorithm: Literal["blake3", "sha256"] = Field(
        default="blake3", description="Digest that decides whether two files are the same: blake3 or sha256."
    )
    threads: int = Field(default=2, ge=1, le=64, description="How many files are hashed at the same time.")
    read_order: Literal["auto", "name", "inode"] = Field(
        default="auto",
        description="Files are read by name, or by inode, which spares turning disks; "
        "auto = as the disk says.",
    )
    duplicate_policy: Literal["label", "quarantine", "reflink"] = Field(
        default="label",
        description="label: a duplicate stays; quarantine: it moves to paths.duplicates_dir; reflink: it shares its "
        "original's room.",
    )
    paranoid: bool = Field(
        default=False, description="Compare a duplicate with its original byte for byte before it is moved."
    )
    remember_removed: bool = Field(
        default=False,
        description="What a person has said to be gone and not missed is a duplicate when it comes again.",
    )
    original_order: OriginalOrder = Field(
        default=DEFAULT_ORDER,
        description="Which of several files with one content is the original: the first rule that tells them apart "
        "decides.",
    )
    reference_dirs: TextList = Field(
        default=(), description="Folders of existing libraries: their files count as originals and are never touched."
    )


class Batch(Section):
    """How files become batches."""

    max_size_gb: float = Field(default=15.0, ge=0, le=1_000_000, description="Largest batch in GiB; 0 = no cap.")
    max_files: int = Field(default=0, ge=0, le=10_000_000, description="Most files in a batch; 0 = no cap.")
    selection_mode: Literal["size", "files"] = Field(
        default="size", description="Which cap fills a batch: size (max_size_gb) or files (max_files)."
    )
    naming_pattern: Text = Field(default="batch_{index:03d}", description="Name of a batch folder; must use index.")
    allow_parallel: bool = Field(default=False, description="Allow a new batch while an earlier one has not ended.")
    transfer_mode: TransferMode = Field(
        default="move", description="move: files leave the ingest folder; copy: they stay there as well."
    )


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


class System(Section):
    """The program itself."""

    db_path: Text = Field(
        default=DEFAULT_DB_PATH, description="The database; on a local disk.", json_schema_extra=NEEDS_RESTART
    )
    log_dir: Text = Field(
        default="",
        description="Folder of the log files. Empty: logs/ beside the database.",
        json_schema_extra=NEEDS_RESTART,
    )
    port_api: Port = Field(default=8080, description="Port of the pages and the API.", json_schema_extra=NEEDS_RESTART)
    port_dbui: Port = Field(
        default=8081, description="Port of the read-only database browser.", json_schema_extra=NEEDS_RESTART
    )
    bind_host: Text = Field(
        default="0.0.0.0",
        description="Address to listen on; 127.0.0.1 = this machine only.",
        json_schema_extra=NEEDS_RESTART,
    )
    dbui_enabled: bool = Field(
        default=True, description="Start the read-only database browser.", json_schema_extra=NEEDS_RESTART
    )
    allowed_hosts: TextList = Field(
        default=(), description="More host names that browsers may use to reach this server."
    )
    url_prefix: Text = Field(
        default="", description="Path under which a reverse proxy serves the pages, as in /photos."
    )
    cleanup_empty_batches: bool = Field(
        default=True, description="Remove a batch folder once it is archived and empty."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_max_mb: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="A log file is rotated at this many MB.",
        json_schema_extra=NEEDS_RESTART,
    )
    log_keep: int = Field(
        default=5, ge=1, le=100, description="How many rotated log files are kept.", json_schema_extra=NEEDS_RESTART
    )
    thumbnail_cache_mb: int = Field(
        default=500, ge=0, le=1_000_000, description="Most MB of thumbnails that are kept; 0 = none are made."
    )


class Cleanup(Section):
    """How long things are kept."""

    trash_days: Days = Field(
        default=7, description="Days until a verified leftover of a move is dropped from the trash."
    )
    temp_days: Days = Field(default=7, description="Days until a stale temporary file is removed.")


class Verify(Section):
    """Reading files again, to see whether each is still what it was."""

    schedule: Text = Field(default="", description="When to verify by itself, as a cron expression; empty = never.")
    max_mb_per_second: float = Field(
        default=0.0,
        ge=0,
        le=100_000,
        description="Most MB read in a second, so that others can use the disks; 0 = no cap.",
    )
    max_minutes: float = Field(
        default=360.0,
        ge=0,
        le=525_600,
        description="Minutes in one go, after which other runs may go first; 0 = no limit.",
    )
    older_than_days: Days = Field(
        default=30, description="On schedule, read only what was not verified for so many days; 0 = everything."
    )


class Debug(Section):
    """Going through the workflow step by step."""

    enabled: bool = Field(default=False, description="Pause after every step.")
    auto_advance: bool = Field(default=False, description="Go on after a pause without a person.")
    step_timeout_sec: Seconds = Field(default=0, description="Longest pause in seconds; 0 = until someone resumes.")


class Delays(Section):
    """Waits of the workflow; nothing is blocked meanwhile."""

    syncthing_settle_sec: Seconds = Field(default=5, description="Seconds before the first look at a delivery.")
    post_sync_sec: Seconds = Field(default=10, description="Seconds between delivered and archiving.")


class Trace(Section):
    """What is kept to look at."""

    syncthing_samples: int = Field(
        default=25, ge=1, le=10_000, description="How many looks at a delivery its timeline keeps."
    )


class Workflow(Section):
    """How a run goes from stage to stage."""

    debug: Debug = Debug()
    delays: Delays = Delays()
    trace: Trace = Trace()


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
    workflow: Workflow = Workflow()

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
