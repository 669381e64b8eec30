"""Assets, batches, runs, steps, events, places and reports, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.model.statuses import (
    AssetStatus,
    BatchStatus,
    RootKind,
    RunKind,
    RunStatus,
    Stage,
    StepStatus,
    Trigger,
)

#: `Batch.hold` of a batch whose every file has a second name that no peer can reach.
HELD = "held"


@dataclass(frozen=True)
class Root:
    """A root folder: `path` is absolute bytes; `marker_id` is what its marker file holds."""

    id: int
    kind: RootKind
    label: str
    path: bytes
    marker_id: str


class Signature(NamedTuple):
    """Identity of a file's content as the file system tells it; equal signatures need no re-read."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is: a root and a path relative to it (bytes, no leading slash)."""

    root: Root
    path: bytes

    @property
    def absolute(self) -> bytes:
        """The absolute path, as bytes."""
        return self.root.path.rstrip(b"/") + b"/" + self.path


@dataclass(frozen=True, slots=True)
class Asset:
    """Our row for one media file. `path` is relative to the root; times are UTC ISO 8601 text."""

    id: int
    root_id: int
    path: bytes
    status: AssetStatus
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    digest: str | None = None
    digest_algorithm: str | None = None
    sha256: str | None = None
    head_digest: str | None = None
    original_id: int | None = None
    group_id: int | None = None
    batch_id: int | None = None
    taken_at: str | None = None
    taken_local: str | None = None
    taken_from: str | None = None
    content_identifier: str | None = None
    inspected_at: str | None = None
    origin_root_id: int | None = None
    origin_path: bytes | None = None
    attempts: int = 0
    reason: str | None = None
    first_seen_at: str = ""
    updated_at: str = ""

    @property
    def signature(self) -> Signature:
        """What the file system said of this file when its row was last written."""
        return Signature(self.device, self.inode, self.size_bytes, self.mtime_ns, self.ctime_ns)

    @property
    def is_reference(self) -> bool:
        """Whether it is a file of a reference folder: that has no row among the assets, and an id below zero."""
        return self.id < 0


@dataclass(frozen=True)
class Batch:
    """A set of unique assets moved together. Times are UTC ISO 8601 text.

    `returns_as` is what its files become when it is taken back, written when that begins; `undone_at` when it ended.
    `hold` is HELD when a second name protects every file from the peer, or why none does; None when none is needed.
    """

    id: int
    name: str
    status: BatchStatus
    file_count: int
    size_bytes: int
    target: str
    transfer_mode: str
    peer_policy: str
    device_id: str | None
    created_at: str
    published_at: str | None = None
    syncing_at: str | None = None
    synced_at: str | None = None
    released_at: str | None = None
    sorted_at: str | None = None
    cleaned_at: str | None = None
    confirmed_count: int = 0
    confirmed_bytes: int = 0
    sync_detail: str | None = None
    next_look_at: str | None = None
    error: str | None = None
    error_from: str | None = None
    manifest_path: bytes | None = None
    run_id: int | None = None
    returns_as: AssetStatus | None = None
    undone_at: str | None = None
    hold: str | None = None

    @property
    def awaits_release(self) -> bool:
        """Whether it is delivered and waits for the peer to release its files."""
        is_under_policy = self.target == "syncthing" and self.peer_policy == "release"
        return is_under_policy and self.status is BatchStatus.SYNCED and self.released_at is None


@dataclass(frozen=True)
class Run:
    """One request to execute stages. `wish` is what a person asked of a run in flight: pause or cancel.

    `arguments` is what the request said beyond the stages and the batch, as JSON values.
    """

    id: int
    kind: RunKind
    trigger: Trigger
    status: RunStatus
    stages: tuple[Stage, ...]
    batch_id: int | None
    config_revision: str | None
    requested_at: str
    started_at: str | None = None
    ended_at: str | None = None
    wish: str | None = None
    error: str | None = None
    attempts: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One stage inside one run. `report` is what the stage returned, as JSON."""

    id: int
    run_id: int
    stage: Stage
    status: StepStatus
    batch_id: int | None
    started_at: str
    ended_at: str | None
    report: dict[str, Any]
    progress_done: int
    progress_total: int
    progress_bytes: int
    error: str | None


@dataclass(frozen=True)
class Event:
    """One immutable journal row; `kind` is `noun.past_tense`, `level` is info, warning or error."""

    id: int
    at: str
    kind: str
    level: str
    message: str
    run_id: int | None
    batch_id: int | None
    asset_id: int | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """One file that a stage could not handle, and why, in one sentence."""

    path: str
    reason: str
    asset_id: int | None = None


def went_on_without(step: str, files: int, path: str, reason: str) -> str:
    """What to tell of a step that could not handle some files, by the first of them."""
    more = f" (and {files - 1:,} more)" if files > 1 else ""
    return f"{step.capitalize()} went on without {path}{more}: {reason}"


@dataclass
class Report:
    """What a stage returns. `outcome` decides what the workflow does next.

    outcome: "done" (go on), "idle" (there was nothing to do), "waiting" (a delivery is not finished),
    "blocked" (an open batch stands in the way), "failed" (this step failed; `message` says why).
    """

    outcome: str = "done"
    message: str = ""
    done: int = 0
    skipped: int = 0
    size_bytes: int = 0
    batch_id: int | None = None
    failures: list[Failure] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON-ready values; at most 100 failures are listed, `failed` counts all."""
        return {
            "outcome": self.outcome,
            "message": self.message,
            "done": self.done,
            "skipped": self.skipped,
            "failed": len(self.failures),
            "size_bytes": self.size_bytes,
            "batch_id": self.batch_id,
            "failures": [{"path": f.path, "reason": f.reason, "asset_id": f.asset_id} for f in self.failures[:100]],
            **self.detail,
        }
