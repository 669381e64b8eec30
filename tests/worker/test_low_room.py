"""A disk that runs out of room is told once, until it has room again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.db import facts, journal
from app.services import Services
from tests.conftest import make_services
from worker.low_room import tell_low_room
from worker.updates import PROGRAM_VERSION, note_version

TB, GB = 10**12, 10**9


def look(root_id: int, free_bytes: int, fault: str | None = None) -> dict[str, Any]:
    return {"id": root_id, "path": f"/disk{root_id}", "free_bytes": free_bytes, "total_bytes": TB, "fault": fault}


def told(services: Services, *looks: dict[str, Any], kind: str = "room.ran_low") -> list[str]:
    """What the journal has been told of by now, after these looks."""
    with services.db.transaction() as conn:
        tell_low_room(conn, looks)
        return [event.message.partition(".")[0] for event in journal.list_events(conn, kind_prefix=kind)][::-1]


def test_it_is_told_when_it_begins_and_again_only_after_there_was_room(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    assert told(services, look(1, 500 * GB), look(2, 21 * GB)) == []
    assert len(told(services, look(1, 500 * GB), look(2, 19 * GB))) == 1
    for free in (15, 19, 21, 19):
        assert len(told(services, look(1, 500 * GB), look(2, free * GB))) == 1
    told(services, look(2, 30 * GB))
    assert len(told(services, look(2, 10 * GB))) == 2


def test_folders_that_run_low_together_are_one_event_and_each_later_one_its_own(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    assert told(services, look(1, GB), look(2, GB)) == ["Little room is left: 953"]
    assert len(told(services, look(1, GB), look(2, GB), look(3, GB))) == 2


def test_a_folder_that_does_not_answer_changes_nothing(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    assert told(services, look(1, 0, fault="It is away.")) == []
    told(services, look(1, GB))
    told(services, look(1, 0, fault="It is away."))
    assert len(told(services, look(1, GB))) == 1


def test_another_version_is_told_and_the_first_one_is_no_news(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    note_version(services)
    assert told(services, kind="program.updated") == []
    with services.db.transaction() as conn:
        facts.put(conn, PROGRAM_VERSION, "0.0.9")
    note_version(services)
    note_version(services)
    assert len(told(services, kind="program.updated")) == 1
