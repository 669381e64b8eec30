"""What plans and runs that file the archive anew say, for the doors: numbers, pairs of folders, and every file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.config.changes import Change
from app.db import archived_groups, refile_entries, runs
from app.db.refile_entries import DONE, FAILED, PLANNED, STAYS, Counts, Entry
from app.db.tables import runs as runs_table
from app.errors import NotFound, Problem, printable
from app.model import RootKind, Run, RunKind, RunStatus, Stage
from app.model.counting import counted
from app.overview.runs import run_summary, step_summary
from app.services import Services

#: So many pairs of folders are told.
FOLDERS_TOLD = 200
#: Among so many of the newest runs the newest plan is looked for.
LOOKED_AT = 100
STATES = (PLANNED, DONE, FAILED, STAYS)
#: What is told after a setting was saved by which archived files are filed.
ELSEWHERE = (
    "What is in the archive ({files}) stays where it is. `media-pipeline refile`, or Plan filing anew on the page "
    "Control, shows what belongs elsewhere now, and moves nothing; `media-pipeline refile --yes` moves it, and can be "
    "taken back"
)
#: The settings by which archived files are filed.
FILING = frozenset(
    f"sorter.{name}"
    for name in (
        "folder_pattern", "name_pattern", "language", "safe_names", "weak_dates", "exif_fallback", "timezone",
        "source_label", "video_time", "local_video_makes", "filename_dates",
    )
)  # fmt: skip


def refile_summary(conn: Connection, run_id: int) -> dict[str, Any]:
    """One plan, or one run that has moved files. Raises NotFound."""
    run = runs.find(conn, run_id)
    if run is None or run.kind is not RunKind.REFILE:
        raise NotFound("run that files the archive anew", run_id)
    return _summary(conn, run)


def newest_plan(conn: Connection) -> dict[str, Any]:
    """The newest plan that is finished; `run` is null before the first."""
    ended = (runs_table.c.kind == RunKind.REFILE.value, runs_table.c.status == RunStatus.DONE.value)
    newest = select(runs_table.c.id).where(*ended).order_by(runs_table.c.id.desc()).limit(LOOKED_AT)
    found = [runs.get(conn, run_id) for run_id in conn.execute(newest).scalars().all()]
    return _summary(conn, next((run for run in found if run.arguments.get("dry_run")), None))


def list_files(
    conn: Connection, run_id: int, *, state: str | None = None, after_id: int = 0, limit: int
) -> dict[str, Any]:
    """A page of files in id order: from where to where, and what became of it. Raises NotFound."""
    refile_summary(conn, run_id)
    found = refile_entries.list_page(conn, run_id, state, after_id, limit)
    last = found[-1].asset_id if len(found) == limit else None
    return {"files": [_file(entry) for entry in found], "next_after_id": last}


def filing_warnings(services: Services, changes: Sequence[Change]) -> list[Problem]:
    """What to tell of settings that were changed and by which archived files are filed: these stay where they are."""
    changed = [change.path for change in changes if change.path in FILING]
    archives = services.roots.get(RootKind.ARCHIVE, ())
    if not changed or not archives:
        return []
    with services.db.reading() as conn:
        files = archived_groups.count_archived(conn, archives[0].id)
    return [Problem(changed[0], ELSEWHERE.format(files=counted(files, "file", "files")))] if files else []


def _summary(conn: Connection, run: Run | None) -> dict[str, Any]:
    counts = refile_entries.count(conn, run.id) if run is not None else dict.fromkeys(STATES, Counts())
    found = [one for one in runs.list_steps(conn, run.id) if one.stage is Stage.REFILE] if run is not None else []
    step = step_summary(found[-1]) if found else None
    told = step["data"] if step is not None else {}
    folders = refile_entries.list_folders(conn, run.id, FOLDERS_TOLD) if run is not None else []
    return {
        "run": run_summary(run) if run is not None else None,
        "is_plan": bool(run is not None and run.arguments.get("dry_run")),
        "is_finished": run is not None and run.status is RunStatus.DONE,
        "message": step["message"] if step is not None else "",
        "dated": told.get("dated", 0),
        "differing": told.get("differing"),
        "undo_of": run.arguments.get("undo_of") if run is not None else None,
        **{state: counts[state]._asdict() for state in STATES},
        "folders": [
            {"from": printable(left), "to": printable(to), "files": files, "size_bytes": size}
            for left, to, files, size in folders
        ],
    }


def _file(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.asset_id,
        "from": printable(entry.from_path),
        "to": printable(entry.to_path) if entry.to_path is not None else None,
        "size_bytes": entry.size_bytes,
        "suffixed": bool(entry.suffixed),
        "state": entry.state,
        "status_after": entry.status_after,
        "reason": entry.reason,
    }
