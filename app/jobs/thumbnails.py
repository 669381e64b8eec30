"""Asking the worker for thumbnails: by messages on a queue of their own, never many, never twice the same.

A lost message costs nothing: whoever looks at the file again asks again.
"""

from __future__ import annotations

import threading
import time

from dramatiq import Message
from dramatiq.errors import BrokerError

from app.jobs.wake import THUMBNAIL_QUEUE, broker_for
from app.log import get_logger
from app.services import Services

#: The actor in worker/actors.py.
MAKE_THUMBNAIL = "make_thumbnail"
#: A few pages full of pictures.
MOST_WAITING = 300
#: Somebody who looks at the same file again within this time waits for the message that is there.
ASKED_SECONDS = 20.0
MOST_REMEMBERED = 2_000

_asked: dict[tuple[str, int], float] = {}
_lock = threading.Lock()


def ask_for_thumbnail(services: Services, asset_id: int) -> bool:
    """Have the worker make the thumbnail of a file when it has time; False when too many wait already."""
    if _was_asked(services.db.path, asset_id):
        return True
    message: Message[None] = Message(
        queue_name=THUMBNAIL_QUEUE,
        actor_name=MAKE_THUMBNAIL,
        args=(asset_id,),
        kwargs={},
        options={},
        message_id=f"thumbnail-{asset_id}",
    )
    try:
        broker = broker_for(services.state_dir)
        if broker.has_waiting(THUMBNAIL_QUEUE, MOST_WAITING):
            forget(services.db.path, asset_id)
            return False
        broker.enqueue(message)
    except BrokerError as error:
        get_logger().warning("a thumbnail could not be asked for", asset_id=asset_id, reason=str(error))
        forget(services.db.path, asset_id)
        return False
    return True


def forget(database: str, asset_id: int) -> None:
    """Let it be asked for again at once."""
    with _lock:
        _asked.pop((database, asset_id), None)


def _was_asked(database: str, asset_id: int) -> bool:
    """Whether it was asked for a moment ago; from now on it was."""
    moment = time.monotonic()
    with _lock:
        if moment - _asked.get((database, asset_id), float("-inf")) < ASKED_SECONDS:
            return True
        if len(_asked) >= MOST_REMEMBERED:
            _asked.clear()
        _asked[database, asset_id] = moment
    return False
