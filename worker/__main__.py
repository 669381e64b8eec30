"""`python -m worker` executes runs until it is told to stop; `python -m worker --run ID` executes one and ends, with
`--stay` once a pairing test has its answer from the peer.

Exit codes: 0 stopped as asked, or the one run is done or waits; 1 the one run ended otherwise; 2 it could not begin.
"""

from __future__ import annotations

import argparse
import gc
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.config.store import default_path
from app.db import root_waits, runs
from app.errors import ConfigError, MediaPipelineError, MoverBusy, RootUnavailable
from app.files.lock import mover_lock
from app.jobs.keeping import keep_decisions
from app.log import configure_logging, get_logger
from app.model import RunStatus
from app.services import ServiceContainer, Services, set_up
from worker.executor import Executor
from worker.giving_way import give_way
from worker.service import serve, stop_on_signal
from worker.staying import wait_over

#: How long a start waits for the lock: a worker that is just ending, or a look at the lock, is not a second worker.
LOCK_SECONDS = 3.0
SUCCEEDED = (RunStatus.DONE, RunStatus.WAITING)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; returns the exit code."""
    options = _parse(arguments)
    # Rows make no cycles, and a batch has many: looking through all of them again and again took a sixth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        container = ServiceContainer(options.config or default_path())
        services = _open(container)
        give_way(services.config.system.worker_nice)
        if options.run is not None:
            return _carry(container, options.run, options.stay)
        with _lock(services.state_dir):
            return serve(container)
    except MediaPipelineError as error:
        reason = error.placed(options.config or default_path()) if isinstance(error, ConfigError) else str(error)
        get_logger().error("the worker cannot start", reason=reason)
        print(f"The worker cannot start: {reason}", file=sys.stderr)
        return 2


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker", description="Executes the runs that were asked for.")
    parser.add_argument("--config", metavar="PATH", help="the configuration file (else MEDIA_PIPELINE_CONFIG)")
    parser.add_argument("--run", metavar="ID", type=int, help="execute this one run in the foreground, then end")
    parser.add_argument("--stay", action="store_true", help="with --run: end when a pairing test has ended, not before")
    return parser.parse_args(arguments)


def _open(container: ServiceContainer) -> Services:
    snapshot = container.store.load()
    system = snapshot.config.system
    configure_logging("worker", system.log_dir, system.log_level, system.log_max_mb * 1_000_000, system.log_keep)
    try:
        set_up(snapshot).close()
    except RootUnavailable as error:
        # An unmounted share must not end the worker: runs say what is wrong, and go on when it is back.
        get_logger().error("a folder is not there", reason=str(error))
    return container.services


@contextmanager
def _lock(state_dir: Path) -> Iterator[None]:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            with mover_lock(state_dir):
                yield
                return
        except MoverBusy as error:
            if time.monotonic() > deadline:
                raise MoverBusy(f"A worker is running already on {state_dir}; only one may move files.") from error
            time.sleep(0.1)


def _carry(container: ServiceContainer, run_id: int, stays: bool) -> int:
    stopping = stop_on_signal()
    _execute(container, run_id, stopping)
    while stays and wait_over(container, run_id, stopping):
        _execute(container, run_id, stopping)
    with container.services.db.reading() as conn:
        run = runs.get(conn, run_id)
        is_stuck = run.status is RunStatus.WAITING and root_waits.is_waiting(conn, run.id)
    print(f"Run {run.id} is {run.status}." + (f" {run.error}" if run.error else ""), file=sys.stderr)
    return 0 if run.status in SUCCEEDED and not is_stuck else 1


def _execute(container: ServiceContainer, run_id: int, stopping: threading.Event) -> None:
    """Take the run as far as it goes now, under the mover's lock and no longer."""
    with _lock(container.services.state_dir):
        executor = Executor(container, stopping)
        executor.mend()
        executor.execute(run_id)
        keep_decisions(container.services)


if __name__ == "__main__":
    sys.exit(main())
