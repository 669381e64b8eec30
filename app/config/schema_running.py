"""The settings of the program itself: processes and logs, what is kept, verification, the way from stage to stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.config.derived import DEFAULT_DB_PATH
from app.config.fields import NEEDS_RESTART, Days, Port, Seconds, Section, Text, TextList

#: YAML reads an `off` without quotes as false.
Watching = Annotated[Literal["off", "poll"], BeforeValidator(lambda value: "off" if value is False else value)]


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
    worker_nice: int = Field(
        default=0,
        ge=0,
        le=19,
        description="How much the worker gives way to other programs: 0 not, 19 most; from 10 on at the disk too.",
        json_schema_extra=NEEDS_RESTART,
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
    """When a run starts by itself, and how it goes from stage to stage."""

    schedule: TextList = Field(
        default=(), description="When a whole run starts by itself, as cron expressions; none = never."
    )
    hours: TextList = Field(
        default=(), description="Hours in which runs that started by themselves may work; none = always."
    )
    watch: Watching = Field(
        default="off", description="off, or poll: a run starts once new files in an ingest folder stand still."
    )
    watch_seconds: int = Field(
        default=60, ge=1, le=86_400, description="Seconds between two looks for new files, where watch is poll."
    )
    debug: Debug = Debug()
    delays: Delays = Delays()
    trace: Trace = Trace()
