"""Trying out where notifications and webhooks go: the worker sends a test, and what came of it is told."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.db import notices
from app.db.clock import now
from app.db.notices import SENT, WAITING, Notice
from app.errors import BadRequest, Conflict
from app.jobs.wake import worker_alive
from app.model.notices import TEST
from app.notify.targets import list_targets
from app.services import Services

#: A service that has not answered in this time is told as still under way.
WAIT_SECONDS = 20.0
LOOK_SECONDS = 0.2


class TestUnderWay(Conflict):
    """A test is being sent already."""

    retryable = True
    __test__ = False


@dataclass(frozen=True)
class Tried:
    """What came of a test to one target: `state` is sent, failed or waiting; `reason` is why it failed."""

    channel: str
    name: str
    state: str
    reason: str | None


def send_test(services: Services, wait_seconds: float = WAIT_SECONDS) -> list[Tried]:
    """Have the worker send a test to everybody, and wait for what came of it; the longest `wait_seconds`.

    Raises BadRequest when nobody is to be told, and Conflict without a worker or while a test is under way.
    """
    if not list_targets(services.config):
        raise BadRequest("Nobody is told of anything yet: add an address to notify.urls or notify.webhooks first.")
    if not worker_alive(services):
        raise Conflict("No worker is running, and only the worker sends. Start one with ./scripts/restart.sh.")
    ids, until = _ask(services), time.monotonic() + wait_seconds
    found = _look(services, ids)
    while any(one.state == WAITING for one in found) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        found = _look(services, ids)
    return [_tried(one) for one in found]


def _ask(services: Services) -> list[int]:
    with services.db.transaction() as conn:
        if notices.has_waiting(conn, TEST):
            raise TestUnderWay("A test is being sent already; wait a moment for what comes of it.")
        return [notices.add(conn, target.address, TEST, [], 1, now()) for target in list_targets(services.config)]


def _look(services: Services, ids: list[int]) -> list[Notice]:
    with services.db.reading() as conn:
        return notices.list_of(conn, ids)


def _tried(notice: Notice) -> Tried:
    state = notice.state if notice.state in (SENT, WAITING) else "failed"
    return Tried(notice.channel, notice.target, state, notice.error)
