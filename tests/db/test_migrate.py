"""Migrations: the same schema as the tables, a backup before a change, and damage that is told, not overwritten."""

from __future__ import annotations

import os
import random
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from app.db import facts, filesystem, journal, migrate
from app.db.connection import Database
from app.db.migrate import migrate as bring_up
from app.db.migrate import newest_revision, open_database, read_database_id, read_revision
from app.db.revisions import known_revisions
from app.db.tables import metadata
from app.errors import StateError

#: Elsewhere a new database is a copy.
UPGRADE = migrate._upgrade


@pytest.fixture(autouse=True)
def _every_revision_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "_upgrade", UPGRADE)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "db.sqlite")


def shape(path: str) -> dict[str, list[str]]:
    """Every table and index, its clauses in one order."""
    with closing(sqlite3.connect(path)) as conn:
        rows = conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
        ).fetchall()
    return {name: sorted(re.sub(r"\s+", " ", part).strip(" )") for part in sql.split(",")) for name, sql in rows}


def upgrade_to(path: str, revision: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    db = Database(path)
    with db.transaction() as conn:
        config = migrate._alembic_config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
    db.close()


def test_the_revisions_read_as_text_are_those_that_alembic_knows() -> None:
    scripts = ScriptDirectory.from_config(migrate._alembic_config())
    assert known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert newest_revision() == scripts.get_current_head()


def test_the_migrated_schema_is_the_schema_of_the_tables(path: str, tmp_path: Path) -> None:
    bring_up(path)
    other = str(tmp_path / "other.sqlite")
    engine = create_engine(f"sqlite:///{other}")
    metadata.create_all(engine)
    assert shape(path) == shape(other)
    with create_engine(f"sqlite:///{path}").connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_a_new_database_has_an_identity_is_private_and_is_left_alone_by_a_second_start(path: str) -> None:
    bring_up(path)
    identity = read_database_id(path)
    before = Path(path).read_bytes()
    bring_up(path)
    assert identity
    assert read_database_id(path) == identity
    assert Path(path).read_bytes() == before
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert sorted(os.listdir(os.path.dirname(path))) == ["db.sqlite", "db.sqlite.lock"]


def test_an_open_database_is_durable_and_strict(path: str) -> None:
    bring_up(path)
    db = open_database(path)
    with db.reading() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    db.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_an_older_database_is_backed_up_and_then_migrated(path: str) -> None:
    upgrade_to(path, "0001")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("INSERT INTO facts VALUES ('kept', 'yes')")
        conn.commit()
    with pytest.raises(StateError, match="older version"):
        open_database(path)
    bring_up(path)
    db = open_database(path)
    with db.reading() as conn:
        assert facts.find(conn, "kept") == "yes"
        (event,) = journal.list_events(conn)
    db.close()
    backup = f"{path}.backup-0001"
    assert event.kind == "database.migrated"
    assert backup in event.message
    assert read_revision(backup) == "0001"
    assert stat.S_IMODE(os.stat(backup).st_mode) == 0o600


def test_findings_stay_and_their_ids_never_come_back(path: str) -> None:
    upgrade_to(path, "0006")
    root = "INSERT INTO roots (id, kind, path, marker_id, created_at) VALUES (1, 'archive', x'2f61', 'm', '2026')"
    finding = "INSERT INTO findings (run_id, kind, root_id, path, reason, found_at) VALUES (1, 'foreign', 1, ?, '', '')"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(root)
        conn.executemany(finding, [(b"a",), (b"b",)])
        conn.commit()
        before = conn.execute("SELECT * FROM findings ORDER BY id").fetchall()
    bring_up(path)
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT * FROM findings ORDER BY id").fetchall() == before
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        conn.execute("DELETE FROM findings")
        conn.execute(finding, (b"c",))
        assert conn.execute("SELECT id, path FROM findings").fetchall() == [(3, b"c")]


def test_a_backup_never_replaces_an_earlier_one(path: str) -> None:
    upgrade_to(path, "0001")
    Path(f"{path}.backup-0001").write_text("precious")
    bring_up(path)
    assert Path(f"{path}.backup-0001").read_text() == "precious"
    assert read_revision(f"{path}.backup-0001-2") == "0001"


def test_a_database_of_a_newer_version_is_refused_untouched(path: str) -> None:
    bring_up(path)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
        conn.commit()
    before = Path(path).read_bytes()
    for refuse in (bring_up, open_database):
        with pytest.raises(StateError, match="newer version"):
            refuse(path)
    assert Path(path).read_bytes() == before


def test_a_database_of_another_program_is_refused(path: str) -> None:
    os.makedirs(os.path.dirname(path))
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE photos (id)")
    with pytest.raises(StateError, match="another program"):
        bring_up(path)


def test_no_database_is_told_as_that(path: str) -> None:
    with pytest.raises(StateError, match="no database"):
        open_database(path)


KILLED = """
import os, sys
sys.path.insert(0, {root!r})
from app.db import migrate
migrate._run_revisions = lambda conn, run=migrate._run_revisions: (run(conn), os.kill(os.getpid(), 9))
migrate.migrate({path!r})
"""


@pytest.mark.parametrize("start", [None, "0001"])
def test_a_migration_that_is_killed_leaves_the_old_database(path: str, start: str | None) -> None:
    if start:
        upgrade_to(path, start)
    root = str(Path(__file__).parents[2])
    killed = subprocess.run([sys.executable, "-c", KILLED.format(root=root, path=path)], check=False)
    assert killed.returncode == -9
    assert read_revision(path) == start
    bring_up(path)
    assert read_revision(path) == newest_revision()


def test_two_processes_that_start_together_make_one_database(path: str) -> None:
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from app.db.migrate import *; migrate({path!r}); "
    code += f"print(read_database_id({path!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    answers = {process.communicate()[0] for process in both}
    assert len(answers) == 1
    assert [process.returncode for process in both] == [0, 0]


def fill(path: str) -> None:
    bring_up(path)
    db = open_database(path)
    with db.transaction() as conn:
        for number in range(500):
            facts.put(conn, f"fact {number:04d}", "x" * 100)
    db.close()


def test_flipped_bytes_are_found_or_harmless_and_never_overwritten(path: str) -> None:
    fill(path)
    sound = Path(path).read_bytes()
    chance = random.Random(7)
    found = 0
    for _ in range(200):
        damaged = bytearray(sound)
        for _ in range(4):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        Path(path).write_bytes(damaged)
        try:
            bring_up(path)
        except StateError as error:
            found += 1
            assert path in str(error)
            assert Path(path).read_bytes() == damaged
    assert found > 20


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_database_is_refused_with_what_to_do(path: str, share: float) -> None:
    fill(path)
    os.truncate(path, int(os.path.getsize(path) * share))
    before = Path(path).read_bytes()
    with pytest.raises(StateError, match=r"damaged.*backup"):
        bring_up(path)
    assert Path(path).read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: str) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).write_bytes(b"\xff\xd8 a photo by accident" * 1000)
    with pytest.raises(StateError, match="damaged"):
        bring_up(path)


UNCLEAN = """
import os, sys
sys.path.insert(0, {root!r})
from app.db import facts
from app.db.migrate import migrate, open_database
migrate({path!r})
db = open_database({path!r})
with db.transaction() as conn:
    facts.put(conn, "late", "yes")
os.kill(os.getpid(), 9)
"""


def test_a_lost_wal_file_leaves_a_database_that_still_says_who_it_is(path: str) -> None:
    code = UNCLEAN.format(root=str(Path(__file__).parents[2]), path=path)
    subprocess.run([sys.executable, "-c", code], check=False)
    identity_there = os.path.getsize(f"{path}-wal") > 0
    os.unlink(f"{path}-wal")
    bring_up(path)
    assert identity_there
    assert read_database_id(path)


@pytest.fixture
def network_file_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    answer = {"type": 0xEF53}
    monkeypatch.setattr(filesystem, "file_system_type", lambda _path: answer["type"])
    yield answer


@pytest.mark.parametrize("kind", sorted(filesystem.NETWORK_FILE_SYSTEMS))
def test_a_database_on_a_network_file_system_is_refused(
    path: str, network_file_system: dict[str, int], kind: int
) -> None:
    network_file_system["type"] = kind
    with pytest.raises(StateError, match="local disk"):
        bring_up(path)
    assert os.listdir(os.path.dirname(path)) == []


def test_the_kernels_answer_for_known_places(tmp_path: Path) -> None:
    assert filesystem.file_system_type(b"/proc") == 0x9FA0
    with pytest.raises(FileNotFoundError):
        filesystem.file_system_type(os.fsencode(tmp_path / "nowhere"))
