"""Backup and restore: one whole file, nothing but what it describes, nothing replaced, and the rows put right."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import jobs
from app.backup.contents import is_member_name
from app.backup.making import make_backup
from app.backup.restoring import Restored, Wish, restore
from app.backup.shelf import Keeping, find_backup, list_backups
from app.config.store import ConfigStore
from app.db import confirmation, deliveries, journal, runs
from app.db.snapshot import snapshot_into
from app.errors import BadRequest, Conflict, NotFound, StateError
from app.files.markers import Marker, write_marker
from app.model import AssetStatus, BatchStatus, RootKind, RunStatus, Stage, Trigger
from app.services import Services, open_services, set_up
from tests.conftest import make_config, make_jpeg, read_tree, write_tree
from tests.pipeline.rebuilding import assert_all_known, census
from tests.pipeline.running import count, fill, go, the_batches, workflow

SECRET = "CANARY-of-the-configuration"


class Site:
    """An installation with a configuration file."""

    def __init__(self, base: Path) -> None:
        self.base, self.config_path = base, base / "config" / "config.yaml"
        self.config_path.parent.mkdir()
        self.save(batch={"max_files": 4, "selection_mode": "files"})
        self.services: Services = set_up(ConfigStore(str(self.config_path), {}).load())

    def save(self, **changes: Any) -> None:
        values = make_config(self.base, **{"syncthing": {"api_key": SECRET}, **changes}).model_dump(mode="json")
        self.config_path.write_text(yaml.safe_dump(values), "utf-8")

    def backup(self, target: str | None = None, keep: int = 0) -> Path:
        return Path(make_backup(self.services, str(self.config_path), target, Keeping(keep)).path)

    def restore(self, path: Path, **how: bool) -> Restored:
        self.services.close()
        try:
            return restore(str(self.config_path), str(path), Wish(**how), {})
        finally:
            self.services = open_services(ConfigStore(str(self.config_path), {}).load())

    def compare(self) -> None:
        before = census(self.services.config).names
        run = go(self.services, jobs.start_rebuild(self.services, Trigger.CLI))
        assert run.status is RunStatus.DONE, run.error
        assert census(self.services.config).names == before
        assert_all_known(self.services)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.services.close()


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]


def test_a_backup_holds_settings_history_database_and_manifests_each_with_its_digest(site: Site) -> None:
    fill(site.services, 6)
    workflow(site.services)
    ConfigStore(str(site.config_path), {}).save_partial({"batch": {"max_files": 5}}, "api")
    path = site.backup()
    found = members(path)
    described = json.loads(found.pop("backup.json"))
    assert {m["name"]: (m["size_bytes"], m["sha256"]) for m in described["members"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()
    }
    assert {name for name in found if "/" not in name} == {"config.yaml", "db.sqlite"}
    assert [name for name in found if name.startswith("manifests/")] == [
        "manifests/batch_001.json", "manifests/batch_002.json",
    ]  # fmt: skip
    assert len([name for name in found if name.startswith("revisions/")]) == 2
    assert found["config.yaml"] == site.config_path.read_bytes()
    copy = site.base / "copy.sqlite"
    copy.write_bytes(found["db.sqlite"])
    with closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("SELECT COUNT(*) FROM assets WHERE status = 'archived'").fetchone() == (6,)


def test_only_its_owner_may_read_a_backup_and_nothing_half_made_is_left(site: Site) -> None:
    path = site.backup()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == [path.name]
    assert [e.detail["name"] for e in events(site, "backup.made")] == [path.name]


def test_what_holds_secrets_is_its_owners_alone_from_its_first_moment_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at when its content is there, and before a mode could be set afterwards."""
    modes: list[int] = []

    def look_first(name: str, number: int) -> None:
        real = getattr(shutil if name == "copystat" else os, name)

        def looked(*paths: Any, **how: Any) -> Any:
            modes.append(stat.S_IMODE(os.stat(paths[number]).st_mode))
            return real(*paths, **how)

        monkeypatch.setattr(shutil if name == "copystat" else os, name, looked)

    look_first("copystat", 1)
    look_first("chmod", 0)
    before = os.umask(0)
    try:
        snapshot_into(site.services.db.path, str(site.base / "copy.sqlite"))
        assert stat.S_IMODE((site.base / "copy.sqlite").stat().st_mode) == 0o600
        site.config_path.chmod(0o600)
        modes.clear()
        restored = site.restore(site.backup())
    finally:
        os.umask(before)
    assert restored.kept_config is not None
    assert modes
    assert [oct(mode) for mode in modes if mode & 0o077] == []


def events(site: Site, kind: str) -> list[Any]:
    with site.services.db.reading() as conn:
        return journal.list_events(conn, kind_prefix=kind)


def test_a_backup_replaces_nothing_and_leaves_nothing_behind_when_it_cannot_be_made(site: Site) -> None:
    taken = site.base / "taken.tar.gz"
    taken.write_bytes(b"mine")
    with pytest.raises(Conflict, match="replaces nothing"):
        site.backup(str(taken))
    assert taken.read_bytes() == b"mine"
    manifests = Path(site.services.config.paths.sorted_dir) / ".media-pipeline" / "manifests"
    manifests.parent.mkdir(exist_ok=True)
    manifests.symlink_to("/nonexistent")
    (site.base / "new").mkdir()
    with pytest.raises(StateError):
        site.backup(str(site.base / "new" / "b.tar.gz"))
    assert os.listdir(site.base / "new") == []


def test_only_the_newest_are_kept_when_asked_and_only_those_of_our_naming(site: Site) -> None:
    made = [site.backup() for _ in range(3)]
    foreign = made[0].with_name("mine.tar.gz")
    foreign.write_bytes(b"")
    last = site.backup(keep=2)
    assert sorted(os.listdir(made[0].parent)) == sorted([last.name, made[2].name, "mine.tar.gz"])
    assert [b.name for b in list_backups(site.services)] == [last.name, made[2].name]


@pytest.mark.parametrize("name", ["../config.yaml", "..", "", "mine.tar.gz", "media-pipeline-backup-x.tar.gz", "a\0b"])
def test_only_a_listed_name_is_found(site: Site, name: str) -> None:
    site.backup()
    with pytest.raises(NotFound):
        find_backup(site.services, name)


# --- what is refused


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], describe: bool = False) -> Path:
    """The backup with other members; with `describe` its description is made to fit."""
    found = members(path)
    change(found)
    if describe:
        description = json.loads(found["backup.json"])
        description["members"] = [
            {"name": n, "size_bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()}
            for n, c in found.items()
            if n != "backup.json"
        ]
        found["backup.json"] = json.dumps(description).encode()
    target = path.with_name("changed.tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        for name, content in found.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return target


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], bool, str]] = {
    "a flipped byte": (lambda m: m.update({"config.yaml": m["config.yaml"][:-1] + b"#"}), False, "other content"),
    "a cut member": (lambda m: m.update({"config.yaml": m["config.yaml"][:-1]}), False, "another size"),
    "a missing member": (lambda m: m.__delitem__("db.sqlite"), False, "db.sqlite is missing"),
    "a member too many": (lambda m: m.update({"extra": b""}), False, "does not describe"),
    "a way out": (lambda m: m.update({"manifests/../../evil": b"x"}), True, "no name that a backup holds"),
    "an absolute path": (lambda m: m.update({"/etc/evil": b"x"}), True, "no name that a backup holds"),
    "another database": (lambda m: m.update({"db.sqlite": b"nothing"}), True, "database in the backup"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_backup_that_is_not_what_it_describes_is_refused_and_nothing_changes(site: Site, what: str) -> None:
    change, describe, words = CHANGES[what]
    path = rewritten(site.backup(), change, describe)
    before = read_tree(site.base, own_names=True)
    with pytest.raises(BadRequest, match=words):
        restore(str(site.config_path), str(path), Wish(), {})
    assert read_tree(site.base, own_names=True) == before


def test_links_and_devices_in_a_backup_are_refused(site: Site) -> None:
    path = site.backup()
    target = path.with_name("changed.tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        for name, content in members(path).items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            if name == "config.yaml":
                header.type, header.linkname, header.size = tarfile.SYMTYPE, "/etc/passwd", 0
            archive.addfile(header, io.BytesIO(content))
    with pytest.raises(BadRequest, match="does not describe"):
        restore(str(site.config_path), str(target), Wish(), {})


def test_any_cut_of_a_backup_is_refused(site: Site) -> None:
    content = site.backup().read_bytes()
    cut = site.base / "cut.tar.gz"
    for length in (0, 1, 20, len(content) // 3, len(content) // 2, len(content) - 200):
        cut.write_bytes(content[:length])
        with pytest.raises(BadRequest):
            restore(str(site.config_path), str(cut), Wish(), {})
    assert [name for name in os.listdir(site.config_path.parent) if "restore" in name] == []


@pytest.mark.parametrize("name", ["config.yaml", "db.sqlite", "manifests/batch 1.json", "revisions/x.yaml"])
def test_names_that_a_backup_holds(name: str) -> None:
    assert is_member_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "manifests/", "manifests/..", "manifests/a/b", "/config.yaml", "x/db.sqlite"]
)
def test_names_that_no_backup_holds(name: str) -> None:
    assert not is_member_name(name)


def test_a_backup_of_another_installation_is_refused(site: Site) -> None:
    path = site.backup()
    write_marker(RootKind.ARCHIVE, os.fsencode(site.services.config.paths.sorted_dir), Marker("x", "another"))
    with pytest.raises(Conflict, match="belongs to the database another"):
        site.restore(path)


def test_a_backup_of_a_newer_version_is_refused(site: Site) -> None:
    def newer(found: dict[str, bytes]) -> None:
        copy = site.base / "newer.sqlite"
        copy.write_bytes(found["db.sqlite"])
        with closing(sqlite3.connect(copy)) as conn:
            conn.execute("UPDATE alembic_version SET version_num = '9999'")
            conn.commit()
        found["db.sqlite"] = copy.read_bytes()

    with pytest.raises(StateError, match="newer version"):
        site.restore(rewritten(site.backup(), newer, describe=True))


# --- restoring


def test_a_dry_run_changes_nothing_and_says_what_would(site: Site) -> None:
    path = site.backup()
    site.save(batch={"max_files": 9})
    site.services.close()
    before = without_locks(site)
    planned = restore(str(site.config_path), str(path), Wish(is_dry=True), {})
    assert without_locks(site) == before
    assert set(planned.changed_keys) == {"batch.max_files", "batch.selection_mode"}


def without_locks(site: Site) -> dict[str, bytes]:
    found = read_tree(site.base, own_names=True)
    return {name: content for name, content in found.items() if not name.endswith(("-shm", "-wal", ".lock"))}


def test_what_was_there_is_kept_aside_and_what_was_backed_up_is_back(site: Site) -> None:
    fill(site.services, 3)
    workflow(site.services)
    path = site.backup()
    wanted = site.config_path.read_bytes()
    site.save(batch={"max_files": 9})
    other = site.config_path.read_bytes()
    manifest = next(Path(site.services.config.paths.sorted_dir).rglob("batch_001.json"))
    manifest.unlink()
    done = site.restore(path)
    assert site.config_path.read_bytes() == wanted
    assert Path(str(done.kept_config)).read_bytes() == other
    assert Path(str(done.kept_database)).is_file()
    assert (done.manifests_put_back, done.manifests_differing) == (1, [])
    assert manifest.read_bytes() == members(path)["manifests/batch_001.json"]
    assert [e.level for e in events(site, "backup.restored")] == ["warning"]
    with pytest.raises(Conflict, match="restored from a backup"):
        jobs.start_workflow(site.services, Trigger.API)


def test_a_manifest_that_differs_stays_and_is_told(site: Site) -> None:
    fill(site.services, 2)
    workflow(site.services)
    path = site.backup()
    manifest = next(Path(site.services.config.paths.sorted_dir).rglob("batch_001.json"))
    manifest.write_text("mine")
    done = site.restore(path)
    assert (done.manifests_put_back, done.manifests_differing) == (0, ["batch_001.json"])
    assert manifest.read_text() == "mine"


def test_rows_of_a_restored_database_follow_what_has_happened_since_and_keep_their_past(site: Site) -> None:
    fill(site.services, 4)
    workflow(site.services)
    fill(site.services, 3, first=4)
    go(site.services, jobs.start_stage(site.services, (Stage.SCAN, Stage.DEDUP), Trigger.API))
    with site.services.db.transaction() as conn:
        deliveries.confirm(conn, 1, "PEER", [(1, "v1")])
    told, first_id = [(e.id, e.kind) for e in events(site, "batch.")], id_of(site, "origin_path", b"img_0000.jpg")
    path = site.backup()
    workflow(site.services)
    write_tree(site.services.config.paths.source_dir, {"late.jpg": make_jpeg(taken="2024:01:02 03:04:05", seed=900)})
    (site.base / "archive" / "albums").mkdir()
    first = next((site.base / "archive").rglob("img_0000.jpg"))
    first.rename(site.base / "archive" / "albums" / "img_0000.jpg")
    site.restore(path)
    site.compare()
    assert (count(site.services, AssetStatus.ARCHIVED), count(site.services, AssetStatus.DISCOVERED)) == (7, 1)
    assert [(e.id, e.kind) for e in events(site, "batch.")] == told
    assert [(b.id, b.name, b.status) for b in the_batches(site.services)] == [
        (1, "batch_001", BatchStatus.SORTED), (2, "batch_002", BatchStatus.SORTED),
    ]  # fmt: skip
    with site.services.db.reading() as conn:
        assert deliveries.confirmed_ids(conn, 1, "PEER") == {1}
    assert id_of(site, "path", b"albums/img_0000.jpg") == first_id
    jobs.confirm_rebuild(site.services)
    assert workflow(site.services).status is RunStatus.DONE
    assert count(site.services, AssetStatus.ARCHIVED) == 8
    assert len([name for name in read_tree(site.base / "archive") if name.endswith(".jpg")]) == 8


def id_of(site: Site, column: str, path: bytes) -> int:
    with site.services.db.reading() as conn:
        return int(conn.exec_driver_sql(f"SELECT id FROM assets WHERE {column} = ?", (path,)).scalar_one())


def test_a_run_that_was_at_work_when_the_backup_was_made_does_not_go_on(site: Site) -> None:
    run = jobs.start_workflow(site.services, Trigger.API)
    with site.services.db.transaction() as conn:
        runs.change(conn, runs.get(conn, run.id), RunStatus.RUNNING)
        conn.exec_driver_sql(
            "INSERT INTO moves (purpose, state, src_root_id, src_path, dst_root_id, dst_path, tmp_name, created_at, "
            "updated_at) VALUES ('batch', 'PLANNED', 1, x'61', 2, x'62', x'63', '', '')"
        )
    path = site.backup()
    site.restore(path)
    with site.services.db.reading() as conn:
        found = runs.get(conn, run.id)
        assert runs.find_in_flight(conn) is None
        assert conn.exec_driver_sql("SELECT state, tmp_name FROM moves").all() == [("ABORTED", None)]
    assert (found.status, "restored" in (found.error or "")) == (RunStatus.CANCELLED, True)


def test_settings_stay_when_asked(site: Site) -> None:
    path = site.backup()
    site.save(batch={"max_files": 9})
    text = site.config_path.read_bytes()
    done = site.restore(path, keeps_config=True)
    assert site.config_path.read_bytes() == text
    assert done.kept_config is None


def test_folders_that_lost_their_markers_are_marked_again_only_when_asked(site: Site) -> None:
    fill(site.services, 2)
    workflow(site.services)
    path = site.backup()
    markers = list(site.base.rglob(".media-pipeline-root"))
    texts = {p: p.read_bytes() for p in markers}
    for marker in markers:
        marker.unlink()
    done = site.restore(path)
    assert len(done.folders_unmarked) == 4
    assert not any(marker.exists() for marker in markers)
    site.restore(path, marks_folders=True)
    assert {p: json.loads(p.read_bytes())["root"] for p in markers} == {
        p: json.loads(text)["root"] for p, text in texts.items()
    }
    site.compare()
    assert count(site.services, AssetStatus.ARCHIVED) == 2


def test_a_backup_is_restored_when_the_database_and_the_settings_are_gone(site: Site) -> None:
    fill(site.services, 3)
    workflow(site.services)
    path = site.backup(str(site.base / "safe.tar.gz"))
    site.services.close()
    os.unlink(site.services.config.system.db_path)
    os.unlink(site.config_path)
    site.restore(path)
    site.compare()
    assert count(site.services, AssetStatus.ARCHIVED) == 3
    with site.services.db.reading() as conn:
        assert confirmation.cause(conn) == confirmation.RESTORED
