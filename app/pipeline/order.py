"""The order of the stages, and how a run goes through all of them. No other module knows the order.

A workflow run scans and deduplicates once. Then it carries every open batch forward (sync, sort, cleanup), inspects
what is new and builds the next batch, until there is nothing left to batch. At a delivery that is not finished it
becomes `waiting` and lets go; the worker's tick looks at deliveries and wakes it. All state is in rows, so a run that
was paused, cut off or woken simply begins again here. A preview goes through the same order, with stages that change
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.db import batches, members
from app.db.clock import now
from app.db.connection import Connection
from app.model import OPEN_BATCH, AssetStatus, Batch, BatchStatus, Report, RunStatus, Stage
from app.pipeline import batch, cleanup, dedup, holding, inspect, scan, sort, staging_ground, sync
from app.pipeline.execution import Ending, Execution, StageFunction
from app.pipeline.step import StepContext
from app.services import Services

UNDELIVERED = (BatchStatus.PENDING, BatchStatus.SYNCING)
DELIVERED = (BatchStatus.SYNCED, BatchStatus.SORTING)


def sort_with_peer_kept(services: Services, step: StepContext) -> Report:
    """The sort stage; before the first file leaves the batch folder, the peer is told to keep its copies.

    Under other policies it is told afterwards that they are gone from here.
    """
    with services.db.reading() as conn:
        if step.batch_id is None:
            step.batch_id = next((b.id for b in batches.list_by_status(conn, DELIVERED)), None)
        delivered = batches.get(conn, step.batch_id) if step.batch_id is not None else None
        is_late = delivered is not None and _has_late_files(conn, delivered)
    if delivered is None or not (is_late or delivered.status in DELIVERED):
        return _sort(services, step)
    early = sort.what_it_waits_for(delivered, now())
    waiting = Report("waiting", early, batch_id=delivered.id) if early else sync.retain_at_peer(services, delivered)
    if waiting is not None:
        # No look wakes a run for a batch that is sorted: its late files are taken up by the next run.
        return replace(waiting, outcome="blocked") if is_late else waiting
    report = _sort(services, step, delivered.peer_policy)
    sync.announce_removal(services, delivered)
    holding.drop_finished(services)
    return report


def _has_late_files(conn: Connection, sorted_batch: Batch) -> bool:
    """Whether files of a batch that is sorted already still lie in its folder, to be archived after all."""
    counted = members.count(conn, sorted_batch.id)
    return sorted_batch.status is BatchStatus.SORTED and AssetStatus.DELIVERED in counted


def _sort(services: Services, step: StepContext, settled_policy: str | None = None) -> Report:
    """A file may have no other copy than a hold that no row knows: such holds are adopted before it is looked for."""
    holding.adopt_unknown(services)
    return sort.run(services, step, settled_policy)


def batch_with_holds(services: Services, step: StepContext) -> Report:
    """The batch stage; what is prepared is hidden from peers first, and files get their holds before publishing."""
    waits_for = staging_ground.may_batch(services)
    if waits_for is not None:
        return Report("blocked", waits_for, batch_id=step.batch_id)
    return batch.run(services, step, holding.before_publishing)


def cleanup_and_announce(services: Services, step: StepContext) -> Report:
    """The cleanup stage, with holds that were left; a peer that does not keep its copies is told what is gone."""
    holding.drop_finished(services)
    report = cleanup.run(services, step)
    with services.db.reading() as conn:
        ended = batches.find(conn, step.batch_id) if step.batch_id is not None else None
    if ended is not None and ended.cleaned_at is not None:
        sync.announce_removal(services, ended)
    return report


#: The stages of the whole workflow, in their order.
STAGES: Mapping[Stage, StageFunction] = {
    Stage.SCAN: scan.run,
    Stage.DEDUP: dedup.run,
    Stage.INSPECT: inspect.run,
    Stage.BATCH: batch_with_holds,
    Stage.SYNC: sync.run,
    Stage.SORT: sort_with_peer_kept,
    Stage.CLEANUP: cleanup_and_announce,
}

#: Those that it takes once, before its loop.
ONCE = (Stage.SCAN, Stage.DEDUP)


def take_all(execution: Execution) -> Ending:
    """Go through the whole order as far as it goes now. Raises Stopped, StepFailed."""
    for stage in ONCE:
        if not execution.has_done(stage):
            execution.step(stage)
    _sort_late_files(execution)
    while True:
        waiting = _carry_open_batches(execution)
        if waiting is not None and not execution.services.config.batch.allow_parallel:
            return waiting
        execution.step(Stage.INSPECT)
        report = execution.step(Stage.BATCH)
        if report.outcome == "done":
            continue
        if report.outcome == "waiting":
            return _waits_for_room(execution, report)
        if waiting is not None:
            return waiting
        if report.outcome == "blocked":
            return _blocked(execution, report)
        return _nothing_left(execution)


def waits_for_a_person(services: Services, batch: Batch) -> bool:
    """Whether no workflow run takes the batch further: it failed, is taken back, or is not to be sorted by itself."""
    is_left = batch.status is BatchStatus.SYNCED and not services.config.syncthing.auto_sort_after_sync
    return is_left or batch.status in (BatchStatus.ERROR, BatchStatus.UNDOING)


def _blocked(execution: Execution, report: Report) -> Ending:
    """No batch can be made now. What peers could see is waited for: the worker looks again."""
    with execution.services.db.reading() as conn:
        if staging_ground.is_waited_for(conn):
            return Ending(RunStatus.WAITING, report.message, batch_id=report.batch_id)
    return Ending(RunStatus.DONE, report.message, "warning", report.batch_id)


def _waits_for_room(execution: Execution, report: Report) -> Ending:
    """The room at the peer is full: wait for a batch that gives some back, if any does so by itself."""
    with execution.services.db.reading() as conn:
        open_batches = batches.list_by_status(conn, OPEN_BATCH)
    if all(waits_for_a_person(execution.services, held) for held in open_batches):
        return Ending(RunStatus.DONE, report.message, "warning", report.batch_id)
    return Ending(RunStatus.WAITING, report.message, batch_id=report.batch_id)


def _nothing_left(execution: Execution) -> Ending:
    if execution.was_cut_off(Stage.CLEANUP):
        execution.step(Stage.CLEANUP)
    with execution.services.db.reading() as conn:
        held = batches.find_open(conn)
    if held is None:
        return Ending(RunStatus.DONE, "Everything is done.")
    who = "a person, who undoes it to the end" if held.status is BatchStatus.UNDOING else "a person"
    message = f"Everything else is done; batch {held.name} (id {held.id}) is {held.status} and waits for {who}."
    return Ending(RunStatus.DONE, message, "warning", held.id)


def _sort_late_files(execution: Execution) -> None:
    """Files that failed when their batch was sorted, and that a person has asked to try again since."""
    with execution.services.db.reading() as conn:
        found = [batches.get(conn, batch_id) for batch_id in members.list_batch_ids(conn, AssetStatus.DELIVERED)]
    for late in found:
        if late.status is BatchStatus.SORTED:
            execution.step(Stage.SORT, late.id)


def _carry_open_batches(execution: Execution) -> Ending | None:
    """Take every open batch as far as it goes; returns what the run has to wait for, if anything."""
    with execution.services.db.reading() as conn:
        open_batches = batches.list_by_status(conn, OPEN_BATCH)
    waiting = None
    for open_batch in open_batches:
        waiting = _carry(execution, open_batch) or waiting
    return waiting


def _carry(execution: Execution, carried: Batch) -> Ending | None:
    if carried.status is BatchStatus.PENDING and carried.published_at is None:
        execution.step(Stage.BATCH, carried.id)
    current = execution.batch(carried.id)
    if current is not None and current.status in UNDELIVERED:
        report = execution.step(Stage.SYNC, current.id)
        if report.outcome == "waiting":
            return Ending(RunStatus.WAITING, report.message, batch_id=current.id)
        current = execution.batch(carried.id)
    if current is None or current.status not in DELIVERED:
        return None
    return _archive(execution, current)


def _archive(execution: Execution, delivered: Batch) -> Ending | None:
    if delivered.status is BatchStatus.SYNCED:
        if not execution.services.config.syncthing.auto_sort_after_sync:
            return None
        waiting = sort.what_it_waits_for(delivered, now())
        if waiting is not None:
            return Ending(RunStatus.WAITING, waiting, batch_id=delivered.id)
    report = execution.step(Stage.SORT, delivered.id)
    if report.outcome == "waiting":
        return Ending(RunStatus.WAITING, report.message, batch_id=delivered.id)
    execution.step(Stage.CLEANUP, delivered.id)
    return None
