"""The long-lived worker: Dramatiq's Worker in this very process, so that no child is left when it dies."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence

from dramatiq import Worker

from app.db import heartbeat
from app.jobs.broker import QueueBroker
from app.jobs.wake import RUN_QUEUE, THUMBNAIL_QUEUE, open_broker
from app.log import get_logger
from app.services import ServiceContainer
from worker.actors import declare_run, declare_thumbnail
from worker.executor import Executor
from worker.recover import tell_cut_off
from worker.schedule import Schedule
from worker.thumbnails import Thumbnails
from worker.updates import note_version

#: A run that does not reach a safe point in this time is cut off, as by a kill; recovery makes it good.
STOP_SECONDS = 8.0
#: A thumbnail that is not done in this time is not waited for.
DRAWER_STOP_MILLISECONDS = 1_000
#: How long Dramatiq's threads sleep when there is nothing to do; a stop takes at least this long.
IDLE_MILLISECONDS = 200
#: Exit code when the database has moved and the supervisor is to start the worker again.
START_AGAIN = 3


def serve(container: ServiceContainer) -> int:
    """Execute runs until SIGTERM or SIGINT; returns the exit code. The caller holds the mover's lock."""
    stopping = stop_on_signal()
    state_dir = container.services.state_dir
    executor = Executor(container, stopping)
    schedule = Schedule(container, executor, stopping)
    # Two, each with a thread: a run takes hours, and somebody looks at pictures meanwhile.
    broker, wanted = open_broker(state_dir, RUN_QUEUE), open_broker(state_dir, THUMBNAIL_QUEUE)
    thumbnails = Thumbnails(container, stopping)
    declare_run(broker, executor.execute)
    declare_thumbnail(wanted, thumbnails.make)
    broker.recover()
    worker, drawer = _consume(broker), _consume(wanted)
    tell_cut_off(container.services)
    note_version(container.services)
    worker.start()
    drawer.start()
    schedule.start()
    get_logger().info("the worker is ready")
    stopping.wait()
    drawer.stop(timeout=DRAWER_STOP_MILLISECONDS)
    thumbnails.end()
    _stop(worker, schedule)
    _sign_off(container)
    broker.close()
    wanted.close()
    code = 0 if container.services.state_dir == state_dir else START_AGAIN
    _leave_at_once_if_busy((worker, drawer), code)
    return code


def _consume(broker: QueueBroker) -> Worker:
    worker = Worker(broker, worker_threads=1, worker_timeout=IDLE_MILLISECONDS)
    # A message in this process's memory could be handled by nobody else.
    worker.queue_prefetch = 1
    return worker


def stop_on_signal() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets; later ones change nothing.

    A thread reads of it from a pipe that is written whichever thread the signal reaches: a handler in Python runs in
    the main thread alone, which may sleep on, and could wait there for a lock that it holds.
    """
    stopping = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    wanted = (signal.SIGTERM, signal.SIGINT)

    def wait() -> None:
        while os.read(reading, 1)[0] not in wanted:
            pass
        get_logger().info("asked to stop")
        stopping.set()

    for number in wanted:
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stopping


def _stop(worker: Worker, schedule: Schedule) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    worker.stop(timeout=int(STOP_SECONDS * 1000))
    schedule.join(max(1.0, deadline - time.monotonic()))


def _sign_off(container: ServiceContainer) -> None:
    with container.services.db.transaction() as conn:
        heartbeat.sign_off(conn)
    get_logger().info("the worker has stopped")


def _leave_at_once_if_busy(workers: Sequence[Worker], code: int) -> None:
    """A thread in the middle of a long copy would keep the interpreter from ending."""
    if any(thread.is_alive() for worker in workers for thread in worker.workers):
        logging.shutdown()
        os._exit(code)
