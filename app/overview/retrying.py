"""Whether a file that failed or was set aside can be taken up again from where it is, and what helps when it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from app.db import batches, deliveries, kept_copies
from app.db.connection import Connection
from app.errors import printable
from app.files.holds import is_hold
from app.files.kinds import is_own
from app.files.walk import signature_at
from app.model import Asset, AssetStatus, BatchStatus, Place, Root, RootKind, Signature

#: Where the files of a batch lie.
IN_BATCH = (RootKind.STAGING, RootKind.BATCH)


def why_not(conn: Connection, asset: Asset, known: Mapping[int, Root]) -> str | None:
    """Why no run could take the file up from where it is, in a sentence; None when one can."""
    kind = known[asset.root_id].kind
    where = printable(Place(known[asset.root_id], asset.path).absolute)
    if is_ours(asset.path):
        return (
            f"File {asset.id} lies in our trash, or is a copy that was cut off, at {where}. Move it to the ingest "
            "folder under a name with its ending, such as photo.jpg, to have it taken in as a new one."
        )
    if asset.status is AssetStatus.SET_ASIDE:
        if kind is RootKind.INGEST:
            return None
        what = "waits for a review in" if kind is RootKind.ARCHIVE else "was set aside in"
        return (
            f"File {asset.id} {what} the {kind} folder, at {where}; move it to the ingest folder to have it taken in."
        )
    if kind is RootKind.ARCHIVE:
        return (
            f"The place of file {asset.id} is in the archive, at {where}, and no run takes files from there. Put the "
            "file into the ingest folder to have it taken in as a new one."
        )
    if kind in IN_BATCH and _missed_its_batch(conn, asset):
        way = _way_back(conn, asset, known)
        return f"File {asset.id} was not delivered with its batch, which has gone on without it. {way}"
    return None


def _way_back(conn: Connection, asset: Asset, known: Mapping[int, Root]) -> str:
    """What brings a file that its batch has gone on without back in; its original may lie in a hold alone."""
    where = printable(Place(known[asset.root_id], asset.path).absolute)
    kept = [(Place(known[root_id], path), row) for root_id, path, row in kept_copies.list_of(conn, asset.id)]
    hold = next((place for place, row in kept if is_hold(place) and _is_as_kept(place, row)), None)
    if hold is None:
        return f"Put the file into the ingest folder to have it taken in as a new one; its place was {where}."
    return (
        f"Copy its original, which is kept at {printable(hold.absolute)}, into the ingest folder to have it taken in "
        f"as a new one; what lies at {where} may have been changed."
    )


def _is_as_kept(place: Place, kept: Signature) -> bool:
    """Whether a hold still looks as it was made: a program that writes into a file changes its hold as well."""
    try:
        seen = signature_at(place.root, place.path)
    except OSError:
        return False
    return seen is not None and (seen.size_bytes, seen.mtime_ns) == (kept.size_bytes, kept.mtime_ns)


def is_ours(path: bytes) -> bool:
    """Whether a path is one of our private names, or lies below one: neither name nor ending say what it is."""
    return any(is_own(part) for part in path.split(b"/"))


def _missed_its_batch(conn: Connection, asset: Asset) -> bool:
    """Whether the delivery of the asset's batch is over, and the asset had no part in it."""
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    if batch is None or (batch.synced_at is None and batch.status is not BatchStatus.CANCELLED):
        return False
    return batch.target != "none" and not deliveries.is_delivered(conn, batch.id, asset.id)
