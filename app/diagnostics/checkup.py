"""Every check in its order. One that fails or hangs is a fault of its own and never hides the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from app.db.clock import now
from app.diagnostics import database, folders, home_assistant, processes, settings, tools, work
from app.diagnostics.syncthing import examine_syncthing
from app.diagnostics.verdict import verdict
from app.errors import ConfigError, MediaPipelineError
from app.services import ServiceContainer, Services
from app.syncthing.checks import FAULT, OK, WARNING, Check

Look = Callable[[Services], Iterator[Check]]

#: A share that does not answer holds a look up for ever; a large database takes its time.
PATIENCE_SECONDS = 20.0
DATABASE_PATIENCE_SECONDS = 600.0
#: A page is waiting.
FOLDER_PATIENCE_SECONDS = 5.0

LOOKS: tuple[tuple[str, Look, float], ...] = (
    ("database", database.check_database, DATABASE_PATIENCE_SECONDS),
    ("totals", database.check_totals, DATABASE_PATIENCE_SECONDS),
    ("rebuild", database.check_confirmation, PATIENCE_SECONDS),
    ("backup", database.check_backup, PATIENCE_SECONDS),
    ("moves", work.check_moves, PATIENCE_SECONDS),
    ("trash", work.check_trash, PATIENCE_SECONDS),
    ("roots", folders.check_folders, PATIENCE_SECONDS),
    ("mounts", folders.check_ways, PATIENCE_SECONDS),
    ("worker", processes.check_worker, PATIENCE_SECONDS),
    ("web", processes.check_web, PATIENCE_SECONDS),
    ("queue file", processes.check_queue_file, PATIENCE_SECONDS),
    ("logs", processes.check_logs, PATIENCE_SECONDS),
    ("mqtt", home_assistant.check_broker, PATIENCE_SECONDS),
    ("clock", settings.check_clock, PATIENCE_SECONDS),
    ("time zone", settings.check_zone, PATIENCE_SECONDS),
    ("tools", tools.check_tools, PATIENCE_SECONDS),
    ("batches", work.check_batches, PATIENCE_SECONDS),
    ("files", work.check_files, PATIENCE_SECONDS),
    ("findings", work.check_findings, PATIENCE_SECONDS),
    ("leftovers", work.check_leftovers, PATIENCE_SECONDS),
)


def doctor(container: ServiceContainer) -> dict[str, Any]:
    """Every check, `ok` when none found a fault, a `summary`; works also when settings or database cannot be used."""
    found = [*settings.check_settings(container)]
    try:
        services = container.services
    except (ConfigError, FileNotFoundError):
        pass  # told above, fault by fault
    except MediaPipelineError as error:
        found.append(Check("database", FAULT, str(error), "Follow that sentence, then look again."))
    else:
        found += run_checks(services)
    return _report(found)


def _report(found: list[Check]) -> dict[str, Any]:
    counted = Counter(check.state for check in found)
    return {
        "ok": counted[FAULT] == 0,
        "summary": verdict(found),
        "checked_at": now(),
        "counts": {state: counted[state] for state in (OK, WARNING, FAULT)},
        "checks": [asdict(check) for check in found],
    }


def run_checks(services: Services) -> list[Check]:
    """Every check that needs a configuration and a database. Never raises: what cannot be looked at is a fault."""
    found: list[Check] = []
    for name, look, patience_seconds in LOOKS:
        found += _within(name, look, services, patience_seconds)
    if services.config.sync_target == "syncthing":
        found += examine_syncthing(services).checks
    return found


def check_folders(services: Services) -> list[Check]:
    """What is known of the root folders alone: mounted, ours, writable, with room; and whether moves are renames."""
    wanted = [entry for entry in LOOKS if entry[0] in ("roots", "mounts")]
    return [check for name, look, _ in wanted for check in _within(name, look, services, FOLDER_PATIENCE_SECONDS)]


def _within(name: str, look: Look, services: Services, seconds: float) -> list[Check]:
    """What a look finds, in a thread that is left behind when it does not come back in time."""
    looking = _Looking(look, services)
    looking.start()
    looking.join(seconds)
    if looking.is_alive():
        fix = "Is a share or disk away? Mount it again."
        return [Check(name, FAULT, f"No answer came within {seconds:.0f} s.", fix)]
    try:
        return looking.result()
    except (MediaPipelineError, OSError) as error:
        return [Check(name, FAULT, str(error), "Correct that, then look again.")]


class _Looking(threading.Thread):
    """One look in a thread that keeps nobody from ending."""

    def __init__(self, look: Look, services: Services) -> None:
        super().__init__(daemon=True)
        self._look, self._services = look, services
        self._found: list[Check] = []
        self._error: Exception | None = None

    def run(self) -> None:
        """Look; what goes wrong is kept for the thread that waits."""
        try:
            self._found = list(self._look(self._services))
        except Exception as error:  # noqa: BLE001  raised again by result(), in the thread that has a door
            self._error = error

    def result(self) -> list[Check]:
        """What was found. Raises what the look raised."""
        if self._error is not None:
            raise self._error
        return self._found
