"""What a look has found of each peer, written down: how its part of the delivery stands, as a code and in words."""

from __future__ import annotations

from app.db import batch_devices, deliveries
from app.db.connection import Connection
from app.pipeline.delivery_look import Look, Peer, not_taken
from app.syncthing import troubles

#: Codes of a peer's part that is not in trouble.
CONFIRMED, SENDING, INDEXING = "confirmed", "sending", "indexing"


def record_peers(conn: Connection, this: Look) -> None:
    """Write down what this look has found of each peer, in the caller's transaction.

    Here, once per look and peer, all of it is known together: the device (`peer.device_id`), whether it is connected,
    what it lacks by its own word (`peer.completion`), and how much our proofs say it holds (`peer.held`).
    """
    for peer in this.peers:
        peer.held = deliveries.size_of_confirmed(conn, this.batch.id, peer.device_id)
        code, words = _state_of(this, peer)
        batch_devices.note(
            conn,
            this.batch.id,
            peer.device_id,
            name=peer.name,
            connected=peer.standing.connected,
            last_seen_at=peer.standing.last_seen or None,
            code=code,
            words=words,
            need_items=peer.completion.need_items if peer.completion else None,
            need_bytes=peer.completion.need_bytes if peer.completion else None,
        )


def _state_of(this: Look, peer: Peer) -> tuple[str, str]:
    if peer.held.file_count >= this.batch.file_count:
        return CONFIRMED, f"Every file is confirmed on {peer.name}."
    if peer.trouble is not None:
        return peer.trouble.code, peer.trouble.sentence
    if peer.completion is not None and not peer.completion.sequence:
        return INDEXING, f"{peer.name} has not told yet what it has."
    refused = troubles.not_taken(peer.name, not_taken(this, peer))
    if refused is not None:
        return refused.code, refused.sentence
    return SENDING, f"The files are on their way to {peer.name}."
