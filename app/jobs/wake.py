"""Waking the worker: a message that says "look at run N". The runs table is the truth; a lost message costs seconds."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from dramatiq import Message
from dramatiq.errors import BrokerError

from app.db import heartbeat
from app.files.lock import is_locked
from app.jobs.broker import QueueBroker
from app.log import get_logger
from app.services import Services

#: The actor and queue in worker/actors.py; named here so that no door has to import the worker.
EXECUTE_RUN = "execute_run"
RUN_QUEUE = "runs"
#: Thumbnails that somebody wants to see: see app/jobs/thumbnails.py. Its messages are forgotten once they are handled.
THUMBNAIL_QUEUE = "thumbnails"
QUEUE_FILE = "queue.sqlite"

_brokers: dict[str, QueueBroker] = {}
_brokers_lock = threading.Lock()


def broker_for(state_dir: Path) -> QueueBroker:
    """The broker of this state folder; one per process and folder. Opens nothing yet."""
    path = os.path.join(os.fspath(state_dir), QUEUE_FILE)
    with _brokers_lock:
        if path not in _brokers:
            broker = QueueBroker(path, middleware=[], forgets=(THUMBNAIL_QUEUE,))
            broker.declare_queue(RUN_QUEUE)
            broker.declare_queue(THUMBNAIL_QUEUE)
            _brokers[path] = broker
        return _brokers[path]


def wake_worker(services: Services, run_id: int) -> None:
    """Tell the worker that a run is queued. A failure is only logged: the worker looks for queued runs by itself."""
    message: Message[None] = Message(
        queue_name=RUN_QUEUE, actor_name=EXECUTE_RUN, args=(run_id,), kwargs={}, options={}
    )
    try:
        broker_for(services.state_dir).enqueue(message)
    except BrokerError as error:
        get_logger().warning("the worker could not be woken", run_id=run_id, reason=str(error))


def worker_alive(services: Services) -> bool:
    """Whether a long-lived worker holds the lock and has given a sign of life lately."""
    with services.db.reading() as conn:
        seen_at = heartbeat.find(conn)
    return heartbeat.is_recent(seen_at) and is_locked(services.state_dir)
