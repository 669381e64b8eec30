"""Executing runs one at a time in this process, and making good what an earlier process left half-done."""

from __future__ import annotations

import threading

from app.db import runs
from app.errors import MediaPipelineError, RootUnavailable
from app.log import get_logger, working_on
from app.pipeline.execution import fail_run
from app.pipeline.workflow import execute, let_wait
from app.services import ServiceContainer, Services
from worker.recover import recover_files, requeue_interrupted
from worker.revisions import services_for_run


class Executor:
    """Made once in a process that holds the mover's lock."""

    def __init__(self, container: ServiceContainer, stopping: threading.Event) -> None:
        self._container = container
        self._stopping = stopping
        self._working = threading.Lock()
        self._files_recovered = False
        self._state_dir = container.services.state_dir

    @property
    def is_busy(self) -> bool:
        """Whether a run is being executed just now."""
        return self._working.locked()

    def execute(self, run_id: int) -> None:
        """Take the run as far as it goes now; never raises."""
        with self._working, working_on(run_id=run_id):
            if self._stopping.is_set():
                return
            try:
                with services_for_run(self._container, run_id) as services:
                    if services.state_dir == self._state_dir:
                        self._execute(services, run_id)
            # The database or the configuration cannot be used: nothing can be written now; the tick tries again.
            except MediaPipelineError as error:
                get_logger().error("the run could not be executed", reason=str(error))

    def _execute(self, services: Services, run_id: int) -> None:
        try:
            self._recover_files_once(services)
            get_logger().info("the run is taken up")
            execute(services, run_id, self._stopping)
            get_logger().info("the run is left", status=_status(services, run_id))
        except MediaPipelineError as error:
            waits = isinstance(error, RootUnavailable) and let_wait(services, run_id, error, self._stopping)
            if not waits:
                fail_run(services, run_id, str(error))
        # The actor is a door: what nobody foresaw ends this one run, and says so where the user looks.
        except Exception as error:  # noqa: BLE001
            get_logger().exception("the run failed")
            fail_run(services, run_id, f"Something unforeseen went wrong ({type(error).__name__}: {error}).")

    def mend(self) -> None:
        """Finish or undo what was cut off, and queue runs again that are marked running though nobody executes them.

        Does nothing while a run is executed. Raises MediaPipelineError when it is not possible now.
        """
        if self._stopping.is_set() or not self._working.acquire(blocking=False):
            return
        try:
            services = self._container.services
            if services.state_dir == self._state_dir:
                requeue_interrupted(services)
                self._recover_files_once(services)
        finally:
            self._working.release()

    def _recover_files_once(self, services: Services) -> None:
        if not self._files_recovered:
            self._files_recovered = recover_files(services)


def _status(services: Services, run_id: int) -> str | None:
    with services.db.reading() as conn:
        run = runs.find(conn, run_id)
    return run.status.value if run is not None else None
