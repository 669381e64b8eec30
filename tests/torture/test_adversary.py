"""Someone else works on the same files at the worst moment. The moment is held open by delaying one system call."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.files.census import take_census
from tests.files.library import Library
from tests.torture import case
from tests.torture.case import Where
from tests.torture.conftest import MakeWhere
from tests.torture.tracing import Ended, Warm

SOURCE, TARGET, CONTENT = case.FILES[0]
PATIENCE_SECONDS = 20


@contextmanager
def meanwhile(moment: Callable[[], bool], act: Callable[[], None]) -> Iterator[None]:
    """Act once in another thread as soon as the moment has come."""
    acted = threading.Event()

    def wait() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if moment():
                act()
                acted.set()
                return

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join()
    assert acted.is_set(), "the moment never came"


def move_one(warm: Warm, where: Where, *delayed: str) -> Ended:
    delays = [part for name in delayed for part in ("-e", f"inject={name}:delay_enter=1000000")]
    return warm.run("move_one", where, delays)


def is_planned(where: Where) -> Callable[[], bool]:
    library = Library(where.base, where.archive)
    return lambda: ("PLANNED",) in library.rows()


def is_copied(where: Where) -> Callable[[], bool]:
    """Its temporary file is whole: published next."""
    folder = where.archive / os.path.dirname(os.fsdecode(TARGET))
    size = len(CONTENT)

    def look() -> bool:
        return folder.is_dir() and any(p.name.endswith(".part") and p.stat().st_size == size for p in folder.iterdir())

    return look


def replace(path: bytes, content: bytes) -> None:
    with open(path + b".new", "wb") as file:
        file.write(content)
    os.rename(path + b".new", path)


def source_of(where: Where) -> bytes:
    return os.path.join(os.fsencode(where.base / "ingest"), SOURCE)


def target_of(where: Where) -> bytes:
    return os.path.join(os.fsencode(where.archive), TARGET)


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_a_target_made_at_the_last_moment_is_not_replaced_by_a_rename(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("same")
    case.build(where)
    with meanwhile(is_planned(where), lambda: replace(target_of(where), b"foreign")):
        assert move_one(warm, where, "renameat2").code == 0
    assert (read(target_of(where)), read(source_of(where))) == (b"foreign", CONTENT)


def test_a_target_made_at_the_last_moment_is_not_replaced_by_a_copy(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("cross")
    case.build(where)
    with meanwhile(is_copied(where), lambda: replace(target_of(where), b"foreign")):
        assert move_one(warm, where, "fadvise64").code == 0
    assert (read(target_of(where)), read(source_of(where))) == (b"foreign", CONTENT)
    assert not take_census([os.fsencode(where.archive)]).leftovers


def test_a_source_replaced_before_its_rename_gets_its_name_back(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("same")
    case.build(where)
    with meanwhile(is_planned(where), lambda: replace(source_of(where), b"new")):
        assert move_one(warm, where, "renameat2").code == 0
    assert read(source_of(where)) == b"new"
    assert not os.path.lexists(target_of(where))
    library = Library(where.base, where.archive)
    assert library.assets()[0].path == SOURCE
    library.close()


def test_a_source_replaced_while_it_is_copied_stays_and_the_copy_holds_the_old_content(
    warm: Warm, make_where: MakeWhere
) -> None:
    where = make_where("cross")
    case.build(where)
    with meanwhile(is_copied(where), lambda: replace(source_of(where), b"new")):
        assert move_one(warm, where, "fadvise64").code == 0
    assert (read(target_of(where)), read(source_of(where))) == (CONTENT, b"new")


def test_a_source_removed_while_it_is_copied_survives_as_the_copy(warm: Warm, make_where: MakeWhere) -> None:
    where = make_where("cross")
    case.build(where)
    with meanwhile(is_copied(where), lambda: os.unlink(source_of(where))):
        assert move_one(warm, where, "fadvise64").code == 0
    assert read(target_of(where)) == CONTENT


def test_a_copy_that_the_disk_garbled_is_never_published(warm: Warm, make_where: MakeWhere) -> None:
    """The disk says that it wrote and did not: only reading back can tell."""
    where = make_where("cross")
    case.build(where)
    ended = warm.run("move_one", where, ["-e", f"inject=write:retval={len(CONTENT)}:when=1"])
    assert ended.code == 0, ended.errors
    assert read(source_of(where)) == CONTENT
    assert not os.path.lexists(target_of(where))
    assert not take_census([os.fsencode(where.archive)]).leftovers


@pytest.mark.parametrize("mounts", ["same", "cross"])
def test_folders_swapped_for_links_all_the_time_never_lead_outside(make_where: MakeWhere, mounts: str) -> None:
    where = make_where(mounts)
    library = Library.make(where.base, where.archive)
    outside = where.base / "outside"
    outside.mkdir()
    (outside / "precious.jpg").write_bytes(b"precious")
    names = [b"%d.jpg" % n for n in range(150)]
    library.write(library.ingest, {name: b"content of " + name for name in names})
    before = library.census()
    over = threading.Event()
    swapper = threading.Thread(target=_swap, args=(library.archive.path + b"/2024", os.fsencode(outside), over))
    swapper.start()
    try:
        for asset in library.know(names):
            library.run([library.move_to(asset, b"2024/" + asset.path)])
    finally:
        over.set()
        swapper.join()
    assert [p.name for p in outside.iterdir()] == ["precious.jpg"]
    assert (outside / "precious.jpg").read_bytes() == b"precious"
    assert not library.census().lost_since(before)
    library.close()


def _swap(folder: bytes, outside: bytes, over: threading.Event) -> None:
    """A folder, then a link to elsewhere, then a folder again; what the mover put there is kept beside."""
    for number in itertools.count():
        if over.is_set():
            return
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            os.rename(folder, folder + b".was%d" % number)
            os.symlink(outside, folder)
        if os.path.islink(folder):
            os.unlink(folder)
