"""An archive to verify, ways to harm it, and runs over it in this process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

from app import jobs
from app.db import assets, findings, journal, runs
from app.model import Asset, AssetStatus, Event, Finding, FindingKind, Place, Root, RootKind, Run, Trigger
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.library import signature_at
from tests.pipeline.running import fill, go, workflow


def archive_of(services: Services, files: int) -> list[Asset]:
    """So many files, taken all the way into the archive; in id order."""
    fill(services, files)
    workflow(services)
    found = archived(services)
    assert len(found) == files
    return found


def archived(services: Services) -> list[Asset]:
    with services.db.reading() as conn:
        return assets.list_by_status(conn, AssetStatus.ARCHIVED, limit=1_000_000)


def verify(services: Services, **arguments: Any) -> Run:
    """A verification from asking to end."""
    return go(services, jobs.start_verify(services, Trigger.API, **arguments))


def report(services: Services, run: Run) -> dict[str, Any]:
    with services.db.reading() as conn:
        return runs.list_steps(conn, run.id)[-1].report


def root(services: Services, kind: RootKind = RootKind.ARCHIVE) -> Root:
    return services.root(kind)


def path_of(services: Services, asset: Asset) -> bytes:
    every = {r.id: r for kind in services.roots.values() for r in kind}
    return Place(every[asset.root_id], asset.path).absolute


def flip_a_byte(path: bytes, *, offset: int = -1) -> None:
    """Damage as a disk does it: one bit, and the time stays as it was."""
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def edit(path: bytes, content: bytes = b"edited on purpose") -> None:
    with open(path, "r+b") as file:
        file.truncate()
        file.write(content)


def found(services: Services) -> dict[bytes, FindingKind]:
    """Path to kind of every finding that waits for a person."""
    return {finding.path: finding.kind for finding in every_finding(services)}


def every_finding(services: Services, kind: FindingKind | None = None) -> list[Finding]:
    with services.db.reading() as conn:
        return findings.list_page(conn, kind, 0, 100_000)[0]


def the_finding(services: Services) -> Finding:
    (finding,) = every_finding(services)
    return finding


def events(services: Services, prefix: str) -> list[Event]:
    with services.db.reading() as conn:
        return journal.list_events(conn, kind_prefix=prefix, limit=100_000)[::-1]


def archive_without_workflow(services: Services, files: dict[str, bytes]) -> None:
    """Files in the archive with their rows, written by themselves: for many files, where time matters."""
    place = root(services)
    write_tree(place.path, files)
    with services.db.transaction() as conn:
        seen = [(os.fsencode(name), signature_at(place.path + b"/" + os.fsencode(name)), None) for name in files]
        assets.insert_discovered(conn, place.id, seen)
        rows = assets.list_at(conn, place.id, [path for path, _, _ in seen])
        digests = {path: hashlib.sha256(files[os.fsdecode(path)]).hexdigest() for path in rows}
        content = [
            (row.id, {"digest": digests[path], "sha256": digests[path], "digest_algorithm": "sha256"})
            for path, row in rows.items()
        ]
        assets.set_columns(conn, content)
        assets.mark(conn, list(rows.values()), AssetStatus.UNIQUE)
        placed = assets.list_at(conn, place.id, list(rows))
        assets.mark(conn, list(placed.values()), AssetStatus.BATCHED)
        placed = assets.list_at(conn, place.id, list(rows))
        assets.mark(conn, list(placed.values()), AssetStatus.ARCHIVED)


Harm = Callable[[bytes], None]
