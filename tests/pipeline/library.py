"""A library in small: files in ingest with the rows that scan, dedup and inspect would have left."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from blake3 import blake3

from app.db import assets, batches, groups, journal, runs, totals
from app.model import Asset, AssetStatus, Batch, BatchStatus, RootKind, RunKind, Signature, Stage, Trigger
from app.pipeline.manifest_store import ARCHIVE_FOLDER
from app.pipeline.step import StepContext
from app.services import Services

#: What waits need not have been read whole.
UNREAD = (AssetStatus.DISCOVERED, AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.SET_ASIDE)
TAKEN = "2024-05-06T07:08:09"


def ingest_path(services: Services, path: bytes | str = b"") -> bytes:
    return services.root(RootKind.INGEST).path + b"/" + os.fsencode(path)


def take_in(
    services: Services, tree: Mapping[str | bytes, bytes], *, taken: str = TAKEN, taken_from: str = "exif"
) -> list[Asset]:
    """Write files below ingest and make them unique, inspected assets, grouped by folder and stem."""
    root = services.root(RootKind.INGEST)
    found = []
    for name, content in tree.items():
        path = os.fsencode(name)
        os.makedirs(os.path.dirname(root.path + b"/" + path), exist_ok=True)
        with open(root.path + b"/" + path, "xb") as file:
            file.write(content)
        found.append((path, content))
    with services.db.transaction() as conn:
        keys = {path: _group_key(path) for path, _ in found}
        ids = groups.ensure(conn, root.id, keys.values())
        assets.insert_discovered(
            conn, root.id, [(path, signature_at(root.path + b"/" + path), ids[keys[path]]) for path, _ in found]
        )
        return [_make_unique(conn, root.id, path, content, taken, taken_from) for path, content in found]


def _make_unique(conn, root_id, path, content, taken, taken_from) -> Asset:  # type: ignore[no-untyped-def]
    asset = assets.find_at(conn, root_id, path)
    assert asset is not None
    sha256 = hashlib.sha256(content).hexdigest()
    assets.mark(conn, [asset], AssetStatus.UNIQUE, digest=sha256, sha256=sha256, digest_algorithm="sha256",
                taken_local=taken, taken_from=taken_from, inspected_at="2025-01-01T00:00:00+00:00")
    return assets.get(conn, asset.id)


def _group_key(path: bytes) -> tuple[bytes, bytes]:
    folder, _, name = path.rpartition(b"/")
    return folder, name.partition(b".")[0] or name


def signature_at(path: bytes) -> Signature:
    s = os.lstat(path)
    return Signature(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def a_step(services: Services, stage: Stage, batch_id: int | None = None) -> StepContext:
    """A step of a run that is not in flight any more, so that the next one can begin."""
    with services.db.transaction() as conn:
        run = runs.find_in_flight(conn) or runs.insert_queued(conn, RunKind.STAGE, Trigger.CLI, [stage], batch_id)
        step_id = runs.start_step(conn, run.id, stage, batch_id)
    return StepContext(services, run.id, step_id, batch_id, threading.Event())


def deliver(services: Services, batch_id: int) -> Batch:
    """What the sync stage does in the end."""
    with services.db.transaction() as conn:
        batch = batches.change(conn, batches.get(conn, batch_id), BatchStatus.SYNCED)
        assets.mark(conn, assets.list_in_batch(conn, batch_id, AssetStatus.BATCHED), AssetStatus.DELIVERED)
    return batch


def get_batch(services: Services, batch_id: int) -> Batch:
    with services.db.reading() as conn:
        return batches.get(conn, batch_id)


def get_asset(services: Services, asset_id: int) -> Asset:
    with services.db.reading() as conn:
        return assets.get(conn, asset_id)


def statuses(services: Services, *asset_ids: int) -> list[str]:
    return [get_asset(services, asset_id).status.value for asset_id in asset_ids]


def kinds(services: Services) -> list[str]:
    """The kinds of all events so far, the oldest first."""
    with services.db.reading() as conn:
        return [event.kind for event in reversed(journal.list_events(conn, limit=10_000))]


def census(base: Path) -> Counter[str]:
    """Every content below a folder, by SHA-256, trash included; without what the program writes for itself."""
    found: Counter[str] = Counter()
    for folder, folders, files in os.walk(os.fsencode(base)):
        folders[:] = [f for f in folders if f != b"state" and not os.path.join(folder, f).endswith(ARCHIVE_FOLDER)]
        for name in files:
            if name in (b".media-pipeline-root", b"manifest.json", b"SHA256SUMS"):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                found[hashlib.sha256(file.read()).hexdigest()] += 1
    return found


def assert_rows_agree(services: Services) -> None:
    """Every asset that is not gone lies where its row says, with the content that its row says; the totals add up.

    What waits, or was set aside before it was to be sent, may have been read only as far as tells it from others: then
    its row says less of what it holds."""
    with services.db.transaction() as conn:
        places = {r.id: r for kind in services.roots.values() for r in kind}
        counted: Counter[str] = Counter()
        for status in AssetStatus:
            for asset in assets.list_by_status(conn, status, limit=1_000_000):
                counted[status] += 1
                if status not in (AssetStatus.GONE, AssetStatus.FAILED):
                    with open(places[asset.root_id].path + b"/" + asset.path, "rb") as file:
                        content = file.read()
                    if asset.sha256 is None and status in UNREAD:
                        assert asset.digest in (None, blake3(content).hexdigest()), asset
                    else:
                        assert hashlib.sha256(content).hexdigest() == asset.sha256, asset
        kept = {status.value: files for status, (files, _) in totals.read(conn).items() if files}
    assert kept == {status.value: files for status, files in counted.items() if files}


def rewrite(services: Services, asset: Asset, content: bytes) -> None:
    """Somebody edits the file of an asset where it is."""
    root = next(r for kind in services.roots.values() for r in kind if r.id == asset.root_id)
    path = root.path + b"/" + asset.path
    os.unlink(path)
    with open(path, "xb") as file:
        file.write(content)


def with_status(asset: Asset, status: AssetStatus) -> Asset:
    return replace(asset, status=status)
