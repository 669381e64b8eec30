"""The refile stage: the archive is filed anew, by today's dates, patterns and settings.

It plans first, and carries the plan out only when that was asked for. A plan alone is made on a copy of the rows, for
dates that would be others decide where files would go. To take such a run back is a plan as well: each file returns to
where it lay before.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.db import archived_groups, journal, plan_copies, refile_entries, runs
from app.db.archived_groups import Scope
from app.db.connection import Connection, Database
from app.db.refile_entries import DONE, FAILED, PLANNED, STAYS, Counts
from app.errors import printable
from app.files.roots import check_roots
from app.model import Failure, Report, RootKind, Stage
from app.pipeline.failing import finish_interrupted_moves
from app.pipeline.filing import REVIEW_FOLDER, REVIEW_REASON
from app.pipeline.refile.dating import Dating, date_anew
from app.pipeline.refile.moving import carry_out
from app.pipeline.refile.planning import Planning, make_plan
from app.pipeline.refile.refiling import Refiling
from app.pipeline.refile.way_back import plan_way_back
from app.pipeline.refile.words import end_in_words, in_numbers, plan_in_words
from app.pipeline.step import StepContext
from app.services import Services

__all__ = ["run"]

#: So many files that cannot move are told in the report; all can be asked for.
STAYING_TOLD = 100


def run(services: Services, step: StepContext) -> Report:
    """Plan, and do what is planned unless only the plan was asked for.

    Arguments of the run: `dry_run`; `asset_ids`, `decided_since`: only these; `undo_of`: the run to take back;
    `plan`: the plan that a person has seen. Raises RootUnavailable, NoSpace, StateError, Stopped; Conflict when there
    is nothing to take back.
    """
    archive = services.root(RootKind.ARCHIVE)
    check_roots(services.db, [archive])
    finish_interrupted_moves(services.db)
    with services.db.transaction() as conn:
        archived_groups.mend_reasons(conn, archive.id, REVIEW_FOLDER, REVIEW_REASON)
    if not step.arguments.get("dry_run"):
        return _carry_out(services, step, _plan(services, step, services.db))
    if step.arguments.get("undo_of") is not None:
        return _tell_plan(services, step, _plan(services, step, services.db))
    with plan_copies.copied(services.db, step.run_id) as rows:
        dated = _plan(services, step, rows)
    return _tell_plan(services, step, dated)


def _plan(services: Services, step: StepContext, rows: Database) -> int:
    """Plan on these rows, and return how many files have another local time than before."""
    undo_of = step.arguments.get("undo_of")
    if undo_of is not None:
        plan_way_back(services, step, int(undo_of))
        return 0
    asked = step.arguments
    scope = Scope(tuple(asked.get("asset_ids") or ()), asked.get("decided_since"), REVIEW_FOLDER)
    dating = Dating(services, step, rows, scope)
    date_anew(dating)
    make_plan(Planning(services, step, rows, scope))
    return dating.changed


def _tell_plan(services: Services, step: StepContext, dated: int) -> Report:
    with services.db.transaction() as conn:
        counts = refile_entries.count(conn, step.run_id)
        words, detail = plan_in_words(counts, dated), in_numbers(counts, dated)
        journal.record(conn, "refile.planned", words, run_id=step.run_id, detail=detail)
    planned = counts[PLANNED]
    return Report("done", words, planned.files, counts[STAYS].files, planned.size_bytes,
                  failures=_staying(services, step), detail=detail)


def _carry_out(services: Services, step: StepContext, dated: int) -> Report:
    with services.db.reading() as conn:
        begun = refile_entries.count(conn, step.run_id)
    done = begun[DONE]
    work = Refiling(services, step, begun[PLANNED].files + done.files, done.files, done.size_bytes)
    carry_out(work)
    undo_of, seen = step.arguments.get("undo_of"), step.arguments.get("plan")
    with services.db.transaction() as conn:
        counts = refile_entries.count(conn, step.run_id)
        differing = _differing(conn, step.run_id, int(seen), counts) if seen is not None else None
        words = end_in_words(counts, dated, differing, undone_run_id=undo_of)
        detail = {**in_numbers(counts, dated), "differing": differing, "undo_of": undo_of}
        level = "warning" if counts[FAILED].files or counts[STAYS].files else "info"
        kind = "refile.finished" if undo_of is None else "refile.undone"
        journal.record(conn, kind, words, level=level, run_id=step.run_id, detail=detail)
    left = counts[FAILED].files + counts[STAYS].files
    return Report("done", words, counts[DONE].files, left, counts[DONE].size_bytes,
                  failures=[*work.failures, *_staying(services, step)], detail=detail)


def _differing(conn: Connection, run_id: int, seen: int, counts: Mapping[str, Counts]) -> int | None:
    """How many files are moved otherwise than in the plan that was seen; None when that is not kept any more."""
    found = refile_entries.count_differing(conn, run_id, seen)
    if found is not None:
        return found
    told = next((one.report for one in runs.list_steps(conn, seen) if one.stage is Stage.REFILE), {})
    # Of a plan by which nothing is to move no entry is kept either.
    is_empty = (told.get("files"), told.get("stay")) == (0, 0)
    return sum(counts[state].files for state in (PLANNED, DONE, FAILED)) if is_empty else None


def _staying(services: Services, step: StepContext) -> list[Failure]:
    with services.db.reading() as conn:
        found = refile_entries.list_page(conn, step.run_id, STAYS, 0, STAYING_TOLD)
    return [Failure(printable(entry.from_path), entry.reason or "", entry.asset_id) for entry in found]
