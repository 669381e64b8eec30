"""Statuses, kinds and the legal changes from one status to another."""

from __future__ import annotations

from enum import StrEnum


class AssetStatus(StrEnum):
    """Where an asset stands; every asset seen has exactly one."""

    DISCOVERED = "discovered"
    UNIQUE = "unique"
    DUPLICATE = "duplicate"
    BATCHED = "batched"
    DELIVERED = "delivered"
    ARCHIVED = "archived"
    SET_ASIDE = "set_aside"
    FAILED = "failed"
    GONE = "gone"


class BatchStatus(StrEnum):
    """Where a batch stands; API-visible statuses are upper-case words."""

    PENDING = "PENDING"
    SYNCING = "SYNCING"
    SYNCED = "SYNCED"
    SORTING = "SORTING"
    SORTED = "SORTED"
    UNDOING = "UNDOING"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


OPEN_BATCH = (
    BatchStatus.PENDING,
    BatchStatus.SYNCING,
    BatchStatus.SYNCED,
    BatchStatus.SORTING,
    BatchStatus.UNDOING,
    BatchStatus.ERROR,
)

BATCH_CHANGES: dict[BatchStatus, tuple[BatchStatus, ...]] = {
    BatchStatus.PENDING: (
        BatchStatus.SYNCING,
        BatchStatus.SYNCED,
        BatchStatus.UNDOING,
        BatchStatus.ERROR,
        BatchStatus.CANCELLED,
    ),
    BatchStatus.SYNCING: (BatchStatus.SYNCED, BatchStatus.UNDOING, BatchStatus.ERROR, BatchStatus.CANCELLED),
    BatchStatus.SYNCED: (BatchStatus.SORTING, BatchStatus.UNDOING, BatchStatus.ERROR),
    BatchStatus.SORTING: (BatchStatus.SORTED, BatchStatus.UNDOING, BatchStatus.ERROR),
    BatchStatus.SORTED: (BatchStatus.UNDOING,),
    BatchStatus.UNDOING: (BatchStatus.CANCELLED, BatchStatus.ERROR),
    BatchStatus.ERROR: (
        BatchStatus.PENDING,
        BatchStatus.SYNCING,
        BatchStatus.SYNCED,
        BatchStatus.SORTING,
        BatchStatus.UNDOING,
        BatchStatus.CANCELLED,
    ),
    BatchStatus.CANCELLED: (),
}

ASSET_CHANGES: dict[AssetStatus, tuple[AssetStatus, ...]] = {
    AssetStatus.DISCOVERED: (
        AssetStatus.UNIQUE,
        AssetStatus.DUPLICATE,
        AssetStatus.SET_ASIDE,
        AssetStatus.FAILED,
        AssetStatus.GONE,
    ),
    AssetStatus.UNIQUE: (
        AssetStatus.DISCOVERED,
        AssetStatus.DUPLICATE,
        AssetStatus.BATCHED,
        AssetStatus.SET_ASIDE,
        AssetStatus.FAILED,
        AssetStatus.GONE,
    ),
    AssetStatus.DUPLICATE: (AssetStatus.DISCOVERED, AssetStatus.SET_ASIDE, AssetStatus.FAILED, AssetStatus.GONE),
    AssetStatus.BATCHED: (
        AssetStatus.DELIVERED,
        AssetStatus.ARCHIVED,
        AssetStatus.DUPLICATE,
        AssetStatus.SET_ASIDE,
        AssetStatus.FAILED,
        AssetStatus.UNIQUE,
        AssetStatus.GONE,
    ),
    AssetStatus.DELIVERED: (
        AssetStatus.ARCHIVED,
        AssetStatus.DUPLICATE,
        AssetStatus.SET_ASIDE,
        AssetStatus.FAILED,
        AssetStatus.GONE,
    ),
    AssetStatus.ARCHIVED: (AssetStatus.SET_ASIDE, AssetStatus.GONE, AssetStatus.FAILED),
    AssetStatus.SET_ASIDE: (
        AssetStatus.DISCOVERED,
        AssetStatus.UNIQUE,
        AssetStatus.ARCHIVED,
        AssetStatus.FAILED,
        AssetStatus.GONE,
    ),
    AssetStatus.FAILED: (
        AssetStatus.DISCOVERED,
        AssetStatus.UNIQUE,
        AssetStatus.BATCHED,
        AssetStatus.DELIVERED,
        AssetStatus.SET_ASIDE,
        AssetStatus.GONE,
    ),
    AssetStatus.GONE: (AssetStatus.DISCOVERED, AssetStatus.ARCHIVED),
}


class RunStatus(StrEnum):
    """Where a run stands. QUEUED, RUNNING and PAUSED are in flight: they hold the one slot."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


IN_FLIGHT = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED)


class RunKind(StrEnum):
    """What a run was asked to do."""

    WORKFLOW = "workflow"
    STAGE = "stage"
    SETUP = "setup"
    PREVIEW = "preview"
    UNDO = "undo"
    VERIFY = "verify"
    REBUILD = "rebuild"
    PAIRING = "pairing"
    REFILE = "refile"


class Trigger(StrEnum):
    """Who asked for a run."""

    API = "api"
    CONTROL = "control"
    CLI = "cli"
    SCHEDULE = "schedule"
    WATCH = "watch"


class Stage(StrEnum):
    """What one step executes: the seven stages of the workflow, and the works that stand apart from it."""

    SCAN = "scan"
    DEDUP = "dedup"
    INSPECT = "inspect"
    BATCH = "batch"
    SYNC = "sync"
    SORT = "sort"
    CLEANUP = "cleanup"
    PREVIEW = "preview"
    UNDO = "undo"
    VERIFY = "verify"
    REBUILD = "rebuild"
    PAIRING = "pairing"
    REFILE = "refile"
    SIDECARS = "sidecars"
    READ_DATES = "read_dates"


#: The arguments of a preview that plays the search for duplicates alone.
ONLY_DUPLICATES = {"only": "duplicates"}

#: The stages of a workflow run; the order in which it takes them is written in app/pipeline/workflow.py.
WORKFLOW_STAGES = (
    Stage.SCAN,
    Stage.DEDUP,
    Stage.INSPECT,
    Stage.BATCH,
    Stage.SYNC,
    Stage.SORT,
    Stage.CLEANUP,
)


class StepStatus(StrEnum):
    """How a step ended, or that it has not."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    WAITING = "waiting"
    WARNING = "warning"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RootKind(StrEnum):
    """What a root folder is for."""

    INGEST = "ingest"
    BATCH = "batch"
    STAGING = "staging"
    ARCHIVE = "archive"
    DUPLICATES = "duplicates"
    REFERENCE = "reference"
    DELIVERY = "delivery"


class MoveState(StrEnum):
    """The states of one journalled move (docs/architecture.md, "How a file moves")."""

    PLANNED = "PLANNED"
    PLACED = "PLACED"
    DONE = "DONE"
    ABORTED = "ABORTED"
    QUARANTINE = "QUARANTINE"


OPEN_MOVE = (MoveState.PLANNED, MoveState.PLACED)
