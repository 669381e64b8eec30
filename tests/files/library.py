"""A small library over real SQLite and real folders, quick to make: roots, files and the assets that know them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from app.db import assets, moves, roots
from app.db.connection import Database
from app.db.tables import metadata
from app.files.census import Census, take_census
from app.files.directory import signature_of
from app.files.move import Move, Moved, move_files
from app.files.roots import MARKER_NAME
from app.model import Asset, AssetStatus, Place, Root, RootKind

FOLDERS = {RootKind.INGEST: "ingest", RootKind.STAGING: ".mp-staging", RootKind.ARCHIVE: "archive"}


class Library:
    """Folders and database under `base`; the archive may lie elsewhere, on another mount."""

    def __init__(self, base: Path, archive: Path | None = None) -> None:
        self.base = base
        self.archive_path = archive if archive is not None else base / "archive"
        self.db = Database(str(base / "state" / "db.sqlite"))
        with self.db.reading() as conn:
            self.roots = {root.kind: root for root in roots.list_all(conn)}

    @classmethod
    def make(cls, base: Path, archive: Path | None = None) -> Library:
        """A new one, with empty folders."""
        os.makedirs(base / "state", exist_ok=True)
        template = _template(base)
        shutil.copyfile(template, base / "state" / "db.sqlite")
        library = cls(base, archive)
        with library.db.transaction() as conn:
            for kind, name in FOLDERS.items():
                path = library.archive_path if kind is RootKind.ARCHIVE else base / name
                os.makedirs(path, exist_ok=True)
                (path / os.fsdecode(MARKER_NAME)).write_text(f"id-{kind.value}")
                library.roots[kind] = roots.add(conn, kind, os.fsencode(path), f"id-{kind.value}")
        return library

    @property
    def ingest(self) -> Root:
        return self.roots[RootKind.INGEST]

    @property
    def archive(self) -> Root:
        return self.roots[RootKind.ARCHIVE]

    def write(self, root: Root, files: Mapping[bytes, bytes]) -> None:
        for path, content in files.items():
            full = Place(root, path).absolute
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(content)

    def know(self, paths: list[bytes], algorithm: str = "sha256", root: Root | None = None) -> list[Asset]:
        """Unique, hashed assets for files that are there, in this order."""
        root = root or self.ingest
        found, digests = [], {}
        for path in paths:
            full = Place(root, path).absolute
            found.append((path, signature_of(os.lstat(full)), None))
            with open(full, "rb") as file:
                digests[path] = _digest(file.read(), algorithm)
        with self.db.transaction() as conn:
            assets.insert_discovered(conn, root.id, found)
            new = [a for a in (assets.find_at(conn, root.id, path) for path in paths) if a is not None]
            columns = {a.id: {"digest": digests[a.path], "digest_algorithm": algorithm} for a in new}
            assets.set_columns(conn, list(columns.items()))
            assets.mark(conn, new, AssetStatus.UNIQUE)
            return [assets.get(conn, a.id) for a in new]

    def move_to(
        self, asset: Asset, target: bytes, *, keep: bool = False, places: bool = True, root: Root | None = None
    ) -> Move:
        """A move of an asset from where its row says it is, into the archive unless another root is given."""
        source = next(r for r in self.roots.values() if r.id == asset.root_id)
        status = AssetStatus.BATCHED if places else None
        place = Place(root or self.archive, target)
        return Move(asset, Place(source, asset.path), place, "sort", status, keep_source=keep, places_asset=places)

    def run(self, wanted: list[Move], group_size: int = 64) -> list[Moved]:
        return move_files(self.db, wanted, run_id=None, group_size=group_size)

    def assets(self) -> list[Asset]:
        """Every asset, in id order."""
        with self.db.reading() as conn:
            ids = [row[0] for row in conn.exec_driver_sql("SELECT id FROM assets ORDER BY id")]
            return [assets.get(conn, i) for i in ids]

    def rows(self, columns: str = "state") -> list[tuple[object, ...]]:
        """These columns of the moves table, in id order."""
        with self.db.reading() as conn:
            return [tuple(row) for row in conn.exec_driver_sql(f"SELECT {columns} FROM moves ORDER BY id")]

    def events(self) -> list[str]:
        """Kinds of the events written, oldest first."""
        with self.db.reading() as conn:
            return [row[0] for row in conn.exec_driver_sql("SELECT kind FROM events ORDER BY id")]

    def quarantined(self) -> list[moves.MoveRow]:
        with self.db.reading() as conn:
            return moves.list_quarantined(conn)

    def census(self) -> Census:
        return take_census(r.path for r in self.roots.values())

    def files(self, root: Root) -> dict[bytes, bytes]:
        """Relative path to content of every file of a root, but its marker and trash."""
        census = take_census([root.path])
        found = {}
        for full in census.names:
            path = full[len(root.path) + 1 :]
            if b".mp-trash" not in path:
                with open(full, "rb") as file:
                    found[path] = file.read()
        return found

    def trash(self, root: Root | None = None) -> list[bytes]:
        """Contents of a root's trash."""
        root = root or self.ingest
        folder = root.path + b"/.mp-trash"
        if not os.path.isdir(folder):
            return []
        return [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]

    def close(self) -> None:
        self.db.close()


def _digest(content: bytes, algorithm: str) -> str:
    if algorithm == "sha256":
        return hashlib.sha256(content).hexdigest()
    from blake3 import blake3

    return str(blake3(content).hexdigest())


_made: dict[str, Path] = {}


def _template(base: Path) -> Path:
    """An empty database with every table; made once a process, since making tables takes longer than a whole case."""
    found = _made.get("path")
    if found is None or not found.is_file():
        found = base / "template.sqlite"
        db = Database(str(found))
        metadata.create_all(db.engine)
        db.close()
        _made["path"] = found
    return found
