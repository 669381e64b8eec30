"""The runs and steps tables. At most one run is in flight: `slot` is 1 for it, NULL for all others, and unique."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.db import confirmation, idempotency
from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import runs, steps
from app.errors import IllegalTransition, NotFound, RunInProgress
from app.model import IN_FLIGHT, Report, Run, RunKind, RunStatus, Stage, Step, StepStatus, Trigger

RUN_CONVERTERS: dict[str, Any] = {
    "kind": RunKind,
    "trigger": Trigger,
    "status": RunStatus,
    "stages": lambda text: tuple(Stage(s) for s in json.loads(text)),
    "arguments": json.loads,
}
STEP_CONVERTERS: dict[str, Any] = {"stage": Stage, "status": StepStatus, "report": json.loads}
#: Among so many of its last steps the one is looked for that says what came of a run.
LOOKED_BACK = 8

RUN_CHANGES: dict[RunStatus, tuple[RunStatus, ...]] = {
    RunStatus.QUEUED: (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLED, RunStatus.FAILED),
    RunStatus.RUNNING: (
        RunStatus.QUEUED,
        RunStatus.PAUSED,
        RunStatus.WAITING,
        RunStatus.DONE,
        RunStatus.FAILED,
        RunStatus.CANCELLED,
    ),
    RunStatus.PAUSED: (RunStatus.QUEUED, RunStatus.CANCELLED),
    RunStatus.WAITING: (RunStatus.QUEUED, RunStatus.CANCELLED, RunStatus.DONE, RunStatus.FAILED),
    RunStatus.DONE: (),
    RunStatus.FAILED: (RunStatus.QUEUED,),
    RunStatus.CANCELLED: (),
}


def _select() -> Select[Any]:
    return select(*columns_for(runs, Run))


def _run(row: Sequence[Any]) -> Run:
    return build(Run, row, RUN_CONVERTERS)


def insert_queued(
    conn: Connection,
    kind: RunKind,
    trigger: Trigger,
    stages: Sequence[Stage],
    batch_id: int | None = None,
    config_revision: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Run:
    """Insert a queued run and take the slot.

    Raises RunInProgress when another run holds it, and Conflict while a rebuild waits to be confirmed.
    """
    confirmation.refuse_run(conn, kind)
    busy = find_in_flight(conn)
    if busy is not None:
        raise RunInProgress(busy.id, busy.status)
    values = {
        "kind": kind.value,
        "trigger": trigger.value,
        "status": RunStatus.QUEUED.value,
        "stages": json.dumps([s.value for s in stages]),
        "batch_id": batch_id,
        "config_revision": config_revision,
        "arguments": json.dumps(dict(arguments or {})),
        "requested_at": now(),
        "slot": 1,
    }
    key = conn.execute(insert(runs).values(**values)).inserted_primary_key
    assert key is not None
    idempotency.note_run(conn, int(key[0]))
    return get(conn, int(key[0]))


def find(conn: Connection, run_id: int) -> Run | None:
    """The run, or None."""
    row = conn.execute(_select().where(runs.c.id == run_id)).first()
    return _run(row) if row else None


def get(conn: Connection, run_id: int) -> Run:
    """The run. Raises NotFound."""
    run = find(conn, run_id)
    if run is None:
        raise NotFound("run", run_id)
    return run


def find_in_flight(conn: Connection) -> Run | None:
    """The run that holds the slot (queued, running or paused), or None."""
    row = conn.execute(_select().where(runs.c.slot == 1)).first()
    return _run(row) if row else None


def find_last(conn: Connection, *kinds: RunKind) -> Run | None:
    """The newest run, optionally of some kinds, or None."""
    # Kind by kind: asked for several at once, SQLite sorts every run of theirs.
    newest = [select(func.max(runs.c.id)).where(runs.c.kind == kind.value) for kind in kinds] or [
        select(func.max(runs.c.id))
    ]
    ids = [conn.execute(query).scalar() for query in newest]
    last = max((run_id for run_id in ids if run_id is not None), default=None)
    return find(conn, last) if last is not None else None


def find_unanswered_failure(conn: Connection) -> Run | None:
    """The newest run, where it has failed; else the newest that did work of the workflow, where that has failed."""
    newest = (find_last(conn), find_last(conn, RunKind.WORKFLOW, RunKind.STAGE))
    return next((run for run in newest if run is not None and run.status is RunStatus.FAILED), None)


def list_by_status(conn: Connection, statuses: Sequence[RunStatus]) -> list[Run]:
    """Every run in one of these statuses, in id order."""
    return [_run(r) for r in conn.execute(_select().where(runs.c.status.in_(statuses)).order_by(runs.c.id))]


def list_recent(conn: Connection, limit: int = 20, before_id: int | None = None) -> list[Run]:
    """The newest runs first."""
    query = _select().order_by(runs.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(runs.c.id < before_id)
    return [_run(row) for row in conn.execute(query)]


def change(conn: Connection, run: Run, status: RunStatus, **columns: Any) -> Run:
    """Move the run from the status it was read with to another; takes or frees the slot. Returns it afresh.

    Raises IllegalTransition when that is not allowed or someone else was faster, RunInProgress when the
    slot is taken by another run, and Conflict for a run that would begin before a rebuild is confirmed.
    """
    if status in (RunStatus.QUEUED, RunStatus.RUNNING):
        confirmation.refuse_run(conn, run.kind)
    if status not in RUN_CHANGES[run.status]:
        raise IllegalTransition(f"Run {run.id}", run.status, status)
    values = {"status": status.value, "slot": 1 if status in IN_FLIGHT else None, **columns}
    if status is RunStatus.RUNNING and run.started_at is None:
        values["started_at"] = now()
    if status in (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED):
        values["ended_at"] = now()
    claim = update(runs).where(runs.c.id == run.id, runs.c.status == run.status.value)
    try:
        changed = conn.execute(claim.values(**values)).rowcount
    except IntegrityError as error:
        busy = find_in_flight(conn)
        if busy is None:
            raise
        raise RunInProgress(busy.id, busy.status) from error
    if changed != 1:
        raise IllegalTransition(f"Run {run.id}", "changed meanwhile", status)
    return get(conn, run.id)


def ask(conn: Connection, run_id: int, wish: str | None) -> None:
    """Note what a person wants of a run in flight: "pause", "cancel" or None; read at safe points."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(wish=wish))


def wish_of(conn: Connection, run_id: int) -> str | None:
    """What a person wants of this run."""
    return conn.execute(select(runs.c.wish).where(runs.c.id == run_id)).scalar()


def attach_batch(conn: Connection, run_id: int, batch_id: int | None) -> None:
    """Bind the run to the batch that it works on now."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(batch_id=batch_id))


def set_attempts(conn: Connection, run_id: int, attempts: int) -> None:
    """Write how often in a row the run was cut off without ending a step."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(attempts=attempts))


def start_step(conn: Connection, run_id: int, stage: Stage, batch_id: int | None) -> int:
    """Insert a running step; returns its id."""
    values = {
        "run_id": run_id,
        "stage": stage.value,
        "status": StepStatus.RUNNING.value,
        "batch_id": batch_id,
        "started_at": now(),
    }
    key = conn.execute(insert(steps).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def end_step(conn: Connection, step_id: int, status: StepStatus, report: Report, error: str | None = None) -> None:
    """Write how a step ended, with its report."""
    values = {
        "status": status.value,
        "ended_at": now(),
        "report": json.dumps(report.as_json()),
        "error": error,
        "batch_id": report.batch_id,
    }
    conn.execute(update(steps).where(steps.c.id == step_id).values(**values))


def progress(conn: Connection, step_id: int, done: int, total: int, size_bytes: int = 0) -> None:
    """Write how far a step is: files done, files in all, bytes done."""
    conn.execute(
        update(steps)
        .where(steps.c.id == step_id)
        .values(progress_done=done, progress_total=total, progress_bytes=size_bytes)
    )


def note_pace(conn: Connection, step_id: int, pace: Mapping[str, Any]) -> None:
    """Write how fast a step goes that looks for files or reads them, where its report will be."""
    here = (steps.c.id == step_id, steps.c.stage.in_([Stage.SCAN.value, Stage.DEDUP.value]))
    conn.execute(update(steps).where(*here).values(report=json.dumps({"pace": pace})))


def list_steps(conn: Connection, run_id: int, last: int | None = None) -> list[Step]:
    """The steps of a run in the order in which they began; only the last ones if a number is given."""
    query = select(*columns_for(steps, Step)).where(steps.c.run_id == run_id).order_by(steps.c.id.desc()).limit(last)
    return [build(Step, row, STEP_CONVERTERS) for row in conn.execute(query)][::-1]


def list_telling_steps(conn: Connection, run_ids: Sequence[int]) -> dict[int, Step]:
    """By run, the step that says what came of it: the last one, but for those at its end that had nothing to do or only
    tidied up. Runs without steps are left out."""
    ended = select(steps.c.run_id, func.max(steps.c.id).label("last")).where(steps.c.run_id.in_(run_ids))
    newest = ended.group_by(steps.c.run_id).subquery()
    is_near = (steps.c.run_id == newest.c.run_id) & (steps.c.id > newest.c.last - LOOKED_BACK)
    query = select(*columns_for(steps, Step)).join(newest, is_near).order_by(steps.c.id.desc())
    by_run: dict[int, list[Step]] = {}
    for row in conn.execute(query):
        step = build(Step, row, STEP_CONVERTERS)
        by_run.setdefault(step.run_id, []).append(step)
    return {run_id: next((s for s in found if not _is_idle(s)), found[0]) for run_id, found in by_run.items()}


def _is_idle(step: Step) -> bool:
    return step.status is StepStatus.SKIPPED or (step.status is StepStatus.DONE and step.stage is Stage.CLEANUP)


def list_warned_steps(conn: Connection, run_id: int, limit: int) -> list[Step]:
    """The first steps of a run that went on without some of their files."""
    warned = (steps.c.run_id == run_id) & (steps.c.status == StepStatus.WARNING.value)
    query = select(*columns_for(steps, Step)).where(warned).order_by(steps.c.id).limit(limit)
    return [build(Step, row, STEP_CONVERTERS) for row in conn.execute(query)]


def find_last_step(conn: Connection, stage: Stage) -> Step | None:
    """The newest step of a stage, whatever its run, or None."""
    query = select(*columns_for(steps, Step)).where(steps.c.stage == stage.value).order_by(steps.c.id.desc()).limit(1)
    row = conn.execute(query).first()
    return build(Step, row, STEP_CONVERTERS) if row else None
