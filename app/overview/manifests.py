"""The manifest of a batch as it was written, read from the archive's copy."""

from __future__ import annotations

from app.errors import NotFound
from app.files.manifest import MANIFEST_NAME, parse, sums_bytes
from app.files.own_files import read_own_file
from app.files.roots import check_roots
from app.model import Batch, Place, Root, RootKind
from app.services import Services


def manifest_text(services: Services, batch: Batch) -> bytes:
    """The manifest's JSON, byte for byte as the archive keeps it; else as it lies in the batch folder.

    Raises NotFound when neither is there, RootUnavailable and FileError when it cannot be told.
    """
    for place in _places(services, batch):
        check_roots(services.db, [place.root])
        content = read_own_file(place)
        if content is not None:
            return content
    raise NotFound("manifest of batch", batch.id)


def sums_text(services: Services, batch: Batch) -> bytes:
    """What SHA256SUMS beside the manifest holds: `sha256sum -c` checks the batch with it. Raises as `manifest_text`."""
    return sums_bytes(parse(manifest_text(services, batch)))


def _places(services: Services, batch: Batch) -> list[Place]:
    found: list[Place] = []
    if batch.manifest_path is not None:
        found += [Place(root, batch.manifest_path) for root in _of(services, RootKind.ARCHIVE)]
    beside = batch.name.encode("utf-8", "surrogateescape") + b"/" + MANIFEST_NAME
    return [*found, *(Place(root, beside) for root in _of(services, RootKind.BATCH))]


def _of(services: Services, kind: RootKind) -> tuple[Root, ...]:
    return services.roots.get(kind, ())
