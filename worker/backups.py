"""Backups that start by the clock, as backup.schedule says.

A time that passed while the program was off is made up for once. One that fails is told, and tried again at the next
time of the schedule.
"""

from __future__ import annotations

from app.backup.making import make_backup
from app.backup.shelf import Backup, Keeping
from app.db import facts, journal
from app.db.clock import now
from app.errors import MediaPipelineError
from app.services import ServiceContainer, Services
from worker.timetable import Served, in_force, is_due, note

TICK_SECONDS = 20.0
#: The fact that holds the schedule in force, and up to when it has been served.
BACKUP_SCHEDULE = "backup_schedule"


def make_due_backup(container: ServiceContainer) -> Backup | None:
    """Make the backup that is due, and remove those that are too many or too old; None when none is due or it fails."""
    services = container.services
    served = in_force(services, BACKUP_SCHEDULE, [services.config.backup.schedule])
    if served is None or not is_due(served, now(), services.config.zone):
        return None
    made = _make(services, container.store.path)
    # Behind it: one that is cut off with the program is made again.
    note(services, BACKUP_SCHEDULE, Served(now(), served.expression))
    return made


def _make(services: Services, config_path: str) -> Backup | None:
    wanted = services.config.backup
    try:
        return make_backup(services, config_path, keeping=Keeping(wanted.keep_count, wanted.keep_days))
    except (MediaPipelineError, OSError) as error:
        _tell_failure(services, str(error))
        return None


def _tell_failure(services: Services, reason: str) -> None:
    message = f"The backup that was due could not be made: {reason}"
    with services.db.transaction() as conn:
        facts.put(conn, facts.BACKUP_FAILED, message)
        journal.record(conn, "backup.failed", message, level="error", detail={"reason": reason})
