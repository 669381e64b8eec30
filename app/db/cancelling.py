"""Whether a batch can still be cancelled, and what its files become when it is taken back."""

from __future__ import annotations

from sqlalchemy import Connection

from app.db import deliveries
from app.errors import Conflict, IllegalTransition
from app.model import AssetStatus, Batch, BatchStatus

#: What nobody was proven to have received yet, while no delivery is confirmed.
BEFORE_DELIVERY = (BatchStatus.PENDING, BatchStatus.SYNCING)


def refuse_delivered(conn: Connection, batch: Batch) -> None:
    """Raise Conflict unless nobody has received anything of the batch; for one that is CANCELLED IllegalTransition."""
    if _is_in_time(conn, batch):
        return
    if batch.status is BatchStatus.CANCELLED:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, BatchStatus.CANCELLED, "that has been done")
    confirmed = deliveries.count(conn, batch.id)
    what = f"{confirmed:,} of its files were delivered" if confirmed else f"it is {batch.status}"
    raise Conflict(
        f"Batch {batch.name} cannot be cancelled any more: {what}. Take it back instead: `media-pipeline undo "
        f"{batch.id}`, or on its page."
    )


def status_on_return(conn: Connection, batch: Batch, wanted: AssetStatus) -> AssetStatus:
    """What the files become: what was begun is gone on with, but nothing that was delivered waits for a batch again."""
    if batch.returns_as is AssetStatus.UNIQUE and not _is_in_time(conn, batch):
        return AssetStatus.SET_ASIDE
    return batch.returns_as or wanted


def _is_in_time(conn: Connection, batch: Batch) -> bool:
    """A cancelling that was begun is in time as long as the batch was not delivered before that."""
    if deliveries.count(conn, batch.id):
        return False
    if batch.returns_as is AssetStatus.UNIQUE and batch.status is not BatchStatus.CANCELLED:
        return batch.synced_at is None
    before = BatchStatus(batch.error_from) if batch.error_from else batch.status
    return before in BEFORE_DELIVERY
