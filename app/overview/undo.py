"""What taking a batch back would do, as JSON-ready values for the doors."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.db import confirmation, deliveries
from app.errors import printable
from app.model.undo import Act, Drawn, UndoLook, Verdict, peer_in_words

#: So many files in the way are listed; all are counted.
LISTED = 100


def undo_summary(conn: Connection, look: UndoLook) -> dict[str, Any]:
    """Which files go back and become what, what happens at the peer, and what stands in the way."""
    back, refused, left = look.of(Act.GO_BACK) + look.of(Act.ADOPT), look.of(Act.REFUSE), look.of(Act.LEAVE)
    batch = look.batch
    confirmed, lost_at = deliveries.count(conn, batch.id), confirmation.lost_at(conn)
    return {
        "batch_id": batch.id,
        "batch": batch.name,
        "status": batch.status.value,
        "possible": not refused,
        "becomes": look.returns_as.value,
        "files": len(back),
        "size_bytes": sum(verdict.facts.asset.size_bytes for verdict in back),
        "stay": len(look.of(Act.STAY)),
        "peer": peer_in_words(batch, look.in_batch_folder, confirmed, lost_at),
        "drawn_back": len([drawn for drawn in look.drawn if drawn.goes_back]),
        "drawn_stay": [_entry_of_drawn(drawn) for drawn in look.drawn if drawn.stays_because][:LISTED],
        "left_count": len(left),
        "left": [_entry(verdict) for verdict in left[:LISTED]],
        "obstacle_count": len(refused),
        "obstacles": [{**_entry(verdict), "remedy": verdict.remedy} for verdict in refused[:LISTED]],
    }


def _entry(verdict: Verdict) -> dict[str, Any]:
    facts = verdict.facts
    return {
        "asset_id": facts.asset.id,
        "path": printable(facts.place.absolute),
        "goes_to": printable(facts.origin.absolute),
        "reason": verdict.reason,
    }


def _entry_of_drawn(drawn: Drawn) -> dict[str, Any]:
    return {
        "asset_id": drawn.asset.id,
        "path": printable(drawn.place.absolute),
        "goes_to": printable(drawn.before.absolute),
        "reason": drawn.stays_because,
    }
