"""A library of an earlier version is taken up as it is: by a start over its database, and from its backup."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import jobs
from app.config.store import ConfigStore
from app.db import batch_devices, confirmation, date_decisions, decision_notes, deliveries, doubtful_dates
from app.db.doubtful_dates import DateFilter
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.jobs.unread_contents import read_contents
from app.model import Asset, RunStatus, Stage, Trigger
from app.overview.why import explain
from app.services import Services, open_services, set_up
from tests.backup.earlier import DECISIONS, REVISIONS, database_of, lost_rows
from tests.backup.test_backup import Site, rewritten
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.refiling import MTIME, plan, report_of
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import rows

ARCHIVED = {
    "camera/IMG_0001.JPG": make_jpeg("2024:05:06 07:08:09", seed=1),
    "camera/IMG_0001.xmp": b"<x/>",
    "camera/IMG_0001-edited.JPG": make_jpeg("2024:05:06 07:08:09", seed=2),
    "camera/IMG_7_BURST001.jpg": make_jpeg("2023:01:02 03:04:05", seed=3),
    "camera/IMG_7_BURST002_COVER.jpg": make_jpeg("2023:01:02 03:04:05", seed=4),
    "scans/doubtful.jpg": make_jpeg(seed=5),
    "scans/accepted.jpg": make_jpeg(seed=6),
    "notes.txt": b"no photo",
}
WAITING = {
    "late/IMG_0002.JPG": make_jpeg("2024:07:08 07:08:09", seed=7),
    "late/IMG_0002-edited.JPG": make_jpeg("2024:07:08 07:08:09", seed=8),
    "late/copy.jpg": ARCHIVED["camera/IMG_0001.JPG"],
}
#: Settings of before that are none any more.
RETIRED = {"paths": {"temp_dir": "/tmp"}, "dedup": {"move_duplicates": False}, "system": {"max_parallel_fs_ops": 4}}
PEER = "PEER-OF-BEFORE"


@dataclass
class Library:
    """An installation, and its database and configuration as they are put back for each test."""

    site: Site
    database: Path
    config: bytes

    def old(self, revision: str) -> Path:
        """The same library as a version of that revision knew it."""
        path = self.site.base / "old" / revision / "db.sqlite"
        if not path.exists():
            database_of(revision, str(self.database), str(path))
        return path


    def reopened(self, **changes: Any) -> Services:
        """The services with other settings."""
        self.site.services.close()
        self.site.save(**changes)
        self.site.services = open_services(ConfigStore(str(self.site.config_path), {}).load())
        return self.site.services


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    base = tmp_path_factory.mktemp("earlier")
    site = Site(base)
    for tree in (ARCHIVED, WAITING):
        write_tree(base / "ingest", tree)
        for path in (base / "ingest").rglob("*.*"):
            os.utime(path, (MTIME, MTIME))
        if tree is ARCHIVED:
            assert workflow(site.services).status is RunStatus.DONE
    stages = (Stage.SCAN, Stage.DEDUP, Stage.INSPECT)
    assert go(site.services, jobs.start_stage(site.services, stages, Trigger.API)).status is RunStatus.DONE
    # Versions of then read every file.
    read_contents(site.services, list(rows(site.services).values()))
    decide_dates(site.services, DateWish("accept", "", [find(site.services, b"accepted.jpg").id]), "anna")
    with site.services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE batches SET target = 'syncthing', device_id = ? WHERE id = 1", (PEER,))
        batch_devices.add(conn, 1, [PEER])
        deliveries.confirm(conn, 1, PEER, [(1, "v1")])
    site.services.db.checkpoint()
    site.services.close()
    database = base / "present.sqlite"
    shutil.copyfile(site.services.config.system.db_path, database)
    yield Library(site, database, site.config_path.read_bytes())
    site.services.close()


@pytest.fixture
def library(made: Library) -> Library:
    """Everything as it was before the last test, without a database."""
    made.site.services.close()
    made.site.config_path.write_bytes(made.config)
    for left in Path(made.site.services.config.system.db_path).parent.glob("db.sqlite*"):
        left.unlink()
    return made


def find(services: Services, name: bytes) -> Asset:
    """The asset that came under this name."""
    return next(asset for path, asset in rows(services).items() if path.rpartition(b"/")[2] == name)


def old_settings(library: Library) -> bytes:
    """As a version without the later settings had them, with those that are retired by now."""
    values = yaml.safe_load(library.config)
    for section in ("verify", "cleanup"):
        values.pop(section)
    for section, retired in RETIRED.items():
        values[section] |= retired
    values["dedup"].pop("duplicate_policy")
    return yaml.safe_dump(values).encode()


def started(library: Library, revision: str) -> Services:
    """The program of now over the database of before."""
    shutil.copyfile(library.old(revision), library.site.services.config.system.db_path)
    library.site.config_path.write_bytes(old_settings(library))
    library.site.services = set_up(ConfigStore(str(library.site.config_path), {}).load())
    return library.site.services


def restored(library: Library, revision: str) -> Services:
    """A backup of before, restored, compared with the disk, and confirmed."""
    site = library.site
    shutil.copyfile(library.database, site.services.config.system.db_path)
    site.services = set_up(ConfigStore(str(site.config_path), {}).load())

    def as_before(members: dict[str, bytes]) -> None:
        described = json.loads(members["backup.json"])
        members |= {"db.sqlite": library.old(revision).read_bytes(), "config.yaml": old_settings(library),
                    "backup.json": json.dumps({**described, "schema": revision}).encode()}  # fmt: skip

    path = rewritten(site.backup(), as_before, describe=True)
    site.restore(path)
    with site.services.db.reading() as conn:
        assert confirmation.cause(conn) == confirmation.RESTORED
    site.compare()
    jobs.confirm_rebuild(site.services)
    return site.services


WAYS: dict[str, Callable[[Library, str], Services]] = {"started": started, "restored": restored}
#: A restore migrates as a start does; three of them show what follows.
CASES = [*(("started", revision) for revision in REVISIONS), *(("restored", one) for one in ("0008", "0015", "0017"))]


@pytest.mark.parametrize(("way", "revision"), CASES)
def test_a_library_of_an_earlier_version_is_whole_and_works(library: Library, way: str, revision: str) -> None:
    services = WAYS[way](library, revision)
    assert lost_rows(str(library.old(revision)), services.db.path) == {}
    assert_rows_agree(services)
    assert_groups(services)
    for name, words in TOLD.items():
        told = explain(services, str(find(services, name).id))
        assert told["known"] and words in json.dumps(told["told"]), told["told"]
    assert_dates(services, revision)
    with services.db.reading() as conn:
        assert [device.device_id for device in batch_devices.list_of(conn, 1)] == [PEER]
        assert deliveries.versions(conn, 1, PEER) == {1: "v1"}
    assert report_of(services, plan(services))["files"] == 0
    services = library.reopened(sorter={"folder_pattern": "{year}"})
    assert report_of(services, plan(services))["files"] == len(ARCHIVED) - 1


#: What `why` says of each.
TOLD = {
    b"IMG_0001.JPG": "It was taken on 2024-05-06 07:08:09",
    b"doubtful.jpg": "its modification time",
    b"copy.jpg": "IMG_0001.JPG",
}


def assert_groups(services: Services) -> None:
    """Those of now, after the stage that dates what waits."""
    waiting = {b"IMG_0002.JPG", b"IMG_0002-edited.JPG"}
    assert {name for name in waiting if find(services, name).inspected_at is None} == waiting
    run = go(services, jobs.start_stage(services, (Stage.INSPECT,), Trigger.API))
    assert run.status is RunStatus.DONE, run.error
    together: dict[int | None, set[bytes]] = {}
    for path, asset in rows(services).items():
        together.setdefault(asset.group_id, set()).add(path.rpartition(b"/")[2])
        assert asset.taken_local or asset.original_id
    assert sorted(map(sorted, together.values())) == sorted(
        [
            sorted([b"IMG_0001.JPG", b"IMG_0001.xmp", b"IMG_0001-edited.JPG"]),
            sorted([b"IMG_7_BURST001.jpg", b"IMG_7_BURST002_COVER.jpg"]),
            sorted(waiting),
            [b"doubtful.jpg"], [b"accepted.jpg"], [b"copy.jpg"],
        ]
    )  # fmt: skip


def assert_dates(services: Services, revision: str) -> None:
    """Doubtful dates are listed; what was decided stands and is kept beside the archive, and more can be decided."""
    accepted, doubtful = find(services, b"accepted.jpg").id, find(services, b"doubtful.jpg").id
    is_known = revision >= DECISIONS
    assert list_doubtful(services) == sorted([doubtful] if is_known else [doubtful, accepted])
    with services.db.reading() as conn:
        assert [*date_decisions.list_of(conn, [accepted])] == ([accepted] if is_known else [])
        assert decision_notes.has_pending(conn) is is_known
    decide_dates(services, DateWish("accept", "", list_doubtful(services)), "anna")
    assert list_doubtful(services) == []


def list_doubtful(services: Services) -> list[int]:
    with services.db.reading() as conn:
        return [one.asset.id for one in doubtful_dates.list_page(conn, DateFilter(), 0, 100)[0]]
