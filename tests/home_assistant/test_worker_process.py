"""The real worker and a real broker: what becomes of the device when either is killed or stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.model import RunStatus
from tests.home_assistant.mosquitto import Ear, Mosquitto, until
from tests.worker.installation import Installation

AVAILABILITY = "media_pipeline/availability"


@pytest.fixture
def site(tmp_path: Path, broker: Mosquitto) -> Iterator[Installation]:
    with Installation(tmp_path, mqtt={"host": "127.0.0.1", "port": broker.port}) as found:
        yield found


def test_a_killed_worker_is_offline_by_its_will_and_online_with_the_next_one(site: Installation, ear: Ear) -> None:
    worker = site.start_worker()
    until(lambda: ear.last.get(AVAILABILITY) == "online", "the worker is online")
    site.kill(worker)
    until(lambda: ear.last[AVAILABILITY] == "offline", "the broker tells the will", 10)
    worker = site.start_worker()
    until(lambda: ear.last[AVAILABILITY] == "online", "the next worker is online")
    assert site.terminate(worker) == 0
    until(lambda: ear.last[AVAILABILITY] == "offline", "the worker says goodbye", 10)


def test_a_button_starts_a_run_that_the_worker_carries_out(site: Installation, ear: Ear) -> None:
    site.fill_ingest(3)
    site.start_worker()
    until(lambda: ear.last.get(AVAILABILITY) == "online", "the worker is online")
    assert ear.command("run") == "The whole workflow was started (run 1)."
    assert site.ended(1).status is RunStatus.DONE
    until(lambda: ear.state()["last_run_status"] == "done" and ear.state()["files"] == 3, "the end is told")
    assert ear.command("backup").startswith("The backup media-pipeline-backup-")


def test_a_worker_whose_broker_is_away_works_and_connects_when_it_comes(
    site: Installation, broker: Mosquitto
) -> None:
    broker.kill()
    worker = site.start_worker()
    site.until(lambda: "the MQTT broker cannot be reached" in site.output(), "the worker says so")
    broker.start()
    with Ear(broker.port) as ear:
        until(lambda: ear.last.get(AVAILABILITY) == "online", "the worker is online", 60)
        assert site.output().count("the MQTT broker cannot be reached") == 1
    broker.kill()
    assert site.terminate(worker) == 0
