"""What becomes of the peer's copies under sync.peer_policy: mirror, told when our files have left the shared folder."""

from __future__ import annotations

from app.db import announced, batch_devices, journal
from app.db.connection import Connection
from app.model import Batch, BatchStatus
from app.model.counting import counted


def tell_mirrored(conn: Connection, batch: Batch, file_count: int, run_id: int | None) -> None:
    """Write down, once per batch and with how many, that the peer's copies go too; `batch` is as it was before.

    Nothing is told of a batch that Syncthing still ignores, since the peer keeps its copies of that.
    """
    is_mirrored = batch.target == "syncthing" and batch.peer_policy == "mirror"
    if not is_mirrored or batch.status is not BatchStatus.SORTING or not file_count:
        return
    if announced.find_hidden(conn, batch.id) is not None:
        return
    peers = [device.label for device in batch_devices.list_of(conn, batch.id)]
    files = counted(file_count, "file has", "files have")
    where = " and ".join(peers) or "the peer"
    words = f"Batch {batch.name}: {files} left the shared folder, so the copies at {where} go too (sync.peer_policy)."
    journal.record(conn, "batch.mirrored", words, run_id=run_id, batch_id=batch.id,
                   detail={"files": file_count, "peers": peers})  # fmt: skip
