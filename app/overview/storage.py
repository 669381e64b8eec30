"""How full the disks are, what our files take of them, and when they may be full: only what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import batches, room_samples
from app.db.clock import later
from app.db.room_samples import RoomSample
from app.model import BatchStatus
from app.model.counting import counted, size_in_words

#: The pace is that of so many days; of fewer than LEAST_DAYS nothing is said.
PACE_DAYS, LEAST_DAYS = 30, 3
DAY_SECONDS = 86_400
#: Below this share of a disk, or this many bytes, little room is left.
LOW_SHARE, LOW_BYTES = 0.03, 2_000_000_000
#: Farther ahead a forecast is worth nothing.
FAR_DAYS = 3 * 365
#: Two folders whose disks are as large and as full, up to this share, lie on one: each share of a NAS may look like a
#: disk of its own.
SAME_SHARE = 0.001
GIB = 1024**3
#: Free room is looked at in steps of this size here, so that a growing log changes no sentence.
ROOM_STEP_BYTES = 100_000_000
#: The size of a batch is learnt from so many of the newest.
BATCHES_LEARNT_FROM = 10

Look = dict[str, Any]


def storage(conn: Connection, config: Config, looks: Sequence[Look], disks: Mapping[int, int]) -> dict[str, Any]:
    """The disks under our folders, each with `folders` (their kind, path, and what is ours there), used and free room,
    `forecast` in words, and `room_for`, the batches that it can still take, for the archive's disk."""
    samples = room_samples.list_since(conn, later(-PACE_DAYS * DAY_SECONDS)[:10])
    found = [_disk(group, samples) for group in _grouped([look for look in looks if not look["fault"]], disks)]
    archive = next((disk for disk in found if "archive" in disk["kinds"]), None)
    if archive is not None:
        archive["room_for"] = _room_for(conn, config, archive)
    faults = [{**_folder(look, samples), "fault": look["fault"]} for look in looks if look["fault"]]
    return {"disks": found, "away": faults}


def _grouped(looks: Sequence[Look], disks: Mapping[int, int]) -> list[list[Look]]:
    groups: list[list[Look]] = []
    for look in looks:
        group = next((group for group in groups if _is_same(group[0], look, disks)), None)
        if group is None:
            groups.append([look])
        else:
            group.append(look)
    return groups


def _is_same(one: Look, other: Look, disks: Mapping[int, int]) -> bool:
    if one["id"] in disks and disks[one["id"]] == disks.get(other["id"]):
        return True
    total: int = one["total_bytes"]
    is_alike = total == other["total_bytes"] and total - one["free_bytes"] > GIB
    return is_alike and bool(abs(one["free_bytes"] - other["free_bytes"]) <= SAME_SHARE * total)


def _disk(group: Sequence[Look], samples: Mapping[int, list[RoomSample]]) -> dict[str, Any]:
    free, total = group[0]["free_bytes"], group[0]["total_bytes"]
    folders = [_folder(look, samples) for look in group]
    shown = [folder for folder in folders if folder["kind"] != "staging" or folder["own_files"]] or folders
    own = sum(folder["own_bytes"] or 0 for folder in folders)
    history = max((samples.get(look["id"], []) for look in group), key=len)
    return {
        "kinds": [folder["kind"] for folder in shown],
        "free_bytes": free,
        "total_bytes": total,
        "own_bytes": min(own, max(total - free, 0)) if any(f["own_bytes"] is not None for f in folders) else None,
        "is_low": is_low(free, total),
        "folders": shown,
        "forecast": forecast(history, free - free % ROOM_STEP_BYTES, total, datetime.now(UTC).date()),
        "room_for": None,
    }


def is_low(free: int, total: int) -> bool:
    """Whether little of a disk's room is left."""
    return free < _low_bytes(total)


def is_roomy(free: int, total: int) -> bool:
    """Whether there is clearly more than little again, so that a disk at the limit is not told of time and again."""
    return free > 1.2 * _low_bytes(total)


def _low_bytes(total: int) -> float:
    return max(min(LOW_SHARE * total, 10 * LOW_BYTES), LOW_BYTES)


def _folder(look: Look, samples: Mapping[int, list[RoomSample]]) -> dict[str, Any]:
    # what lies in the delivery folder are copies for whoever takes them: no row says which are still there
    counted_here = samples.get(look["id"]) if look["kind"] != "delivery" else None
    last = counted_here[-1] if counted_here else None
    return {
        "kind": look["kind"],
        "path": look["path"],
        "own_files": last.own_files if last else None,
        "own_bytes": last.own_bytes if last else None,
    }


def forecast(history: Sequence[RoomSample], free: int, total: int, today: date) -> str:
    """When a disk may be full at the pace of the last days, in words; or why nothing can be said."""
    known = [sample for sample in history if sample.total_bytes == total]
    days = (today - date.fromisoformat(known[0].day)).days if known else 0
    if days < LEAST_DAYS:
        return f"When it may be full is told after {LEAST_DAYS} days of looking."
    told, grown = counted(days, "day", "days"), known[0].free_bytes - free
    if grown <= 0:
        return f"It has not become fuller in the last {told}."
    left = free / (grown / days)
    if left > FAR_DAYS:
        return f"At the pace of the last {told} there is room for years."
    return f"Full in {_time(left)} at the pace of the last {told} ({size_in_words(grown)} more)."


def _time(days: float) -> str:
    if days < 1.5:
        return "about a day"
    for length, many, below in ((1, "days", 14), (7, "weeks", 63), (30.4, "months", 730)):
        if days < below:
            return f"about {round(days / length)} {many}"
    return f"about {round(days / 365)} years"


def _room_for(conn: Connection, config: Config, archive: Mapping[str, Any]) -> str:
    """How many batches the archive's disk can still take, in words; empty when it is not known how large they are."""
    is_one_disk = {"ingest", "batch", "archive"} <= set(archive["kinds"])
    if is_one_disk and config.batch.transfer_mode == config.sorter.transfer_mode == "move":
        return "Batches and the archive take no more room here: files are moved within this disk."
    done = [batch.size_bytes for batch in batches.list_recent(conn, BATCHES_LEARNT_FROM)
            if batch.status is BatchStatus.SORTED and batch.size_bytes]  # fmt: skip
    planned = int(config.batch.max_size_gb * GIB) if config.batch.selection_mode == "size" else 0
    size = sum(done) // len(done) if done else planned
    if not size:
        return ""
    many, each = int(archive["free_bytes"] // size), f"of {size_in_words(size)}"
    if not many:
        return f"No room for a batch {each}."
    return f"Room for about {counted(many, 'more batch', 'more batches')} {each}."
