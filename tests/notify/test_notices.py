"""From an event to a message that arrives: once, soon, never a storm, and not at night."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.db import journal, notices
from app.model.notices import OCCASIONS
from app.notify import sending
from app.services import Services
from tests.notify.receiver import Receiver
from tests.notify.telling import TOKEN, happen, make_due, phone, program, states, tell, tell_at_last, telling


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def with_notify(services: Services, **changes: Any) -> Services:
    """The same with other settings, as after they were saved."""
    notify = services.config.notify.model_copy(update=changes)
    return replace(services, config=services.config.model_copy(update={"notify": notify}))


def events_of(services: Services, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [event.message for event in journal.list_events(conn, kind_prefix=kind)]


def test_what_happens_arrives_once_with_its_words(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, urls=[phone(receiver)])
    happen(services, "batch.synced", level="info")
    tell_at_last(services)
    tell_at_last(services)
    assert [(got["title"], got["message"]) for got in receiver.got] == [
        ("Media Pipeline: A batch was delivered", "batch.synced number 1.")
    ]
    assert states(services) == [("phone", "batch_delivered", "sent", 1, 1)]


def test_what_happened_before_anybody_was_to_be_told_is_no_news(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path)
    happen(services)
    tell_at_last(services)
    config = telling(tmp_path, urls=[phone(receiver)])
    tell_at_last(config)
    assert receiver.got == []
    happen(config)
    tell_at_last(config)
    assert len(receiver.got) == 1


def test_a_storm_of_events_is_one_message_with_their_number(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, urls=[phone(receiver)], webhooks=[program(receiver)])
    for _ in range(10):
        happen(services, times=50)
        tell(services)
    make_due(services)
    tell(services)
    messages = [got for got in receiver.got if "version" in got]
    posted = [got for got in receiver.got if "version" not in got]
    assert [got["title"] for got in messages] == ["Media Pipeline: 500 things failed"]
    assert messages[0]["message"].splitlines()[-1] == "And 495 more: the journal has them."
    assert [(got["count"], len(got["events"])) for got in posted] == [(500, notices.MOST_TOLD)]


def test_more_of_the_same_waits_for_the_window_while_another_event_is_told_at_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    services = telling(tmp_path, urls=[phone(receiver)], group_minutes=15)
    happen(services)
    tell_at_last(services)
    happen(services, times=3)
    happen(services, "peer.missed", level="warning")
    tell(services)
    with services.db.reading() as conn:
        sent_at = notices.last_sent_at(conn, ("message", "phone"), "run_failed")
        due = dict(conn.exec_driver_sql("SELECT event, due_at FROM notices WHERE state = 'waiting'").all())
    assert sent_at is not None
    assert due["peer_unseen"] < due["run_failed"]
    assert due["run_failed"][:16] > sent_at[:16]
    make_due(services)
    tell(services)
    assert [(event, count) for _, event, _, count, _ in states(services)] == [
        ("run_failed", 1), ("run_failed", 3), ("peer_unseen", 1)
    ]  # fmt: skip


def test_an_event_that_stands_for_many_counts_as_many(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, urls=[phone(receiver)])
    happen(services, "asset.found_missing", count=4_000)
    tell_at_last(services)
    assert receiver.got[0]["title"] == "Media Pipeline: 4,000 files are damaged or missing"


def test_only_what_is_switched_on_is_told_and_each_webhook_hears_what_it_named(
    tmp_path: Path, receiver: Receiver
) -> None:
    services = telling(
        tmp_path,
        urls=[phone(receiver)],
        webhooks=[program(receiver, "peer_unseen, run_failed")],
        events={"run_failed": False},
    )
    happen(services)
    happen(services, "peer.missed", level="warning")
    happen(services, "batch.synced", level="info")
    tell_at_last(services)
    assert {(target, event) for target, event, *_ in states(services)} == {
        ("phone", "peer_unseen"), ("phone", "batch_delivered"), ("program", "peer_unseen"), ("program", "run_failed"),
    }  # fmt: skip


def test_a_level_that_does_not_count_makes_no_news(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, urls=[phone(receiver)])
    happen(services, "batch.sync_delayed", level="info")
    tell(services)
    assert states(services) == []
    happen(services, "batch.sync_delayed", level="warning")
    tell(services)
    assert [event for _, event, *_ in states(services)] == ["waiting_too_long"]


def test_in_quiet_hours_people_are_left_alone_and_programs_are_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    present = datetime.now(UTC)
    hours = f"{present - timedelta(hours=1):%H:%M}-{present + timedelta(hours=1):%H:%M}"
    services = telling(tmp_path, urls=[phone(receiver)], webhooks=[program(receiver)], quiet_hours=hours)
    happen(services)
    tell_at_last(services)
    happen(services)
    tell_at_last(services)
    assert {(target, state, count) for target, _, state, count, _ in states(services)} == {
        ("phone", "waiting", 2), ("program", "sent", 1)
    }  # fmt: skip
    tell_at_last(with_notify(services, quiet_hours=""))
    assert ("phone", "run_failed", "sent", 2, 1) in states(services)


def test_a_receiver_that_is_down_gets_it_when_it_is_up_again(tmp_path: Path, receiver: Receiver) -> None:
    services = telling(tmp_path, urls=[phone(receiver)], webhooks=[program(receiver)])
    receiver.down()
    happen(services)
    tell_at_last(services)
    happen(services)
    tell_at_last(services)
    assert states(services) == [
        ("phone", "run_failed", "waiting", 2, 2), ("program", "run_failed", "waiting", 2, 2)
    ]  # fmt: skip
    receiver.up()
    tell_at_last(services)
    assert states(services) == [("phone", "run_failed", "sent", 2, 3), ("program", "run_failed", "sent", 2, 3)]
    assert len(receiver.got) == 2


def test_pauses_between_attempts_grow_up_to_an_hour_and_last_for_about_a_day() -> None:
    pauses = [sending.pause_seconds(attempts) for attempts in range(1, sending.MOST_ATTEMPTS)]
    assert pauses[:4] == [30, 60, 120, 240]
    assert pauses[-1] == 3_600
    assert pauses == sorted(pauses)
    assert 20 * 3_600 < sum(pauses) < 28 * 3_600


def test_it_is_given_up_at_last_and_the_journal_says_so_without_the_address(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.status = 500
    services = telling(tmp_path, urls=[phone(receiver)], webhooks=[program(receiver)])
    happen(services)
    tell(services)
    for _ in range(sending.MOST_ATTEMPTS + 2):
        make_due(services)
        tell(services)
    assert [(target, state, attempts) for target, _, state, _, attempts in states(services)] == [
        ("phone", "given_up", sending.MOST_ATTEMPTS), ("program", "given_up", sending.MOST_ATTEMPTS)
    ]  # fmt: skip
    told = events_of(services, "notice.given_up")
    assert len(told) == 2
    assert TOKEN not in json.dumps(told)


def test_an_address_that_was_taken_out_of_the_settings_gets_nothing_any_more(
    tmp_path: Path, receiver: Receiver
) -> None:
    services = telling(tmp_path, urls=[phone(receiver), phone(receiver, "tablet")])
    happen(services)
    tell(services)
    fewer = with_notify(services, urls=services.config.notify.urls[:1])
    make_due(fewer)
    tell(fewer)
    assert [(target, state) for target, _, state, *_ in states(services)] == [("phone", "sent"), ("tablet", "dropped")]


def test_every_kind_of_news_is_a_kind_of_the_journal() -> None:
    kinds = {kind for occasion in OCCASIONS.values() for kind in occasion.kinds}
    assert kinds <= journal.KINDS


def test_no_process_loads_apprise_before_a_message_is_sent() -> None:
    code = "import sys, worker.service, app.web, app.jobs; print('apprise' in sys.modules, 'requests' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False False\n"
