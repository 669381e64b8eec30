"""The actors: thin doors between a message and the code that does the work."""

from __future__ import annotations

from collections.abc import Callable

import dramatiq

from app.jobs.broker import QueueBroker
from app.jobs.thumbnails import MAKE_THUMBNAIL
from app.jobs.wake import EXECUTE_RUN, RUN_QUEUE, THUMBNAIL_QUEUE


def declare_actors(broker: QueueBroker, execute: Callable[[int], None], draw: Callable[[int], None]) -> None:
    """Let messages that name a run reach `execute`, and those that name a file whose thumbnail is wanted `draw`.

    A message is never retried: the runs table says what is due, and who looks at a file again asks again.
    """

    actor = dramatiq.actor(actor_name=EXECUTE_RUN, queue_name=RUN_QUEUE, broker=broker)

    @actor
    def execute_run(run_id: int) -> None:
        execute(run_id)

    wanted = dramatiq.actor(actor_name=MAKE_THUMBNAIL, queue_name=THUMBNAIL_QUEUE, broker=broker)

    @wanted
    def make_thumbnail(asset_id: int) -> None:
        draw(asset_id)
