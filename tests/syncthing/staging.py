"""Batches as the batch stage leaves them: files in the Syncthing folder, rows in the database."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from typing import Any

from app.db import assets, batches, runs
from app.db.clock import now
from app.model import AssetStatus, Batch, BatchStatus, Report, RootKind, RunKind, Signature, Stage, Trigger
from app.pipeline import sync
from app.pipeline.step import StepContext
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.syncthing.pair import FOLDER, KEY, Pair


def services_for(pair: Pair, **changes: Mapping[str, Any]) -> Services:
    """Services whose batch folder is our Syncthing's folder; one database per pair, as its marker demands."""
    base = pair.ours.home / "product"
    sections: dict[str, dict[str, Any]] = {
        "paths": {
            "source_dir": str(base / "ingest"),
            "batch_dir": str(pair.ours.folder),
            "sorted_dir": str(base / "archive"),
            "duplicates_dir": str(base / "duplicates"),
        },
        "sync": {"target": "syncthing"},
        "syncthing": {
            "api_url": pair.ours.url,
            "api_key": KEY,
            "folder_id": FOLDER,
            "device_id": pair.peer.device_id,
            "poll_interval_sec": 1,
            "rescan_delay_sec": 0,
        },
    }
    for name, section in changes.items():
        sections[name] = {**sections.get(name, {}), **section}
    return make_services(base, **sections)


def publish(
    services: Services, name: str, files: Mapping[str, bytes], *, rows_for: Mapping[str, bytes] | None = None
) -> Batch:
    """Put a published batch into the batch folder; `rows_for` makes rows for other files than those on disk."""
    root = services.root(RootKind.BATCH)
    write_tree(os.path.join(root.path, os.fsencode(name)), dict(files))
    pattern = name.replace("{", "{{").replace("}", "}}")
    with services.db.transaction() as conn:
        assert name not in {b.name for b in batches.list_recent(conn, 1000)}
        batch = batches.reserve(
            conn,
            naming_pattern=pattern,
            allow_parallel=True,
            target="syncthing",
            transfer_mode="move",
            peer_policy=services.config.sync.peer_policy,
            device_id=services.config.syncthing.device_id or None,
        )
        expected = files if rows_for is None else rows_for
        paths = [f"{name}/{path}" for path in expected]
        found = [
            (os.fsencode(p), _signature(root.path, p, content), None)
            for p, content in zip(paths, expected.values(), strict=True)
        ]
        assets.insert_discovered(conn, root.id, found)
        rows = [assets.find_at(conn, root.id, path) for path, _, _ in found]
        made = [row for row in rows if row is not None]
        digests = [hashlib.sha256(content).hexdigest() for content in expected.values()]
        assets.set_columns(
            conn,
            [
                (a.id, {"batch_id": batch.id, "digest": d, "digest_algorithm": "sha256"})
                for a, d in zip(made, digests, strict=True)
            ],
        )
        assets.mark(conn, made, AssetStatus.UNIQUE)
        made = assets.list_in_batch(conn, batch.id)
        assets.mark(conn, made, AssetStatus.BATCHED)
        size = sum(a.size_bytes for a in made)
        batches.set_columns(conn, batch.id, file_count=len(made), size_bytes=size, published_at=now())
        return batches.get(conn, batch.id)


def _signature(root: bytes, path: str, content: bytes) -> Signature:
    try:
        s = os.lstat(os.path.join(root, os.fsencode(path)))
    except FileNotFoundError:
        return Signature(1, 1, len(content), 1, 1)
    return Signature(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def look(services: Services, batch: Batch) -> Report:
    """One look, as a step of a run."""
    with services.db.transaction() as conn:
        run = runs.find_in_flight(conn) or runs.insert_queued(conn, RunKind.STAGE, Trigger.CLI, [Stage.SYNC], batch.id)
        step_id = runs.start_step(conn, run.id, Stage.SYNC, batch.id)
    return sync.run(services, StepContext(services, run.id, step_id, batch.id))


def reread(services: Services, batch: Batch) -> Batch:
    """The batch as it is now."""
    with services.db.reading() as conn:
        return batches.get(conn, batch.id)


def status_of(services: Services, batch: Batch) -> BatchStatus:
    """The status of the batch as it is now."""
    return reread(services, batch).status


def look_until_synced(services: Services, batch: Batch, seconds: float = 120) -> list[Report]:
    """Look until the batch is SYNCED; returns every report."""
    reports: list[Report] = []
    end = time.monotonic() + seconds
    while status_of(services, batch) is not BatchStatus.SYNCED:
        assert time.monotonic() < end, reports[-1].message
        reports.append(look(services, batch))
        time.sleep(0.2)
    return reports
