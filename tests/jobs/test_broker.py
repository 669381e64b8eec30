"""Each defect of the named queue package, shown on the package as it is and shown gone in our broker.

Every test runs the same scenario on both; `repaired` says which one it has.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq import Worker
from dramatiq.common import current_millis
from dramatiq.errors import BrokerConnectionError

from app.jobs.broker import QueueBroker
from tests.jobs.queues import DELAYED, QUEUE, Scenario, locked, message, take, until


@pytest.fixture(params=[True, False], ids=["repaired", "as_packaged"])
def scenario(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scenario]:
    made = Scenario(tmp_path / "queue.sqlite", bool(request.param))
    yield made
    made.close()


def test_a_message_given_back_at_a_graceful_stop_is_queued_again(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    consumer = broker.consume(QUEUE, prefetch=4)
    held = take(consumer)
    if scenario.repaired:
        consumer.requeue([held])
        assert scenario.states() == {"m1": "queued"}
    else:
        with pytest.raises(sqlite3.OperationalError, match="syntax error"):
            consumer.requeue([held])
        assert scenario.states() == {"m1": "consumed"}


def test_a_message_held_by_a_killed_worker_is_delivered_after_a_restart(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    assert take(broker.consume(QUEUE, prefetch=4)) is not None
    delivered = take(scenario.restart().consume(QUEUE, prefetch=4), 0.5)
    assert (delivered is not None) is scenario.repaired


def test_a_delayed_message_survives_a_restart_of_the_worker(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"), delay=300)
    take(broker.consume(DELAYED, prefetch=100), 0.15)
    delivered = take(scenario.restart().consume(DELAYED, prefetch=100), 1.0)
    assert (delivered is not None) is scenario.repaired


def test_a_delayed_message_is_not_taken_before_it_is_due(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    due_at_ms = current_millis() + 300
    broker.enqueue(message("m1"), delay=300)
    taken = take(broker.consume(DELAYED, prefetch=100))
    assert taken is not None
    assert (current_millis() >= due_at_ms) is scenario.repaired


def test_a_message_retried_without_delay_is_not_marked_done_by_the_first_acknowledgement(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    consumer = broker.consume(QUEUE, prefetch=4)
    first = take(consumer)
    broker.enqueue(first.copy())
    consumer.ack(first)
    assert scenario.states() == {"m1": "queued" if scenario.repaired else "done"}


def test_a_retry_taken_by_another_worker_is_not_ended_by_the_first_one(tmp_path: Path) -> None:
    broker = QueueBroker(str(tmp_path / "queue.sqlite"), [])
    broker.declare_queue(QUEUE)
    broker.enqueue(message("m1"))
    first, second = broker.consume(QUEUE, prefetch=4), broker.consume(QUEUE, prefetch=4)
    taken = take(first)
    broker.enqueue(taken.copy())
    assert take(second) is not None
    first.ack(taken)
    assert broker.count_waiting(QUEUE) == 1
    broker.close()


def test_an_acknowledgement_that_meets_a_locked_file_is_tried_again(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.05)
    monkeypatch.setitem(_packaged_pragmas(), "busy_timeout", "50")
    broker = scenario.open_broker()
    running, may_end = threading.Event(), threading.Event()

    def work(_message_id: str) -> None:
        running.set()
        may_end.wait(10)

    dramatiq.actor(work, broker=broker, queue_name=QUEUE, max_retries=0)
    broker.enqueue(message("m1"))
    worker = Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    try:
        assert running.wait(10)
        with locked(scenario.path):
            may_end.set()
            time.sleep(0.4)
        ended = until(lambda: scenario.states() == {"m1": "done"}, 2.0)
    finally:
        with suppress(sqlite3.OperationalError):
            worker.stop()
    assert ended is scenario.repaired


def _packaged_pragmas() -> dict[str, str]:
    from dramatiq_sqlite import Database

    return Database.concurrent_workload_pragmas


def test_a_more_urgent_message_is_taken_first(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("later", broker_priority=10))
    broker.enqueue(message("first", broker_priority=0))
    assert (take(broker.consume(QUEUE)).message_id == "first") is scenario.repaired


def test_messages_of_one_priority_are_taken_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    broker = QueueBroker(str(tmp_path / "queue.sqlite"), [])
    broker.declare_queue(QUEUE)
    names = [f"m{n}" for n in range(20)]
    for name in names:
        broker.enqueue(message(name))
    consumer = broker.consume(QUEUE, prefetch=100)
    first = take(consumer)
    consumer.requeue([first])
    assert [take(consumer).message_id for _ in names] == names
    broker.close()


def test_a_second_acknowledgement_is_harmless(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    consumer = broker.consume(QUEUE)
    held = take(consumer)
    consumer.ack(held)
    if scenario.repaired:
        consumer.ack(held)
    else:
        with pytest.raises(KeyError):
            consumer.ack(held)
    assert scenario.states() == {"m1": "done"}


def test_an_acknowledgement_reaches_the_row_after_the_consumer_was_restarted(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    held = take(broker.consume(QUEUE))
    restarted = broker.consume(QUEUE)
    if scenario.repaired:
        restarted.ack(held)
    else:
        with pytest.raises(KeyError):
            restarted.ack(held)
    assert scenario.states() == {"m1": "done"}


def test_a_queue_can_be_joined_and_flushed(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    broker.enqueue(message("m2"), delay=60_000)
    if not scenario.repaired:
        for call in (lambda: broker.join(QUEUE), lambda: broker.flush(QUEUE), broker.flush_all):
            with pytest.raises(NotImplementedError):
                call()
        return
    with pytest.raises(dramatiq.errors.QueueJoinTimeout):
        broker.join(QUEUE, timeout=10)
    broker.flush_all()
    broker.join(QUEUE, timeout=10)
    assert scenario.states() == {}


def test_closing_the_broker_closes_the_file(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    broker.close()
    opened = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_link(fd)}
    assert (str(scenario.path) not in opened) is scenario.repaired


def _is_link(fd: str) -> bool:
    try:
        os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False
    return True


def test_making_a_broker_opens_nothing(scenario: Scenario) -> None:
    scenario.open_broker()
    assert (not scenario.path.exists()) is scenario.repaired


def test_a_forked_process_opens_a_connection_of_its_own(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("parent"))
    before = _connection_of(broker)
    child = os.fork()
    if child == 0:
        broker.enqueue(message("child"))
        os._exit(0 if _connection_of(broker) is not before else 7)
    _pid, status = os.waitpid(child, 0)
    assert (os.waitstatus_to_exitcode(status) == 0) is scenario.repaired
    assert set(scenario.states()) == {"parent", "child"}


def _connection_of(broker: Any) -> Any:
    return broker.file._connection if isinstance(broker, QueueBroker) else broker.db.conn


def test_a_claim_is_one_transaction(scenario: Scenario) -> None:
    broker = scenario.open_broker()
    broker.enqueue(message("m1"))
    consumer = broker.consume(QUEUE)
    statements: list[str] = []
    connection = _connection_of(broker) if scenario.repaired else consumer.db.conn
    connection.set_trace_callback(statements.append)
    assert take(consumer) is not None
    asking = "SELECT 1 FROM"  # whether there is anything to claim, which claims nothing
    about_messages = [s for s in statements if "dramatiq_messages" in s and not s.startswith(asking)]
    assert (len(about_messages) == 1) is scenario.repaired


def test_a_consumer_that_meets_a_locked_file_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    broker = QueueBroker(str(path), [], busy_timeout_seconds=0.05)
    broker.declare_queue(QUEUE)
    broker.enqueue(message("m1"))
    consumer = broker.consume(QUEUE)
    with locked(path):
        assert next(consumer) is None
        with pytest.raises(BrokerConnectionError, match="cannot be used"):
            broker.enqueue(message("m2"))
    assert take(consumer).message_id == "m1"
    broker.close()


def test_many_consumers_take_each_message_exactly_once(tmp_path: Path) -> None:
    path = str(tmp_path / "queue.sqlite")
    broker = QueueBroker(path, [])
    broker.declare_queue(QUEUE)
    names = {f"m{n}" for n in range(200)}
    for name in sorted(names):
        broker.enqueue(message(name))
    taken: list[str] = []

    def consume() -> None:
        own = QueueBroker(path, [])
        own.declare_queue(QUEUE)
        consumer = own.consume(QUEUE, prefetch=2)
        while (found := take(consumer, 0.3)) is not None:
            taken.append(found.message_id)
            consumer.ack(found)
        own.close()

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 200
    assert set(taken) == names
    assert broker.count_waiting(QUEUE) == 0
    broker.close()


def test_messages_of_a_queue_that_is_forgotten_leave_nothing_behind_and_are_counted_up_to_a_bound(
    tmp_path: Path,
) -> None:
    broker = QueueBroker(str(tmp_path / "queue.sqlite"), forgets=(QUEUE,))
    broker.declare_queue(QUEUE)
    for name in ("m1", "m2", "m2"):
        broker.enqueue(message(name))
    assert broker.has_waiting(QUEUE, 2) and not broker.has_waiting(QUEUE, 3)
    consumer = broker.consume(QUEUE, prefetch=4)
    consumer.ack(take(consumer))
    consumer.nack(take(consumer))
    with sqlite3.connect(broker.file.path) as connection:
        assert connection.execute("SELECT count(*) FROM dramatiq_messages").fetchone() == (0,)
    broker.close()
