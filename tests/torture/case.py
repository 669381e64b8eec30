"""The library that the sweeps move: a dozen files with every kind of collision and name, and what must hold of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.files import prune
from app.files.census import Census
from app.files.move import Move
from app.files.recover import recover
from app.model import AssetStatus, Place
from tests.files.library import Library

LARGE = b"0123456789abcdef" * 160_000

#: Source, target and content of every file to be moved. Some share content, one target is wanted twice.
FILES: list[tuple[bytes, bytes, bytes]] = [
    (b"a/1.jpg", b"2024/01/1.jpg", b"one"),
    (b"a/2.jpg", b"2024/01/2.jpg", b"two"),
    (b"a/3.jpg", b"2024/01/3.jpg", b"three"),
    (b"b/1.jpg", b"2024/01/1.jpg", b"another one"),
    (b"b/empty.jpg", b"2024/02/empty.jpg", b""),
    (b"b/bad\xff.jpg", b"2024/02/bad\xff.jpg", b"not utf-8"),
    (b"b/line\nbreak -rf 'x'.jpg", b"2024/02/line\nbreak -rf 'x'.jpg", b"hostile"),
    (b"c/" + b"n" * 251 + b".jpg", b"2024/03/deep/er/" + b"n" * 251 + b".jpg", b"long name"),
    (b"c/large.mov", b"2024/03/large.mov", LARGE),
    (b"c/twin.jpg", b"2024/03/twin.jpg", b"one"),
    (b"c/hard1.jpg", b"2024/04/hard1.jpg", b"two names"),
    (b"c/hard2.jpg", b"2024/04/hard2.jpg", b"two names"),
]

#: What lies in the archive before: other content, and the same content as a file to be moved.
FOREIGN = {b"2024/01/2.jpg": b"foreign two", b"2024/01/3.jpg": b"three"}

#: Files that stay where they are: their target is taken by other content or by another asset.
STAYING = (b"a/2.jpg", b"b/1.jpg")

GROUP_SIZE = 5


@dataclass(frozen=True)
class Where:
    """The folders of one case."""

    base: Path
    archive: Path

    def remove(self) -> None:
        """Remove everything; a case takes no room once it is over."""
        for path in (self.base, self.archive):
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)


def build(where: Where) -> Census:
    """Make the library; returns what it holds."""
    library = Library.make(where.base, where.archive)
    library.write(library.ingest, {source: content for source, _, content in FILES[:-1]})
    os.link(Place(library.ingest, FILES[-2][0]).absolute, Place(library.ingest, FILES[-1][0]).absolute)
    library.write(library.archive, FOREIGN)
    library.know([source for source, _, _ in FILES])
    census = library.census()
    library.close()
    return census


def moves_left(library: Library, keep: bool) -> list[Move]:
    """The moves of all assets that are not placed yet."""
    targets = {source: target for source, target, _ in FILES}
    return [
        library.move_to(asset, targets[asset.path], keep=keep)
        for asset in library.assets()
        if asset.status is AssetStatus.UNIQUE
    ]


def move_all(where: Where, keep: bool = False) -> None:
    """What the sweeps interrupt."""
    library = Library(where.base, where.archive)
    library.run(moves_left(library, keep), GROUP_SIZE)
    library.close()


def recover_all(where: Where, keep: bool = False) -> None:
    """What comes after every interruption, and is interrupted itself."""
    library = Library(where.base, where.archive)
    recover(library.db)
    library.close()


def check_during(where: Where, before: Census) -> None:
    """Right after an interruption every content is whole somewhere."""
    library = Library(where.base, where.archive)
    lost = library.census().lost_since(before)
    library.close()
    assert not lost, f"lost: {lost}"


def check_recovered(where: Where, before: Census) -> None:
    """After recovery disk and rows agree file by file, nothing is left half done, and what was foreign is untouched."""
    library = Library(where.base, where.archive)
    try:
        census = library.census()
        assert not census.lost_since(before), "a content is lost"
        assert not census.added_since(before), "a content appeared"
        assert not census.leftovers, f"temporary files are left: {census.leftovers}"
        open_rows = [row for row in library.rows("state, note") if row[0] not in ("DONE", "ABORTED")]
        assert not open_rows, f"rows are open: {open_rows}"
        differ = _outside_trash(library, census) ^ _expected(library)
        assert not differ, f"disk and rows differ: {differ}"
        for asset in library.assets():
            root = next(r for r in library.roots.values() if r.id == asset.root_id)
            assert census.names[Place(root, asset.path).absolute] == asset.digest, f"asset {asset.id} is elsewhere"
    finally:
        library.close()


def _outside_trash(library: Library, census: Census) -> set[bytes]:
    return {name for name in census.names if b".mp-trash" not in name}


def _expected(library: Library) -> set[bytes]:
    roots = {root.id: root for root in library.roots.values()}
    expected = {Place(library.archive, path).absolute for path in FOREIGN}
    expected |= {Place(roots[a.root_id], a.path).absolute for a in library.assets()}
    with library.db.reading() as conn:
        kept = conn.exec_driver_sql("SELECT root_id, path FROM kept_copies").all()
    return expected | {Place(roots[root_id], path).absolute for root_id, path in kept}


def check_archive(where: Where) -> None:
    """Once moved again without interruption, everything has ended where it would have ended anyway."""
    library = Library(where.base, where.archive)
    found = dict(_archive_names(library))
    library.close()
    assert found == expected_archive(), f"the archive ended otherwise: {sorted(found)}"


def _archive_names(library: Library) -> Mapping[bytes, str]:
    prefix = len(library.archive.path) + 1
    names = library.census().names.items()
    return {n[prefix:]: d for n, d in names if n.startswith(library.archive.path + b"/") and b".mp-trash" not in n}


def expected_archive() -> dict[bytes, str]:
    """The archive after everything has been moved."""
    placed = {target: content for source, target, content in FILES if source not in STAYING}
    return {path: hashlib.sha256(content).hexdigest() for path, content in {**placed, **FOREIGN}.items()}


def move_one(where: Where) -> None:
    """A single file, so that the order of its steps can be read in a trace."""
    library = Library(where.base, where.archive)
    (first, *_) = moves_left(library, keep=False)
    library.run([first])
    library.close()


def prune_all(where: Where) -> None:
    """Everything that pruning removes, at once."""
    library = Library(where.base, where.archive)
    prune.drop_expired_trash(library.db, 0)
    for root in library.roots.values():
        prune.remove_stale_temps(library.db, root)
    library.close()
