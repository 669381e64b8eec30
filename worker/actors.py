"""The actors: thin doors between a message and the code that does the work."""

from __future__ import annotations

from collections.abc import Callable

import dramatiq

from app.jobs.broker import QueueBroker
from app.jobs.wake import EXECUTE_RUN, RUN_QUEUE


def declare_actors(broker: QueueBroker, execute: Callable[[int], None]) -> None:
    """Let messages that name a run reach `execute`. A message is never retried: the runs table says what is due."""

    actor = dramatiq.actor(actor_name=EXECUTE_RUN, queue_name=RUN_QUEUE, broker=broker)

    @actor
    def execute_run(run_id: int) -> None:
        execute(run_id)
