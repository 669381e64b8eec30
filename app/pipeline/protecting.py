"""Batches that no look at a delivery reaches any more, and whose files still lie in the batch folder: their only copy
needs its holds as well, since the folder may become Send & Receive at any time before they are archived.
"""

from __future__ import annotations

from app.db import batches, confirmation, facts, journal
from app.db.clock import later, now
from app.errors import MoverBusy, RootUnavailable, SyncthingError
from app.model import HELD, Batch, BatchStatus
from app.pipeline import holding
from app.services import Services
from app.syncthing import notes

#: What is delivered, or stopped on its way, and archived by nobody at this moment.
AT_REST = (BatchStatus.SYNCED, BatchStatus.ERROR)
#: So often is it asked how the folder of files without holds is shared.
ASK_SECONDS = 30


def protect_at_rest(services: Services) -> None:
    """Make the holds that such batches lack, and say so when a peer can delete an only copy that has none."""
    with services.db.reading() as conn:
        if confirmation.awaited_since(conn) is not None:
            return
        found = [batch for batch in batches.list_by_status(conn, AT_REST) if _lacks_holds(batch)]
        due = [batch for batch in found if batch.hold is None or (facts.find(conn, _name(batch)) or "") <= now()]
    for batch in due:
        try:
            _protect(services, batch)
        except (RootUnavailable, MoverBusy, SyncthingError):
            # A folder or Syncthing is away, or somebody is moving files now: the next tick tries again.
            continue


def _lacks_holds(batch: Batch) -> bool:
    is_only_copy = batch.target == "syncthing" and batch.transfer_mode == "move"
    return is_only_copy and batch.published_at is not None and batch.hold != HELD


def _protect(services: Services, batch: Batch) -> None:
    """Make the holds. What could not be held before is tried again once the folder is not Send Only any more."""
    if batch.hold is None and holding.protect(services, batch, None) == HELD:
        return
    with services.db.transaction() as conn:
        facts.put(conn, _name(batch), later(ASK_SECONDS))
    folder = holding.folder_of(services)
    if folder.type == holding.SEND_ONLY:
        return
    words = holding.protect(services, batch, None)
    if words != HELD:
        _tell(services, batch, holding.refusal(folder, words))


def _tell(services: Services, batch: Batch, words: str) -> None:
    with services.db.transaction() as conn:
        remembered = notes.load(conn, batch.id)
        if not remembered.first_time(f"at rest: {words}"):
            return
        notes.save(conn, batch.id, remembered)
        notes.remember_error(conn, batch.id, words)
        journal.record(conn, "batch.unprotected", f"Batch {batch.name}: {words}", level="warning", batch_id=batch.id,
                       detail={"reason": words})


def _name(batch: Batch) -> str:
    return f"unheld:{batch.id}"
