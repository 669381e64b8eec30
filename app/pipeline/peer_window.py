"""How much of the library lies at the peer at a time: no batch is made larger than what sync.peer_room_gb leaves."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import batches, journal, peer_room
from app.db.connection import Connection
from app.db.peer_room import PeerRoom
from app.db.waiting import WaitingGroup
from app.errors import Conflict, OpenBatchExists
from app.model import Batch
from app.model.counting import counted, size_in_words
from app.services import Services


class PeerIsFull(Conflict):
    """There is no room at the peer for the next group; `batch_id` has to give some back first."""

    def __init__(self, room: PeerRoom) -> None:
        self.batch_id = room.holders[0].batch_id
        super().__init__(room.full_words())


def room_of(services: Services, conn: Connection, target: str, reserved: Batch | None) -> PeerRoom | None:
    """The room at the peer when it is bounded. Raises OpenBatchExists when another batch stands in the way anyway."""
    if target != "syncthing" or not services.config.sync.peer_room_gb:
        return None
    blocking = batches.find_open(conn) if reserved is None else None
    if blocking is not None and not services.config.batch.allow_parallel:
        raise OpenBatchExists(blocking.id, blocking.name, blocking.status)
    return peer_room.measure(conn, services.config)


def note_too_large(
    conn: Connection, too_large: Sequence[WaitingGroup], room_bytes: int, run_id: int | None
) -> None:
    """Tell, once in a run, of groups that will not fit at the peer however long one waits."""
    told = journal.list_events(conn, kind_prefix="batch.room_exceeded", run_id=run_id, limit=1)
    if not too_large or told:
        return
    largest = max(group.size_bytes for group in too_large)
    files = sum(group.file_count for group in too_large)
    words = (f"{counted(files, 'file stays', 'files stay')} in ingest: what belongs together is up to "
             f"{size_in_words(largest)}, and sync.peer_room_gb is {size_in_words(room_bytes)}. Raise it to have "
             "them delivered.")
    detail = {"files": files, "largest_bytes": largest, "room_bytes": room_bytes}
    journal.record(conn, "batch.room_exceeded", words, level="warning", run_id=run_id, detail=detail)
