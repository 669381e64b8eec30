"""The settings of where files lie, what has arrived, what is a duplicate, and how batches are made."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.config.fields import OriginalOrder, Seconds, Section, Text, TextList, TransferMode
from app.model.original_order import DEFAULT_ORDER


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
