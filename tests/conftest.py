"""Fixtures that every suite shares: trees of files as dictionaries, pictures, and a working set of services."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.config.schema import Config
from app.config.store import Snapshot
from app.db import migrate
from app.jobs import wake
from app.services import Services, set_up

Content = bytes | str

#: Names that the program itself keeps in root folders; trees of media are compared without them.
OWN_NAMES = (".media-pipeline-root", ".mp-staging", ".mp-trash", ".media-pipeline")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine that runs the tests must not reach them."""
    for name in [*os.environ]:
        if name.startswith(("MEDIA_PIPELINE_", "STGUIAPIKEY")) or name in ("TZ", "SYNCTHING_CONFIG"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _queues_are_closed() -> Iterator[None]:
    """A process serves one queue and keeps its file open; one that tests hundreds would run out of descriptors."""
    yield
    for broker in wake._brokers.values():
        broker.close()
    wake._brokers.clear()


@pytest.fixture(scope="session", autouse=True)
def _new_databases_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All revisions on an empty database take a tenth of a second, and most tests begin with a new one: they run once,
    and a new database is what they made, with an identity of its own. Older databases are migrated as ever."""
    made = tmp_path_factory.mktemp("schema") / "db.sqlite"
    migrate.migrate(str(made))
    content, upgrade = made.read_bytes(), migrate._upgrade

    def copy_or_upgrade(path: str, found: str | None, backup: str | None) -> None:
        if found is not None:
            return upgrade(path, found, backup)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute("UPDATE facts SET value = ? WHERE name = ?", (str(uuid.uuid4()), migrate.DATABASE_ID))
        return None

    migrate._upgrade = copy_or_upgrade
    yield
    migrate._upgrade = upgrade


def write_tree(root: Path | bytes | str, tree: Mapping[str | bytes, Any]) -> None:
    """Make files and folders: bytes or text is a file, a mapping is a folder. Names may be bytes."""
    base = os.fsencode(root)
    os.makedirs(base, exist_ok=True)
    for name, content in tree.items():
        path = os.path.join(base, os.fsencode(name))
        if isinstance(content, Mapping):
            write_tree(path, content)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)


def read_tree(root: Path | bytes | str, *, own_names: bool = False) -> dict[str, bytes]:
    """Every file under a folder: relative path (surrogate-escaped text) to its bytes; `-> target` for symlinks.

    Folders appear only when they are empty, with a trailing slash. The program's own names are left out
    unless `own_names` is set.
    """
    found: dict[str, bytes] = {}
    base = os.fsencode(root)
    for folder, folders, names in os.walk(base):
        folders[:] = [f for f in folders if own_names or os.fsdecode(f) not in OWN_NAMES]
        files = [f for f in names if own_names or os.fsdecode(f) not in OWN_NAMES]
        relative = os.path.relpath(folder, base)
        if not folders and not files and relative != b".":
            found[os.fsdecode(relative) + "/"] = b""
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = os.path.join(folder, name)
            found[os.fsdecode(os.path.relpath(path, base))] = _content(path)
    return dict(sorted(found.items()))


def _content(path: bytes) -> bytes:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return b"-> " + os.readlink(path)
    if not stat.S_ISREG(mode):
        return b"<special>"
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def make_files() -> Callable[..., None]:
    """`make_files(root, {"a/b.jpg": b"...", "sub": {"c.txt": "text"}})`."""
    return write_tree


@pytest.fixture
def read_files() -> Callable[..., dict[str, bytes]]:
    """`read_files(root) == {"a/b.jpg": b"..."}`."""
    return read_tree


def make_jpeg(taken: str | None = None, seed: int = 0, size: tuple[int, int] = (16, 16), offset: str = "") -> bytes:
    """A real JPEG whose pixels follow from `seed`; `taken` ("2024:05:06 07:08:09") becomes EXIF DateTimeOriginal."""
    image = Image.new("RGB", size)
    image.putdata(
        [
            ((seed * 7 + i) % 256, (seed * 13 + i * 3) % 256, (seed // 256 + i * 5) % 256)
            for i in range(size[0] * size[1])
        ]
    )
    exif = Image.Exif()
    if taken is not None:
        details = exif.get_ifd(0x8769)
        details[0x9003] = taken
        if offset:
            details[0x9011] = offset
    exif[0x010E] = f"seed {seed}"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, exif=exif)
    return buffer.getvalue()


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """`jpeg(taken="2024:05:06 07:08:09", seed=3) -> bytes`; another seed, other content."""
    return make_jpeg


def make_config(base: Path, **changes: Mapping[str, Any]) -> Config:
    """A configuration whose folders lie under `base`; a keyword per section changes its settings."""
    sections: dict[str, dict[str, Any]] = {
        "paths": {
            "source_dir": str(base / "ingest"),
            "batch_dir": str(base / "batches"),
            "sorted_dir": str(base / "archive"),
            "duplicates_dir": str(base / "duplicates"),
        },
        "scan": {"settle_seconds": 0},
        "sync": {"target": "none"},
        "workflow": {"delays": {"syncthing_settle_sec": 0, "post_sync_sec": 0}},
        "system": {"db_path": str(base / "state" / "db.sqlite"), "log_dir": str(base / "state" / "logs")},
    }
    for name, section in changes.items():
        sections[name] = {**sections.get(name, {}), **section}
    return Config.model_validate(sections)


def make_services(base: Path, **changes: Mapping[str, Any]) -> Services:
    """Services over real SQLite with every root set up under `base`; close them when done.

    Syncthing's folder begins at the batch folder, as its marker tells when nobody answers for it.
    """
    services = set_up(Snapshot(make_config(base, **changes), revision="test"))
    if services.config.sync_target == "syncthing":
        os.makedirs(os.path.join(services.config.paths.batch_dir, ".stfolder"), exist_ok=True)
    return services


@pytest.fixture
def open_test_services(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    """`open_test_services(batch={"max_files": 3})`: services under tmp_path with other settings."""
    opened: list[Services] = []

    def opener(**changes: Mapping[str, Any]) -> Services:
        opened.append(make_services(tmp_path, **changes))
        return opened[-1]

    yield opener
    for services in opened:
        services.close()


@pytest.fixture
def services(open_test_services: Callable[..., Services]) -> Services:
    """Real SQLite and every root set up under tmp_path; no delivery target, nothing to settle."""
    return open_test_services()
