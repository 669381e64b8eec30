"""One fault each, and what the user is told of it: no room, a read-only disk, a source that cannot be taken away."""

from __future__ import annotations

import os

import pytest

from app.files.census import take_census
from tests.files.library import Library
from tests.torture import case
from tests.torture.case import Where
from tests.torture.conftest import MakeWhere
from tests.torture.test_adversary import CONTENT, SOURCE, read, source_of, target_of
from tests.torture.tracing import Ended, Warm


def move_one(warm: Warm, where: Where, *injected: str) -> Ended:
    return warm.run("move_one", where, [part for rule in injected for part in ("-e", f"inject={rule}")])


def rows(where: Where) -> list[tuple[object, ...]]:
    library = Library(where.base, where.archive)
    found = library.rows("state, note")
    library.close()
    return found


@pytest.mark.parametrize("call", ["fallocate", "write"])
def test_without_room_the_file_stays_and_can_be_tried_again(warm: Warm, make_where: MakeWhere, call: str) -> None:
    where = make_where("cross")
    case.build(where)
    ended = move_one(warm, where, f"{call}:error=ENOSPC")
    assert ended.code == 0, ended.errors
    ((state, note),) = rows(where)
    assert (state, "room" in str(note)) == ("ABORTED", True)
    assert read(source_of(where)) == CONTENT
    assert not take_census([os.fsencode(where.archive)]).leftovers
    assert move_one(warm, where).code == 0
    assert read(target_of(where)) == CONTENT


@pytest.mark.parametrize("error", ["EROFS", "ESTALE", "EIO", "EUCLEAN"])
def test_a_disk_that_fails_stops_all_work_with_one_clear_error(warm: Warm, make_where: MakeWhere, error: str) -> None:
    where = make_where("same")
    before = case.build(where)
    ended = warm.run("move_all", where, ["-e", f"inject=renameat2:error={error}"])
    assert ended.code == 1
    assert ended.errors.startswith("RootUnavailable: The archive folder")
    assert warm.run("recover_all", where).code == 0
    case.check_recovered(where, before)


def test_a_source_that_cannot_be_taken_away_is_kept_and_counted_once(warm: Warm, make_where: MakeWhere) -> None:
    """The third renameat2 is the one that takes the source: the first crosses the mount, the second publishes."""
    where = make_where("cross")
    before = case.build(where)
    assert move_one(warm, where, "renameat2:error=EPERM:when=3+", "renameat:error=EPERM").code == 0
    assert read(source_of(where)) == read(target_of(where)) == CONTENT
    library = Library(where.base, where.archive)
    assert library.events() == ["move.source_kept"]
    with library.db.reading() as conn:
        kept = [tuple(row) for row in conn.exec_driver_sql("SELECT asset_id, path FROM kept_copies")]
    library.close()
    assert kept == [(1, SOURCE)]
    case.check_recovered(where, before)


def test_a_source_that_cannot_be_read_fails_alone(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("cross")
    before = case.build(where)
    assert warm.run("move_all", where, ["-e", "inject=readv:error=EIO:when=1"]).code == 0
    case.check_recovered(where, before)
    assert read(source_of(where)) == CONTENT
    library = Library(where.base, where.archive)
    states = [row[0] for row in library.rows()]
    library.close()
    assert states.count("DONE") >= len(case.FILES) - len(case.STAYING) - 2


def test_a_disk_that_cannot_flush_publishes_nothing(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("cross")
    before = case.build(where)
    ended = warm.run("move_all", where, ["-e", "inject=fsync:error=EIO", "-e", "inject=syncfs:error=EIO:when=2+"])
    assert ended.code == 1
    assert "RootUnavailable" in ended.errors
    library = Library(where.base, where.archive)
    placed = set(library.files(library.archive)) - set(case.FOREIGN)
    library.close()
    assert not {name for name in placed if not name.endswith(b".part")}
    assert warm.run("recover_all", where).code == 0
    case.check_recovered(where, before)
