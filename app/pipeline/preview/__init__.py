"""The preview stage: the whole workflow rehearsed, without touching a file.

The state database is copied, and the very stages of a workflow run are played on the copy, in their order, on a disk
that is only imagined (app/files/imagined.py). What the rows of the copy then say is what a run would do. Deliveries
are taken to succeed. The real database gets nothing but the run itself and the digests of the files that were read, so
that no later run has to read them again.
"""

from __future__ import annotations

from contextlib import suppress

from app.db import known_digests, moves, rehearsals
from app.errors import Conflict, StateError
from app.model import Report
from app.pipeline.preview.outcomes import write_outcomes
from app.pipeline.preview.rehearsal import Rehearsal, rehearse
from app.pipeline.preview.summary import summarize, summarize_duplicates
from app.pipeline.step import StepContext
from app.services import Services

__all__ = ["run"]


def run(services: Services, step: StepContext) -> Report:
    """Rehearse a workflow run and leave a summary in the report, and the details in the copy of the database.

    After a stop it begins afresh; what was read is not read again. It fails when the library cannot be looked
    through. Raises Conflict while a move is unfinished, StateError when there is no room for the copy.
    """
    with services.db.reading() as conn:
        if moves.has_open(conn):
            raise Conflict("A move was cut off and is not finished yet; the preview can begin when that is mended.")
    _keep_what_was_left(services, step.run_id)
    rehearsals.remove_all_but(services.db, rehearsals.KEPT)
    rehearsals.copy_database(services.db, step.run_id)
    with rehearsals.opened(services.db, step.run_id) as copy:
        rehearsal = Rehearsal(services, copy, step)
        try:
            rehearse(rehearsal)
            if rehearsal.is_blind:
                return Report("failed", rehearsal.stops_because or "")
            if rehearsal.only_duplicates:
                report = summarize_duplicates(rehearsal)
            else:
                write_outcomes(rehearsal)
                report = summarize(rehearsal)
        finally:
            rehearsal.disk.close()
    rehearsals.finish(services.db, step.run_id)
    return report


def _keep_what_was_left(services: Services, run_id: int) -> None:
    """When this preview was cut off before: what it had read is in the copy that it left, if that was made whole."""
    if not rehearsals.is_kept(services.db, run_id):
        return
    with rehearsals.opened(services.db, run_id) as left, suppress(StateError):
        known_digests.keep_what_was_read(left, services.db)
