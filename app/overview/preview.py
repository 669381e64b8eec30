"""What a preview has found, for the doors: its summary from the step's report, its lists from the copy it played on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select

from app.db import journal, outcomes, rehearsals, runs
from app.db import roots as root_rows
from app.db.outcomes import Outcome
from app.db.tables import runs as runs_table
from app.db.tables import steps
from app.errors import NotFound, printable, readings
from app.model import Batch, Run, RunKind, RunStatus, Stage, Step
from app.model.peer_policy import peer_words
from app.overview.peer_policy import configured_words
from app.overview.runs import run_summary, step_summary
from app.services import Services

#: A preview of a whole run, not of the search for duplicates alone.
IS_WHOLE = runs_table.c.arguments == "{}"
#: Work of these kinds leaves everything where it is.
LOOKING_ONLY = (RunKind.PREVIEW.value, RunKind.VERIFY.value)
#: What people do beside runs that makes another run of what a preview has said.
CHANGED_BY_HAND = ("asset.retried", "batch.retried", "batch.cancelled")


def preview_summary(services: Services, run_id: int | None = None) -> dict[str, Any]:
    """One preview; without an id the newest that has ended well. `summary` is null as long as it is not finished.

    Raises NotFound when there is no such preview.
    """
    with services.db.reading() as conn:
        run, step = _find(conn, run_id)
        current = _is_current(conn, services, run, step)
    report = step.report if step is not None else {}
    return {
        "run": run_summary(run),
        "step": step_summary(step) if step is not None else None,
        "is_finished": "summary" in report,
        "is_current": current,
        "has_lists": "summary" in report and rehearsals.is_kept(services.db, run.id),
        "message": report.get("message", ""),
        "at_the_peer": configured_words(services.config),
        "summary": report.get("summary"),
    }


def list_files(
    services: Services,
    run_id: int,
    *,
    status: str | None = None,
    batch_id: int | None = None,
    only_weak: bool = False,
    after_id: int = 0,
    limit: int,
) -> dict[str, Any]:
    """A page of files in id order: where each is, what would become of it, and why. Raises NotFound."""
    with _copy(services, run_id) as conn:
        found = outcomes.list_page(
            conn, status=status, batch_id=batch_id, only_weak=only_weak, after_id=after_id, limit=limit
        )
        names = _Names(conn)
        return {
            "files": [names.file(row) for row in found],
            "next_after_id": found[-1].asset_id if len(found) == limit else None,
        }


def list_by_folder(
    services: Services, run_id: int, *, after_id: int = 0, folder: str = "", limit: int
) -> dict[str, Any]:
    """A page of the files that would go to the archive, folder by folder; from a folder on, named as it is shown.
    Raises NotFound."""
    with _copy(services, run_id) as conn:
        begin = readings(folder) if folder else []
        found = outcomes.list_by_folder(conn, after_id=after_id, begin=begin, limit=limit)
        names = _Names(conn)
        return {
            "files": [names.file(row) for row in found],
            "next_after_id": found[-1].asset_id if len(found) == limit else None,
        }


def list_duplicates(services: Services, run_id: int, *, after_id: int = 0, limit: int) -> dict[str, Any]:
    """A page of the duplicates, each with the file that it repeats. Raises NotFound."""
    page = list_files(services, run_id, status="duplicate", after_id=after_id, limit=limit)
    return {"duplicates": page["files"], "next_after_id": page["next_after_id"]}


def list_batches(services: Services, run_id: int, *, after_id: int = 0, limit: int) -> dict[str, Any]:
    """A page of the batches that would be made or carried on. Raises NotFound."""
    with _copy(services, run_id) as conn:
        found = outcomes.list_batches(conn, after_id, limit)
        return {
            "batches": [_batch(conn, batch) for batch in found],
            "next_after_id": found[-1].id if len(found) == limit else None,
        }


def list_folders(services: Services, run_id: int) -> list[dict[str, Any]]:
    """Every folder of the archive into which files would go, by name; the summary has only the first. Raises NotFound.
    """
    with _copy(services, run_id) as conn:
        return [
            {"folder": printable(folder), "files": files, "size_bytes": size_bytes}
            for folder, files, size_bytes in outcomes.list_folders(conn)
        ]


def _find(conn: Connection, run_id: int | None) -> tuple[Run, Step | None]:
    run = runs.find(conn, run_id) if run_id is not None else _newest(conn)
    if run is None or run.kind is not RunKind.PREVIEW:
        raise NotFound("preview", run_id if run_id is not None else "yet; ask for one")
    found = [step for step in runs.list_steps(conn, run.id) if step.stage is Stage.PREVIEW]
    return run, found[-1] if found else None


def _newest(conn: Connection) -> Run | None:
    query = (
        select(runs_table.c.id)
        .where(runs_table.c.kind == RunKind.PREVIEW, runs_table.c.status == RunStatus.DONE, IS_WHOLE)
        .order_by(runs_table.c.id.desc())
        .limit(1)
    )
    found = conn.execute(query).scalar()
    return runs.find(conn, found) if found is not None else None


def _is_current(conn: Connection, services: Services, run: Run, step: Step | None) -> bool:
    """Whether a run would still do what was said, as far as rows tell: nobody looks into the ingest folder for this."""
    if step is None or "summary" not in step.report or run.config_revision != services.revision:
        return False
    later = (
        select(steps.c.id)
        .join(runs_table, runs_table.c.id == steps.c.run_id)
        .where(steps.c.id > step.id, runs_table.c.kind.not_in(LOOKING_ONLY))
    )
    if conn.execute(later.limit(1)).first() is not None:
        return False
    ended_at = step.ended_at or ""
    newest = [journal.list_events(conn, kind_prefix=kind, limit=1) for kind in CHANGED_BY_HAND]
    return not any(events and events[0].at > ended_at for events in newest)


@contextmanager
def _copy(services: Services, run_id: int) -> Iterator[Connection]:
    """The rows that a finished preview has left. Raises NotFound when there are none (any more)."""
    with services.db.reading() as conn:
        _, step = _find(conn, run_id)
    if step is None or "summary" not in step.report:
        raise NotFound("list of preview", f"{run_id}: it is not finished")
    if not rehearsals.is_kept(services.db, run_id):
        raise NotFound("list of preview", f"{run_id} any more: only those of the newest previews are kept")
    with rehearsals.opened(services.db, run_id) as copy, copy.reading() as conn:
        yield conn


class _Names:
    """Rows of a preview as JSON-ready values: paths in full, batches by name."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._roots = {root.id: root for root in root_rows.list_all(conn)}
        self._batches: dict[int, str] = {}

    def file(self, row: Outcome) -> dict[str, Any]:
        """One file."""
        return {
            "id": row.asset_id,
            "path": self._path(row.now_root_id, row.now_path),
            "size_bytes": row.size_bytes,
            "status_now": row.status_now,
            "status": row.status,
            "outcome": row.outcome,
            "target": self._path(row.target_root_id, row.target_path),
            "folder": printable(row.folder) if row.folder is not None else None,
            "duplicate_of": self._original(row),
            "batch_id": row.batch_id,
            "batch_name": self._batch_name(row.batch_id),
            "path_in_batch": printable(row.path_in_batch) if row.path_in_batch is not None else None,
            "taken_local": row.taken_local,
            "taken_from": row.taken_from,
            "is_date_certain": row.taken_local is not None and not row.is_weak,
            "why": row.why,
        }

    def _original(self, row: Outcome) -> dict[str, Any] | None:
        if row.original_id is None or row.original_root_id is None or row.original_path is None:
            return None
        return {"id": row.original_id, "path": self._path(row.original_root_id, row.original_path)}

    def _path(self, root_id: int, path: bytes) -> str:
        return printable(self._roots[root_id].path.rstrip(b"/") + b"/" + path)

    def _batch_name(self, batch_id: int | None) -> str | None:
        if batch_id is None:
            return None
        if batch_id not in self._batches:
            self._batches[batch_id] = outcomes.batch_name(self._conn, batch_id)
        return self._batches[batch_id]


def _batch(conn: Connection, batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "name": batch.name,
        "is_new": outcomes.is_new(conn, batch),
        "status": batch.status.value,
        "file_count": batch.file_count,
        "size_bytes": batch.size_bytes,
        "target": batch.target,
        "transfer_mode": batch.transfer_mode,
        "peer_policy": batch.peer_policy,
        "at_the_peer": peer_words(batch.target, batch.peer_policy),
    }
