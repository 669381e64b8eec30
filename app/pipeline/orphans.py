"""Files in the staging and batch folders that no row knows, and rows whose file is not there: put together or listed.

Nothing is ever removed here. A file whose content is exactly what a row misses becomes that row's file again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from app.db import assets, batches, journal, kept_copies, left_in_place
from app.db.clock import now
from app.db.connection import Connection
from app.errors import FileError, printable
from app.files.digest import full_digest
from app.files.roots import check_roots
from app.files.walk import Found, signature_at, walk
from app.model import Asset, AssetStatus, Place, Root, RootKind, Signature
from app.pipeline.failing import is_missing
from app.pipeline.kept_edits import list_edited
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.peer_edits import EDITED, reasons_of
from app.pipeline.step import StepContext
from app.services import Services

EXPECTED = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.SET_ASIDE, AssetStatus.FAILED)
GIVEN_UP = (AssetStatus.FAILED,)

#: Names of what Syncthing is fetching.
UNDER_WAY = (b".syncthing.", b"~syncthing~")

NO_ROW = "no row knows this file"
REPLACED = "it is not the file that was put there: that one failed, and this is what it was changed to"
NO_FILE = "Its file is not where it was left."


def settle_orphans(services: Services, step: StepContext) -> dict[str, int]:
    """Look through staging and batch folders; returns how many were adopted, found without a row, and missing."""
    counts: Counter[str] = Counter(adopted=0, orphans=0, missing=0)
    roots = [services.root(RootKind.STAGING), services.root(RootKind.BATCH)]
    check_roots(services.db, roots)
    missing = {asset.id: asset for root in roots for asset in _missing(services, root)}
    for root in roots:
        step.safe_point(0, 0)
        unknown = list_unknown(services, root)
        adopted = _adopt(services, step, root, unknown, missing)
        counts["adopted"] += len(adopted)
        rest = [path for path in unknown if path not in adopted]
        listed = with_reasons(services, root, rest)
        if root.kind is RootKind.BATCH:
            listed += [(path, EDITED) for path in list_edited(services, root)]
        counts["orphans"] += len(listed)
        with services.db.transaction() as conn:
            at = now()
            note(conn, root, listed, step.run_id)
            left_in_place.forget_before(conn, root.id, at)
    counts["missing"] = len(missing)
    _note_missing(services, step, missing)
    return dict(counts)


def _missing(services: Services, root: Root) -> list[Asset]:
    """Assets whose place is under this root, where there certainly is no file."""
    with services.db.reading() as conn:
        placed = [(i, path) for i, path, status, _ in assets.list_places(conn, root.id) if status in EXPECTED]
    absent = [asset_id for asset_id, path in placed if is_missing(Place(root, path))]
    with services.db.reading() as conn:
        return [assets.get(conn, asset_id) for asset_id in absent]


def list_unknown(services: Services, root: Root, below: Sequence[bytes] = (b"",)) -> dict[bytes, Signature]:
    """Files under a root, or these folders of it, that no asset, kept copy or batch accounts for."""
    with services.db.reading() as conn:
        known = {path for _, path, _, _ in assets.list_places(conn, root.id)}
        known |= {path for _, path in kept_copies.list_places(conn, root.id)}
        names = {os.fsencode(name) for name in batches.list_names(conn)}
    known |= {name + b"/" + own for name in names for own in OWN_NAMES}
    unknown: dict[bytes, Signature] = {}
    for found in walk(root, below=below):
        if found.signature is not None and found.path not in known and _counts(found, names):
            unknown[found.path] = found.signature
    return unknown


def with_reasons(
    services: Services, root: Root, unknown: Sequence[bytes], below: Sequence[bytes] = (b"",)
) -> list[tuple[bytes, str]]:
    """These files without a row, and what took the place of files that failed, each with why it is there."""
    tops = {os.fsdecode(path.partition(b"/")[0]) for path in unknown}
    with services.db.reading() as conn:
        of_batches = batches.list_named(conn, sorted(tops))
    replaced = [path for path in _replaced(services, root) if b"" in below or path.partition(b"/")[0] in below]
    return reasons_of(services, root, of_batches, unknown, NO_ROW) + [(path, REPLACED) for path in replaced]


def _replaced(services: Services, root: Root) -> list[bytes]:
    """Where assets that failed should lie, and other files lie now."""
    with services.db.reading() as conn:
        failed = {path: seen for _, path, status, seen in assets.list_places(conn, root.id) if status in GIVEN_UP}
    return [path for path, expected in failed.items() if _is_other(root, path, expected)]


def _is_other(root: Root, path: bytes, expected: Signature) -> bool:
    try:
        seen = signature_at(root, path)
    except OSError:
        return False
    return seen is not None and (seen.size_bytes, seen.mtime_ns) != (expected.size_bytes, expected.mtime_ns)


def _counts(found: Found, batch_names: set[bytes]) -> bool:
    """Media wherever it lies; anything at all in the folder of a batch but what Syncthing is still writing."""
    if found.path.rpartition(b"/")[2].startswith(UNDER_WAY):
        return False
    return found.kind != "left" or found.path.partition(b"/")[0] in batch_names


def _adopt(
    services: Services, step: StepContext, root: Root, unknown: Mapping[bytes, Signature], missing: dict[int, Asset]
) -> set[bytes]:
    """Give rows that miss exactly this content their file back; takes them out of `missing`."""
    adopted: set[bytes] = set()
    for path, signature in unknown.items():
        wanted = [a for a in missing.values() if a.size_bytes == signature.size_bytes and a.size_bytes]
        for asset in wanted:
            if _digest(Place(root, path), asset) != asset.digest:
                continue
            with services.db.transaction() as conn:
                assets.place(conn, asset.id, root.id, path, signature, None)
                _record(conn, step, "orphan.adopted", asset, f"{printable(path)} is the missing file of {asset.id}.")
            adopted.add(path)
            del missing[asset.id]
            break
    return adopted


def _digest(place: Place, asset: Asset) -> str | None:
    try:
        return full_digest(place, asset.digest_algorithm or "blake3").digest
    except FileError:
        return None


def note(conn: Connection, root: Root, listed: Sequence[tuple[bytes, str]], run_id: int | None) -> None:
    """Note what is there now, and tell the journal of what was not noted before."""
    before = left_in_place.paths_of(conn, root.id)
    left_in_place.note(conn, root.id, listed, now())
    for path, reason in listed:
        if path not in before:
            journal.record(conn, "orphan.found", f"{printable(path)} in the {root.kind} folder: {reason}.",
                           level="warning", run_id=run_id, detail={"path": printable(path), "root": root.kind.value})


def _note_missing(services: Services, step: StepContext, missing: Mapping[int, Asset]) -> None:
    with services.db.transaction() as conn:
        for asset in missing.values():
            if asset.reason is None:
                assets.set_columns(conn, [(asset.id, {"reason": NO_FILE})])
                _record(conn, step, "orphan.found", asset, f"The file {printable(asset.path)} is not there any more.")


def _record(conn: Connection, step: StepContext, kind: str, asset: Asset, message: str) -> None:
    journal.record(conn, kind, message, level="warning", run_id=step.run_id, batch_id=asset.batch_id,
                   asset_id=asset.id, detail={"path": printable(asset.path)})
