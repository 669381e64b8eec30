"""A real worker tells what happened: over a kill between the event and the sending, and without a secret anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.jobs import send_test
from app.jobs.notifying import Tried
from tests.notify.receiver import Receiver
from tests.notify.telling import SECRET, TOKEN, happen, phone, program, states
from tests.worker.installation import Installation


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def every_byte_below(folder: Path) -> bytes:
    """Of all files but the settings themselves and their kept revisions."""
    names = [os.path.join(base, name) for base, _, files in os.walk(folder) for name in files]
    kept = (str(folder / "config.yaml"), str(folder / "revisions"))
    return b"\n".join(Path(name).read_bytes() for name in names if not name.startswith(kept))


def test_a_worker_that_is_killed_between_the_event_and_the_sending_loses_nothing(
    install: Callable[..., Installation], receiver: Receiver
) -> None:
    site = install(notify={"urls": [phone(receiver)], "webhooks": [program(receiver)]})
    worker = site.start_worker()
    site.until(lambda: looked_at(site), "the journal is read")
    happen(site.services, times=3)
    site.until(lambda: len(states(site.services)) == 2, "messages wait")
    site.kill(worker)
    assert {(state, count) for _, _, state, count, _ in states(site.services)} == {("waiting", 3)}
    assert receiver.got == []
    happen(site.services, times=2)
    site.start_worker()
    site.until(lambda: len(receiver.got) >= 2, "both are told")
    site.until(lambda: {state for _, _, state, *_ in states(site.services)} == {"sent"}, "it is written down")
    assert [count for *_, count, _ in states(site.services)] == [5, 5]


def test_a_test_says_of_each_target_what_came_of_it_and_no_secret_is_told_anywhere(
    install: Callable[..., Installation], receiver: Receiver
) -> None:
    wrong = {"name": "wrong", "url": f"nosuchservice://{TOKEN}@127.0.0.1/{TOKEN}"}
    with Receiver(status=403) as strict:
        site = install(
            notify={
                "urls": [phone(receiver), phone(strict, "strict"), wrong],
                "webhooks": [program(receiver), program(strict, name="closed")],
                "quiet_hours": "00:00-23:59",
            },
            system={"log_level": "debug"},
        )
        site.start_worker()
        tried = send_test(site.services)
        happen(site.services)
        site.until(lambda: ("closed", "run_failed", "waiting", 1, 1) in states(site.services), "one is put off")
    assert [(one.name, one.state) for one in tried] == [
        ("phone", "sent"), ("strict", "failed"), ("wrong", "failed"), ("program", "sent"), ("closed", "failed")
    ]  # fmt: skip
    assert [bool(one.reason) for one in tried] == [one.state == "failed" for one in tried]
    assert tried[4] == Tried("webhook", "closed", "failed", "the receiver answered 403")
    told = every_byte_below(site.base) + json.dumps([one.reason for one in tried]).encode() + site.output().encode()
    assert b"the worker is ready" in told
    assert TOKEN.encode() not in told
    assert SECRET.encode() not in told


def looked_at(site: Installation) -> bool:
    with site.services.db.reading() as conn:
        sql = "SELECT value FROM facts WHERE name = 'notices_looked_at'"
        return bool(conn.exec_driver_sql(sql).scalar())
