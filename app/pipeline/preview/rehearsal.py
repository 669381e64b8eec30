"""Playing a workflow run: its order and its stages, over a copy of the rows and an imagined disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.config.schema import Config
from app.db import assets, batch_devices, batches, deliveries, facts, known_digests, outcomes, runs
from app.db.clock import now
from app.db.connection import Connection, Database
from app.files.imagined import ImaginedDisk
from app.model import ONLY_DUPLICATES, OPEN_BATCH, AssetStatus, Batch, BatchStatus, Report, Run, RunStatus, Stage
from app.pipeline import batch, dedup, deliver_folder, inspect, order, scan, sort
from app.pipeline.delivered import finish
from app.pipeline.execution import Ending, Execution, StageFunction, StepFailed
from app.pipeline.step import StepContext
from app.services import Services

#: Without these stages nothing can be said at all; a later one that fails is what the preview has to tell.
LOOKING = (Stage.SCAN, Stage.DEDUP, Stage.INSPECT)

ASSUMED = "The delivery is taken to succeed."
#: Stands for the only peer, which nobody asks Syncthing for.
A_PEER = "the peer"


@dataclass
class Rehearsal:
    """One preview: what it plays on, and what it finds out that no row says."""

    real: Services
    copy: Database
    step: StepContext
    ending: Ending = field(default_factory=lambda: Ending(RunStatus.DONE, ""))
    #: Why the run would stop before its end, if it would.
    stops_because: str | None = None
    #: Whether that is because the library cannot even be looked through.
    is_blind: bool = False
    delivery_waits_for: list[str] = field(default_factory=list)
    #: The batches whose files a person has to delete at the peer before the run goes on.
    release_waits_for: list[str] = field(default_factory=list)
    began_at: str = field(default_factory=now)

    def __post_init__(self) -> None:
        self.disk = ImaginedDisk(self.copy)
        self.only_duplicates = dict(self.step.arguments) == ONLY_DUPLICATES
        config = _labelling(self.real.config) if self.only_duplicates else self.real.config
        self.services = replace(self.real, config=config, db=self.copy, disk=self.disk)


class RehearsedStep(StepContext):
    """What a rehearsed stage is given: its safe points are those of the preview itself."""

    def __init__(self, given: StepContext, preview: StepContext) -> None:
        super().__init__(
            given.services, given.run_id, given.step_id, given.batch_id, given.stopping, given.arguments
        )
        self._preview = preview

    def safe_point(self, done: int, total: int, size_bytes: int = 0, left_bytes: int | None = None) -> None:
        """Note how far the preview is, and raise Stopped when it has to stop here."""
        self._latest = (done, total, size_bytes)
        self._preview.safe_point(done, total, size_bytes, left_bytes)


class RehearsedExecution(Execution):
    """A workflow run on the copy. Wishes come to the preview, and there is no pause after each step."""

    def __init__(self, rehearsal: Rehearsal, run: Run, stages: Mapping[Stage, StageFunction]) -> None:
        super().__init__(rehearsal.services, run, rehearsal.step.stopping, stages)
        self._preview = rehearsal.step

    def _heed_wishes(self) -> None:
        self._preview.safe_point(*(self._preview.progress or (0, 0)))

    def _work(self, stage: Stage, context: StepContext) -> Report:
        # The log is no place to read of what was only played.
        return self._stages[stage](self.services, context)


def rehearse(rehearsal: Rehearsal) -> None:
    """Play the run to where it would end. Raises Stopped."""
    with rehearsal.copy.transaction() as conn:
        outcomes.make_tables(conn)
        facts.put(conn, outcomes.BEGAN_AT, rehearsal.began_at)
        for waiting in batches.list_by_status(conn, OPEN_BATCH):
            batches.set_columns(conn, waiting.id, next_look_at=None)
        run = runs.get(conn, rehearsal.step.run_id)
    execution = RehearsedExecution(rehearsal, run, _stages(rehearsal))
    try:
        rehearsal.ending = _take(rehearsal, execution)
    except StepFailed as failed:
        rehearsal.stops_because = str(failed)
        rehearsal.is_blind = _last_stage(rehearsal) in LOOKING
    finally:
        scan.forget_first_looks(rehearsal.copy)


def _take(rehearsal: Rehearsal, execution: Execution) -> Ending:
    if not rehearsal.only_duplicates:
        return order.take_all(execution)
    for stage in order.ONCE:
        execution.step(stage)
    return Ending(RunStatus.DONE, "")


def _labelling(config: Config) -> Config:
    """The same with duplicates left where they are: a list of them is to say where each lies now."""
    if config.dedup.duplicate_policy != "quarantine":
        return config
    return config.model_copy(update={"dedup": config.dedup.model_copy(update={"duplicate_policy": "label"})})


def _last_stage(rehearsal: Rehearsal) -> Stage:
    with rehearsal.copy.reading() as conn:
        return runs.list_steps(conn, rehearsal.step.run_id, 1)[0].stage


def _stages(rehearsal: Rehearsal) -> dict[Stage, StageFunction]:
    def rehearsed(stage: StageFunction) -> StageFunction:
        return lambda services, step: stage(services, RehearsedStep(step, rehearsal.step))

    def dedup_and_keep(services: Services, step: StepContext) -> Report:
        try:
            return dedup.run(services, step)
        finally:
            known_digests.keep_what_was_read(rehearsal.copy, rehearsal.real.db)

    def batch_and_keep(services: Services, step: StepContext) -> Report:
        try:
            return batch.run(services, step)
        finally:
            known_digests.keep_what_was_read(rehearsal.copy, rehearsal.real.db)

    def inspect_and_note(services: Services, step: StepContext) -> Report:
        report = inspect.run(services, step)
        with services.db.transaction() as conn:
            outcomes.note_doubts(conn)
        return report

    return {
        Stage.SCAN: rehearsed(scan.run),
        Stage.DEDUP: rehearsed(dedup_and_keep),
        Stage.INSPECT: rehearsed(inspect_and_note),
        Stage.BATCH: rehearsed(batch_and_keep),
        Stage.SYNC: rehearsed(lambda services, step: _deliver(rehearsal, services, step)),
        Stage.SORT: rehearsed(sort.run),
        Stage.CLEANUP: lambda _services, _step: Report("idle", "A rehearsal removes nothing."),
    }


def _deliver(rehearsal: Rehearsal, services: Services, step: StepContext) -> Report:
    """The sync stage, when all goes well: nobody is asked, and what is copied to a folder is copied in thought."""
    assert step.batch_id is not None  # the order names the batch
    with services.db.reading() as conn:
        carried = batches.get(conn, step.batch_id)
    if carried.published_at is None:
        return Report("idle", f"Batch {carried.name} is still being built.", batch_id=carried.id)
    if carried.target == "folder":
        report = deliver_folder.deliver(services, carried, step.run_id, step)
        if report.outcome != "waiting":
            return report
        rehearsal.delivery_waits_for.append(report.message)
    with services.db.transaction() as conn:
        carried = batches.get(conn, carried.id)
        if carried.status in (BatchStatus.PENDING, BatchStatus.SYNCING):
            if carried.target == "syncthing" and carried.peer_policy == "release":
                rehearsal.release_waits_for.append(carried.name)
            batches.set_columns(conn, carried.id, released_at=now())
            _assume_proofs(conn, services, carried)
    return finish(services, carried, step.run_id, ASSUMED)


def _assume_proofs(conn: Connection, services: Services, carried: Batch) -> None:
    """Every file of a batch for a peer counts as proven there, at whichever devices must have it."""
    if carried.target != "syncthing":
        return
    if not batch_devices.list_of(conn, carried.id):
        batch_devices.add(conn, carried.id, services.config.syncthing.required_ids or (A_PEER,))
    files = [(asset.id, None) for asset in assets.list_in_batch(conn, carried.id, AssetStatus.BATCHED)]
    for device in batch_devices.list_of(conn, carried.id):
        deliveries.confirm(conn, carried.id, device.device_id, files)
