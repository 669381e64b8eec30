"""What a batch is going to hold, and under which names: its manifest, written before the first file moves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.db import batches, members
from app.model import Asset, AssetStatus, Batch, Root, RootKind
from app.pipeline import manifest_store
from app.pipeline.manifest import OWN_NAMES, Manifest, ManifestFile, manifest_bytes
from app.pipeline.naming import plan_paths
from app.pipeline.step import StepContext
from app.services import Services

#: What has to be done before a batch may be published, given the run's id. Raises FileError when it may not be.
Protect = Callable[[Services, Batch, int | None], None]


@dataclass(frozen=True)
class Build:
    """What building one batch needs at hand."""

    services: Services
    step: StepContext
    batch: Batch
    roots: Mapping[int, Root]
    protect: Protect | None = None

    @property
    def staging(self) -> Root:
        """Where the folder is built."""
        return self.services.root(RootKind.STAGING)

    @property
    def archive(self) -> Root:
        """Where the second copy of the manifest is kept."""
        return self.services.root(RootKind.ARCHIVE)

    @property
    def folder(self) -> bytes:
        """The batch's folder name."""
        return os.fsencode(self.batch.name)


def source_ids(services: Services) -> list[int]:
    """The roots that files are taken from. Those of a former ingest folder stay there until it is set again."""
    kinds = (RootKind.INGEST, RootKind.DUPLICATES)
    return [root.id for kind in kinds for root in services.roots.get(kind, ())]


def members_of(work: Build, *statuses: AssetStatus) -> list[Asset]:
    """The batch's assets of these statuses, in capture order."""
    with work.services.db.reading() as conn:
        found = members.list_of(conn, work.batch.id, statuses)
    return sorted(found, key=capture_order)


def capture_order(asset: Asset) -> tuple[str, bytes, int]:
    """The order of a batch: as taken, then by the names that files came with, in whatever order they were seen."""
    return asset.taken_local or "", asset.origin_path or asset.path, asset.id


def plan(work: Build, bound: Sequence[Asset]) -> Manifest:
    """The manifest that the build follows: the one written before it was cut off, else a new one, made durable."""
    manifest = manifest_store.load_newest(work.archive, work.batch)
    if manifest is not None:
        manifest_store.stage(work.services.disk, work.staging, manifest, manifest_bytes(manifest))
        return manifest
    manifest = _manifest(work, bound, _paths(work, bound))
    _write(work, manifest)
    return manifest


def _paths(work: Build, bound: Sequence[Asset]) -> dict[int, bytes]:
    groups: dict[int, dict[int, bytes]] = {}
    for asset in bound:
        groups.setdefault(asset.group_id if asset.group_id is not None else -asset.id, {})[asset.id] = asset.path
    return plan_paths(groups.values(), OWN_NAMES, compose=work.batch.target == "syncthing")


def _manifest(work: Build, held: Sequence[Asset], paths: Mapping[int, bytes], revision: int = 1) -> Manifest:
    listed = tuple(_listed(asset, paths[asset.id], work.roots) for asset in held)
    batch = work.batch
    return Manifest(batch.id, batch.name, batch.created_at, batch.target, listed, revision)


def _listed(asset: Asset, path: bytes, roots: Mapping[int, Root]) -> ManifestFile:
    origin_root = roots.get(asset.origin_root_id or asset.root_id)
    return ManifestFile(
        asset_id=asset.id,
        path=path,
        size_bytes=asset.size_bytes,
        sha256=asset.sha256 or "",
        digest=asset.digest or "",
        digest_algorithm=asset.digest_algorithm or "",
        origin=asset.origin_path or asset.path,
        origin_root=origin_root.label if origin_root else "",
        group=asset.group_id,
        taken_at=asset.taken_at,
        taken_local=asset.taken_local,
        taken_from=asset.taken_from,
    )


def _write(work: Build, manifest: Manifest) -> None:
    """First into the archive, then into the staged folder; the row says where in between."""
    content = manifest_bytes(manifest)
    path = manifest_store.save(work.services.disk, work.archive, manifest, content)
    with work.services.db.transaction() as conn:
        batches.set_columns(conn, work.batch.id, manifest_path=path)
    manifest_store.stage(work.services.disk, work.staging, manifest, content)


def correct(work: Build, planned: Manifest, held: Sequence[Asset]) -> None:
    """When files dropped out or got another name, a new revision says what the batch really holds."""
    paths = {asset.id: asset.path.removeprefix(work.folder + b"/") for asset in held}
    actual = _manifest(work, held, paths, planned.revision)
    if actual.files == planned.files:
        return
    _write(work, replace(actual, revision=planned.revision + 1))
