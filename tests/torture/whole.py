"""A dozen files with every kind of collision, taken through the whole pipeline and back, and what must hold of them."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from pathlib import Path

from app import jobs
from app.config.schema import Config
from app.config.store import Snapshot
from app.db import assets
from app.files.census import Census, take_census
from app.files.own_files import OWN_FILE_NAMES
from app.files.roots import MARKER_NAME
from app.model import AssetStatus, BatchStatus, Place, RootKind, Run, RunStatus, Trigger
from app.services import Services, set_up
from tests.conftest import make_config, make_jpeg, read_tree
from tests.pipeline.running import go, the_batches, workflow

DAY = "2024:05:06 07:08:09"
MTIME_SECONDS = 1_700_000_000
LARGE = make_jpeg(DAY, seed=50) + b"0123456789abcdef" * 80_000

#: Every file that comes, by the path that it comes under.
FILES: dict[bytes, bytes] = {
    b"a/IMG_1.jpg": make_jpeg(DAY, seed=1),
    b"b/IMG_1.jpg": make_jpeg(DAY, seed=2),
    b"b/copy.jpg": make_jpeg(DAY, seed=1),
    b"b/IMG_2.jpg": make_jpeg(DAY, seed=3),
    b"b/IMG_3.jpg": make_jpeg(DAY, seed=4),
    b"c/empty.jpg": b"",
    b"c/bad\xff.jpg": make_jpeg(DAY, seed=5),
    b"c/line\nbreak.jpg": make_jpeg(DAY, seed=6),
    b"c/" + b"n" * 251 + b".jpg": make_jpeg(DAY, seed=7),
    b"d/Case.jpg": make_jpeg(DAY, seed=8),
    b"e/case.JPG": make_jpeg(DAY, seed=9),
    "d/caf\u00e9.jpg".encode(): make_jpeg(DAY, seed=10),
    "e/cafe\u0301.jpg".encode(): make_jpeg(DAY, seed=11),
    b"e/large.jpg": LARGE,
    b"e/live.jpg": make_jpeg(DAY, seed=12),
    b"e/live.mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"film" * 64,
}
#: A second name of one of them, where there are hard links.
FIRST_NAME, SECOND_NAME = b"a/IMG_1.jpg", b"d/second.jpg"
#: What lies in the archive before: other content, and the same, under names that come.
FOREIGN = {b"2024/05/06/IMG_2.jpg": b"somebody's", b"2024/05/06/IMG_3.jpg": FILES[b"b/IMG_3.jpg"]}

#: Where the archive keeps manifests and decisions of our own.
OWN_FOLDER = b"/.media-pipeline/"

#: What a file system may answer to a name, or to a second one, that it cannot have.
CANNOT = (errno.EILSEQ, errno.EINVAL, errno.ENAMETOOLONG, errno.EPERM, errno.ENOENT, errno.EOPNOTSUPP)


def config_of(state: Path, source: Path, archive: Path, *, target: str = "folder") -> Config:
    """Ingest and batches lie on the source, the archive and a folder for deliveries on the other side."""
    paths = {
        "source_dir": str(source / "ingest"),
        "batch_dir": str(source / "batches"),
        "sorted_dir": str(archive / "archive"),
        "duplicates_dir": str(archive / "duplicates"),
    }
    return make_config(state, paths=paths, sync={"target": target, "folder_dir": str(archive / "usb")})


def open_site(state: Path, source: Path, archive: Path, *, target: str = "folder") -> Services:
    """An installation over these folders; close it when done."""
    return set_up(Snapshot(config_of(state, source, archive, target=target), revision="test"))


def put_library(source: Path, archive: Path, *, holdable_there: bool = True) -> None:
    """Write the library; a name that the file system cannot have does not come from there. With `holdable_there` names
    that the other side cannot have are left out too: no delivery could be made there under them."""
    for name, content in FILES.items():
        if not holdable_there or _put(archive / "probe", name, b""):
            _put(source / "ingest", name, content)
    shutil.rmtree(archive / "probe", ignore_errors=True)
    for name, content in FOREIGN.items():
        _put(archive / "archive", name, content)
    try:
        os.link(_below(source / "ingest", FIRST_NAME), _below(source / "ingest", SECOND_NAME))
    except OSError as error:
        assert error.errno in CANNOT, error


def _put(root: Path, name: bytes, content: bytes) -> bool:
    """Whether it can be there; a name that only differs in case may be there already."""
    path = _below(root, name)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (MTIME_SECONDS, MTIME_SECONDS))
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        return False
    return True


def _below(root: Path, name: bytes) -> bytes:
    return os.path.join(os.fsencode(root), name)


def census(services: Services) -> Census:
    """Everything below every root but what was delivered, hidden folders and trash included, without our own files."""
    roots = [root.path for kind, of_kind in services.roots.items() if kind is not RootKind.DELIVERY for root in of_kind]
    return _census_of(roots)


def census_below(source: Path, archive: Path) -> Census:
    """The same of the folders themselves, whatever the rows say of them."""
    return _census_of([os.fsencode(source), os.fsencode(archive / "archive")])


def _census_of(folders: list[bytes]) -> Census:
    found = take_census(folders, leave_out=(MARKER_NAME, *OWN_FILE_NAMES))
    names = {name: digest for name, digest in found.names.items() if OWN_FOLDER not in name}
    return Census(names, Counter(names.values()))


def names_in(folder: str) -> dict[str, bytes]:
    """Every file of a media folder, without empty folders."""
    return {name: content for name, content in read_tree(folder).items() if not name.endswith("/")}


def in_use(found: Census) -> Counter[str]:
    """How often each content is there, apart from what waits in the trash to be dropped."""
    return Counter(digest for name, digest in found.names.items() if b"/.mp-trash/" not in name)


def run_through(services: Services) -> Run:
    """Scan to cleanup."""
    return workflow(services)


def take_back(services: Services) -> None:
    """Undo every batch, the newest first."""
    for batch in the_batches(services)[::-1]:
        if batch.status is not BatchStatus.CANCELLED:
            run = go(services, jobs.start_undo(services, batch.id, Trigger.CLI))
            assert run.status is RunStatus.DONE, run.error


def check_nothing_lost(services: Services, before: Census) -> None:
    """Every content is there, none is new, nothing is half done, and every row names a file that holds what it says."""
    now = census(services)
    assert (now.lost_since(before), now.added_since(before), now.leftovers) == (set(), set(), [])
    places = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    with services.db.reading() as conn:
        rows = [a for status in AssetStatus for a in assets.list_by_status(conn, status)]
        open_moves = conn.exec_driver_sql("SELECT COUNT(*) FROM moves WHERE state NOT IN ('DONE', 'ABORTED')").scalar()
    assert open_moves == 0
    present = [a for a in rows if a.status is not AssetStatus.GONE]
    lying = {a.id: now.names.get(Place(places[a.root_id], a.path).absolute) for a in present}
    wrong = [a.path for a in present if a.sha256 not in (None, lying[a.id])]
    assert wrong == [], f"rows name files that hold something else: {wrong}"


def statuses(services: Services) -> dict[bytes, AssetStatus]:
    """What became of each file, by the path that it came under."""
    with services.db.reading() as conn:
        rows = [a for status in AssetStatus for a in assets.list_by_status(conn, status)]
    return {a.origin_path or a.path: a.status for a in rows}


def reasons(services: Services) -> list[str]:
    """What is said of files that did not come through."""
    with services.db.reading() as conn:
        rows = [a for status in AssetStatus for a in assets.list_by_status(conn, status)]
    return [a.reason for a in rows if a.reason]
