"""Which configuration a run gets: the one that it began with, as long as it is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.db import runs
from app.errors import ConfigError, NotFound, StateError
from app.log import get_logger
from app.model import Run, StepStatus
from app.services import ServiceContainer, Services, open_services

#: A run whose newest step ended so begins a new stint, and adopts what was changed meanwhile: a delivery that waited
#: for days, or a failure that a person has mended in the settings and tries again.
NEW_STINT = (StepStatus.WAITING, StepStatus.FAILED)


@contextmanager
def services_for_run(container: ServiceContainer, run_id: int) -> Iterator[Services]:
    """The services to execute a run with; a run that was paused or cut off goes on under its own revision."""
    current = container.services
    revision = _own_revision(current, run_id)
    own = _open(container, revision) if revision not in (None, current.revision) else None
    try:
        yield own or current
    finally:
        if own is not None:
            own.close()


def _own_revision(services: Services, run_id: int) -> str | None:
    with services.db.reading() as conn:
        run = runs.find(conn, run_id)
        steps = runs.list_steps(conn, run_id)
    if run is None or not _has_begun(run) or (steps and steps[-1].status in NEW_STINT):
        return None
    return run.config_revision


def _has_begun(run: Run) -> bool:
    return run.started_at is not None


def _open(container: ServiceContainer, revision: str | None) -> Services | None:
    try:
        return open_services(container.store.load_revision(revision or ""))
    except (NotFound, ConfigError, StateError) as error:
        get_logger().warning("the configuration that the run began with is gone", reason=str(error))
        return None
