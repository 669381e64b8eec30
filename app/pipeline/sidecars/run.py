"""The sidecars stage: what lies beside files with decided dates becomes what is wanted there.

A crash leaves every file due: what was written is recognised by its checksum, which the row has before the file is
made, and what was taken away is in the trash by the protocol of all moves.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.db import date_sidecars, journal
from app.db.clock import later
from app.errors import FileError, NoSpace, printable
from app.files.roots import check_roots
from app.model import AssetStatus, Report, RootKind
from app.model.counting import counted
from app.pipeline.failing import failure, finish_interrupted_moves
from app.pipeline.sidecars.placing import Placing
from app.pipeline.sidecars.wanted import Look, look_at
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Files looked at together.
SLICE = 200
#: A folder that is away, or full, is given so long before the worker starts the stage again by itself.
PAUSE_SECONDS = 3_600


def run(services: Services, step: StepContext) -> Report:
    """Bring every sidecar that is due up to date. Raises RootUnavailable, NoSpace."""
    tally, last_id = Tally(), 0
    while True:
        with services.db.reading() as conn:
            rows = date_sidecars.list_due(conn, last_id, SLICE)
        if not rows:
            return _report(services, step, tally)
        last_id = rows[-1].asset_id
        _settle(services, step, [row.asset_id for row in rows], tally)


def take_away_of_returned(services: Services, step: StepContext, asset_ids: Sequence[int]) -> None:
    """After a batch was taken back: what we wrote beside these goes where they have left the archive."""
    with services.db.transaction() as conn:
        date_sidecars.look_again(conn, asset_ids)
    tally = Tally()
    for start in range(0, len(asset_ids), SLICE):
        _settle(services, step, asset_ids[start : start + SLICE], tally)
    if tally.counts["removed"] or tally.failures:
        _report(services, step, tally)


def _settle(services: Services, step: StepContext, asset_ids: Sequence[int], tally: Tally) -> None:
    archive = services.root(RootKind.ARCHIVE)
    with services.db.transaction() as conn:
        # Whatever stops this run, the worker does not begin it again at once.
        date_sidecars.put_off(conn, asset_ids, later(PAUSE_SECONDS))
    check_roots(services.db, [archive])
    finish_interrupted_moves(services.db)
    with services.db.reading() as conn:
        rows = [row for i in asset_ids if (row := date_sidecars.find(conn, i)) is not None]
        looks = look_at(conn, rows)
    placing = Placing(services, step, archive)
    for look in looks:
        step.safe_point(tally.counts["seen"], tally.counts["seen"] + 1)
        placing.make_up(look)
        tally.counts["seen"] += 1
        _settle_one(services, placing, look, tally)
    placing.prune_folders()


def _settle_one(services: Services, placing: Placing, look: Look, tally: Tally) -> None:
    try:
        obstacle = look.obstacle
        if not look.is_right:
            done = placing.bring_about(look)
            obstacle = obstacle or done.obstacle
            tally.counts["written"] += done.written
            tally.counts["removed"] += done.removed
    except NoSpace:
        raise
    except FileError as error:
        obstacle = str(error)
    if obstacle:
        _tell_obstacle(services, placing.step, look, obstacle)
        tally.failures.append(failure(look.subject, obstacle))
    _close(services, look, obstacle)


def _close(services: Services, look: Look, obstacle: str) -> None:
    """A file that is decided and not in the archive is looked at again when it comes there."""
    row = look.row
    with services.db.transaction() as conn:
        if look.is_decided and look.subject.status is not AssetStatus.ARCHIVED and not obstacle:
            date_sidecars.look_again(conn, [row.asset_id])
            return
        date_sidecars.settle(conn, row.asset_id, row.due_at, note=obstacle or None)
        if not look.is_decided:
            date_sidecars.drop(conn, row.asset_id)


def _tell_obstacle(services: Services, step: StepContext, look: Look, obstacle: str) -> None:
    with services.db.transaction() as conn:
        words = f"Beside {printable(look.subject.path)} no sidecar with its decided date was written: {obstacle}."
        journal.record(conn, "asset.sidecar_refused", words, level="warning", run_id=step.run_id,
                       asset_id=look.subject.id, detail={"path": printable(look.subject.path), "reason": obstacle})


def _report(services: Services, step: StepContext, tally: Tally) -> Report:
    counts = {name: tally.counts[name] for name in ("written", "removed")}
    refused = len(tally.failures)
    if not any(counts.values()) and not refused:
        return Report("idle", "Every sidecar is as it should be.", detail=counts)
    words = f"{counted(counts['written'], 'sidecar was', 'sidecars were')} written"
    words += f", {counts['removed']:,} taken away" if counts["removed"] else ""
    words += f"; {refused:,} could not be, the first: {tally.failures[0].reason}" if refused else ""
    with services.db.transaction() as conn:
        detail = {**counts, "refused": refused}
        level = "warning" if refused else "info"
        journal.record(conn, "sidecars.finished", words + ".", level=level, run_id=step.run_id, detail=detail)
    return Report("done", words + ".", counts["written"], refused, failures=tally.failures, detail=counts)
