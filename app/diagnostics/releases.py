"""Whether the peer's deletions come back, as sync.peer_policy: release needs it.

The type of the peer's folder cannot be asked for; what deliveries and the pairing test have shown tells it.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.db import batches, pairing_tests
from app.model import BatchStatus
from app.model.pairing import PairingState
from app.services import Services
from app.syncthing import notes
from app.syncthing.examination import OK, WARNING, Check

NAME = "syncthing releases"
#: What a look at a delivered batch writes down when files are gone at a peer that tells of no deletion.
SENDS_NO_DELETIONS = "peer_sends_no_deletes"
FIX = ("Make the folder Send & Receive in the peer's Syncthing: Edit > Advanced > Folder Type. Or set sync.peer_policy "
       "to keep or mirror.")  # fmt: skip


def check_releases(services: Services) -> Iterator[Check]:
    """One check while batches are released by the peer, none under another policy."""
    with services.db.reading() as conn:
        awaited = [batch for batch in batches.list_by_status(conn, [BatchStatus.SYNCED]) if batch.awaits_release]
        deaf = [batch for batch in awaited if notes.load(conn, batch.id).trouble == SENDS_NO_DELETIONS]
        test = pairing_tests.find(conn)
    if deaf:
        yield Check(NAME, WARNING, f"Batch {deaf[0].name}: {deaf[0].sync_detail or ''}", FIX)
    elif services.config.sync_target == "syncthing" and services.config.sync.peer_policy == "release":
        if test is not None and test.state is PairingState.PASSED and test.released_at:
            yield Check(NAME, OK, "The pairing test has seen a deletion of the peer's come back.")
        else:
            cause = "Whether the peer's folder is Send & Receive, as releases need it, cannot be seen from here; "
            yield Check(NAME, OK, f"{cause}the pairing test (media-pipeline pairing-test) tells.")
