"""Sending what waits, and trying again what could not be sent."""

from __future__ import annotations

from app.config.notifying import Webhook
from app.config.schema import Config
from app.db import journal, notices
from app.db.clock import later
from app.db.connection import Database
from app.db.notices import DROPPED, GIVEN_UP, SENT, Notice
from app.model.notices import TEST
from app.notify.messages import send_message
from app.notify.targets import Target, find_target
from app.notify.webhooks import post
from app.notify.words import body_of, title_of

#: The pause before the second attempt; each further one is twice as long, up to the longest.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30.0, 3_600.0
#: After so many attempts, which is about a day, a message is given up.
MOST_ATTEMPTS = 30


def send_notice(db: Database, config: Config, notice: Notice) -> None:
    """Send it and write down what came of it. Whoever is no longer to be told of it gets nothing."""
    target = find_target(config, notice.channel, notice.target)
    if target is None or not target.wants(notice.event):
        with db.transaction() as conn:
            notices.end(conn, notice, DROPPED)
        return
    fault = _attempt(target, notice)
    if fault is None:
        with db.transaction() as conn:
            notices.end(conn, notice, SENT)
    else:
        _note_fault(db, notice, fault)


def pause_seconds(attempts: int) -> float:
    """How long after so many attempts in vain the next one comes."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 20))


def _attempt(target: Target, notice: Notice) -> str | None:
    if isinstance(target.entry, Webhook):
        return post(target.entry, notice)
    return send_message(target.entry.url, title_of(notice), body_of(notice))


def _note_fault(db: Database, notice: Notice, fault: str) -> None:
    attempts = notice.attempts + 1
    with db.transaction() as conn:
        if notice.event == TEST:
            notices.end(conn, notice, GIVEN_UP, fault)
        elif attempts < MOST_ATTEMPTS:
            notices.put_off(conn, notice, fault, later(pause_seconds(attempts)))
        else:
            notices.end(conn, notice, GIVEN_UP, fault)
            what = "notification to" if notice.channel == notices.MESSAGE else "webhook"
            message = f"The {what} {notice.target} was given up after {attempts} attempts: {fault}"
            journal.record(conn, "notice.given_up", message, level="warning", detail=_detail(notice, fault))


def _detail(notice: Notice, fault: str) -> dict[str, object]:
    return {
        "channel": notice.channel,
        "target": notice.target,
        "event": notice.event,
        "count": notice.count,
        "reason": fault,
    }
