"""The report of a preview: how much of everything, whether there is room, and what to look at before the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from app.db import journal, outcomes, runs, totals
from app.db.connection import Connection
from app.errors import printable
from app.files.imagined_room import Need
from app.model import AssetStatus, Report, Stage, Step
from app.model.counting import counted
from app.pipeline.preview.rehearsal import Rehearsal
from app.pipeline.room import in_words

#: So many folders and warnings are in the summary; the lists have them all.
FOLDERS_SHOWN = 200
WARNINGS_SHOWN = 50

#: Events of the rehearsed run that a person should hear of before the real one.
TOLD = ("batch.failed", "batch.cancelled", "batch.oversize_accepted", "asset.failed", "asset.set_aside",
        "asset.found_damaged")

COUNTED = {
    "new": "status_now IS NULL",
    "duplicates": "status = 'duplicate'",
    "new_duplicates": "status = 'duplicate' AND status_now IS NOT 'duplicate'",
    "archived": "status = 'archived' AND status_now IS NOT 'archived'",
    "weak_dates": "is_weak AND batch_id IS NOT NULL",
    "review": "status = 'set_aside' AND folder IS NOT NULL",
    "set_aside": "status = 'set_aside' AND folder IS NULL",
    "failed": "status = 'failed'",
    "waiting": "status IN ('discovered', 'unique')",
}


def summarize(rehearsal: Rehearsal) -> Report:
    """The report of the step. Its `summary` is what the doors show."""
    roots = [root for of_kind in rehearsal.services.roots.values() for root in of_kind]
    room = [_as_json(need) for need in rehearsal.disk.room.needs(sorted(roots, key=lambda root: root.id))]
    with rehearsal.copy.reading() as conn:
        counts = {name: dict(zip(("files", "size_bytes"), outcomes.count_where(conn, c), strict=True))
                  for name, c in COUNTED.items()}
        summary = {
            "began_at": rehearsal.began_at,
            "config_revision": rehearsal.real.revision,
            "seen": _seen(conn, rehearsal),
            "counts": counts,
            "by_status": {s: {"files": n, "size_bytes": b} for s, (n, b) in outcomes.count_by_status(conn).items()},
            "batches": _batches(conn),
            "folders": [
                {"folder": printable(folder), "files": files, "size_bytes": size_bytes}
                for folder, files, size_bytes in outcomes.list_folders(conn, FOLDERS_SHOWN)
            ],
            "room": room,
            "ends": _ends(rehearsal),
            "warnings": list(_warnings(conn, rehearsal, counts, room))[:WARNINGS_SHOWN],
        }
    return Report(
        "done",
        _in_words(summary) + _shared(rehearsal),
        counts["archived"]["files"],
        counts["duplicates"]["files"],
        counts["archived"]["size_bytes"],
        detail={"summary": summary},
    )


def summarize_duplicates(rehearsal: Rehearsal) -> Report:
    """The report of a preview that played the search for duplicates alone; it has no summary of a whole run."""
    with rehearsal.copy.reading() as conn:
        files, size_bytes = totals.count(conn)[AssetStatus.DUPLICATE]
    seen = next(s.report for s in _steps(rehearsal) if s.stage is Stage.DEDUP)
    new = int(seen.get("duplicate", 0))
    message = f"{counted(files, 'file is a duplicate', 'files are duplicates')}, {in_words(size_bytes)}; "
    message += f"{new:,} of them would be found now. No file was touched.{_shared(rehearsal)}"
    return Report("done", message, files, size_bytes=size_bytes, detail={"duplicates": files, "new_duplicates": new})


def _shared(rehearsal: Rehearsal) -> str:
    """How much room duplicates would give back under dedup.duplicate_policy: reflink."""
    found = next((s.report for s in _steps(rehearsal) if s.stage is Stage.DEDUP), {})
    files = int(found.get("shared", 0))
    if not files:
        return ""
    many = counted(files, "duplicate would share its room", "duplicates would share their room")
    return f" {many} on the disk with the original: {in_words(int(found['shared_bytes']))} would be gained."


def _steps(rehearsal: Rehearsal) -> list[Step]:
    with rehearsal.copy.reading() as conn:
        return runs.list_steps(conn, rehearsal.step.run_id)


def _as_json(need: Need) -> dict[str, Any]:
    values = asdict(need)
    return {**values, "root": need.root.kind.value, "path": printable(need.root.path)}


def _ends(rehearsal: Rehearsal) -> str:
    """What a run would say at its end, and that it does not get there by itself under release."""
    ends = rehearsal.stops_because or rehearsal.ending.message
    names = rehearsal.release_waits_for
    if not names:
        return ends
    which = names[0] if len(names) == 1 else f"each of {len(names):,} batches, from {names[0]} to {names[-1]},"
    waits = f"The run waits until the files of {which} are uploaded or copied at the peer and deleted there."
    return f"{waits} Then: {ends}"


def _seen(conn: Connection, rehearsal: Rehearsal) -> dict[str, int]:
    """What the rehearsed scan and dedup counted."""
    steps = runs.list_steps(conn, rehearsal.step.run_id)
    scan: Mapping[str, Any] = next((step.report for step in steps if step.stage is Stage.SCAN), {})
    # What dedup had no need to read is read as it is batched.
    read = sum(int(step.report.get("read", 0)) for step in steps if step.stage in (Stage.DEDUP, Stage.BATCH))
    names = ("seen", "new", "changed", "vanished", "still_changing", "left_in_place")
    return {**{name: int(scan.get(name, 0)) for name in names}, "read": read}


def _batches(conn: Connection) -> dict[str, int]:
    found = files = size_bytes = last = 0
    while page := outcomes.list_batches(conn, last, 1_000):
        last = page[-1].id
        found += len(page)
        files += sum(batch.file_count for batch in page)
        size_bytes += sum(batch.size_bytes for batch in page)
    return {"count": found, "files": files, "size_bytes": size_bytes}


def _warnings(
    conn: Connection, rehearsal: Rehearsal, counts: dict[str, dict[str, int]], room: list[dict[str, Any]]
) -> Iterator[str]:
    if rehearsal.stops_because:
        yield f"The run would stop: {rehearsal.stops_because}"
    elif rehearsal.ending.level != "info":
        yield rehearsal.ending.message
    if rehearsal.disk.room.shortages:
        yield f"The run would stop for want of room: {rehearsal.disk.room.shortages[0]}"
    for need in room:
        if not need["fits"]:
            needed, free = in_words(need["needed_bytes"]), in_words(need["free_bytes"])
            yield f"Not everything fits: {need['path']} takes in {needed} in all, and {free} are free on its disk."
    for message in rehearsal.delivery_waits_for:
        yield f"The run would wait: {message}"
    if counts["weak_dates"]["files"]:
        yield f"{counted(counts['weak_dates']['files'], 'file', 'files')} with a doubtful date."
    still_changing = _seen(conn, rehearsal)["still_changing"]
    if still_changing:
        yield f"{counted(still_changing, 'file', 'files')} still changing; a later run takes them up."
    for kind in TOLD:
        told = journal.list_events(conn, kind_prefix=kind, run_id=rehearsal.step.run_id, limit=WARNINGS_SHOWN)
        yield from (event.message for event in reversed(told))


def _in_words(summary: dict[str, Any]) -> str:
    counts, batches = summary["counts"], summary["batches"]
    goes = counts["archived"]["files"] + counts["review"]["files"]
    in_batches = counted(batches["count"], "batch", "batches")
    message = f"{counted(goes, 'file', 'files')} in {in_batches} would go to the archive"
    message += f", {in_words(counts['archived']['size_bytes'] + counts['review']['size_bytes'])}"
    message += f"; {counted(counts['duplicates']['files'], 'duplicate', 'duplicates')}"
    for name in ("set_aside", "failed", "waiting"):
        files = counts[name]["files"]
        message += f", {files} {name.replace('_', ' ')}" if files else ""
    return message + ". No file was touched."
