"""Backups by the clock: when one is made, which of them stay, and what is said when it cannot be made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.backup.shelf import list_backups
from app.config.store import ConfigStore
from app.db import facts, journal
from app.db.clock import later
from app.diagnostics.database import check_backup
from app.services import ServiceContainer, set_up
from tests.conftest import make_config
from tests.worker.installation import Installation
from worker.backups import BACKUP_SCHEDULE, make_due_backup
from worker.timetable import Served

YEARLY = "0 0 1 1 *"
Opener = Callable[..., ServiceContainer]


@pytest.fixture
def open_container(tmp_path: Path) -> Iterator[Opener]:
    """`open_container(schedule=..., keep_count=...)`: an installation with these settings of `backup`."""
    opened: list[ServiceContainer] = []

    def opener(**backup: Any) -> ServiceContainer:
        values = make_config(tmp_path).model_dump(mode="json") | {"backup": backup}
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(values), "utf-8")
        set_up(ConfigStore(str(path), {}).load()).close()
        opened.append(ServiceContainer(str(path)))
        return opened[-1]

    yield opener
    for container in opened:
        container.services.close()


def test_the_worker_makes_it_by_itself(install: Callable[..., Installation]) -> None:
    site = install(backup={"schedule": "* * * * *"})
    with site.services.db.transaction() as conn:
        facts.put(conn, BACKUP_SCHEDULE, Served(later(-3600), "* * * * *").words())
    site.start_worker()
    site.until(lambda: site.events("backup.made"), "a backup is made")
    assert len(list_backups(site.services)) == len(site.events("backup.made"))


def make_due(container: ServiceContainer) -> None:
    """As if the schedule was last served some years ago."""
    with container.services.db.transaction() as conn:
        served = Served(later(-86_400 * 1_000), container.services.config.backup.schedule)
        facts.put(conn, BACKUP_SCHEDULE, served.words())


def names(container: ServiceContainer) -> list[str]:
    return [one.name for one in list_backups(container.services)]


def kinds(container: ServiceContainer) -> list[str]:
    with container.services.db.reading() as conn:
        return [event.kind for event in journal.list_events(conn, kind_prefix="backup.")]


def test_without_a_schedule_none_is_made(open_container: Opener) -> None:
    container = open_container()
    assert [make_due_backup(container) for _ in range(3)] == [None] * 3
    assert names(container) == []


def test_a_new_schedule_begins_to_count_when_it_is_seen_first(open_container: Opener) -> None:
    container = open_container(schedule="* * * * *")
    assert [make_due_backup(container) for _ in range(3)] == [None] * 3


def test_a_missed_time_is_made_up_for_once(open_container: Opener) -> None:
    container = open_container(schedule=YEARLY)
    make_due_backup(container)
    make_due(container)
    made = make_due_backup(container)
    assert made is not None and names(container) == [made.name]
    assert make_due_backup(container) is None
    assert kinds(container) == ["backup.made"]


def test_it_goes_to_the_folder_of_the_settings_and_only_so_many_stay(open_container: Opener, tmp_path: Path) -> None:
    safe = tmp_path / "safe"
    safe.mkdir()
    (safe / "mine.tar.gz").touch()
    container = open_container(schedule=YEARLY, dir=str(safe), keep_count=2)
    made = []
    for _ in range(3):
        make_due(container)
        made.append(make_due_backup(container))
    assert names(container) == [one.name for one in reversed(made[1:]) if one]
    assert sorted(os.listdir(safe)) == sorted([*names(container), "mine.tar.gz"])


def test_what_is_too_old_goes_but_never_the_newest(open_container: Opener) -> None:
    container = open_container(schedule=YEARLY, keep_count=0, keep_days=30)
    folder = container.services.backup_dir
    folder.mkdir()
    old = folder / "media-pipeline-backup-20200101T000000Z.tar.gz"
    old.touch()
    make_due(container)
    made = make_due_backup(container)
    assert made is not None and names(container) == [made.name]


def test_one_that_fails_is_told_until_one_is_made_and_the_others_stay(open_container: Opener, tmp_path: Path) -> None:
    safe = tmp_path / "safe"
    container = open_container(schedule=YEARLY, dir=str(safe))
    make_due(container)
    assert make_due_backup(container) is None
    assert make_due_backup(container) is None
    assert kinds(container) == ["backup.failed"]
    [said] = check_backup(container.services)
    assert (said.state, f"There is no folder {safe} (backup.dir)" in said.cause) == ("warning", True)
    safe.mkdir()
    make_due(container)
    assert make_due_backup(container) is not None
    [said] = check_backup(container.services)
    assert said.state == "ok"
