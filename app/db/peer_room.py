"""How many bytes of open batches lie at the peer, or are about to, and what sync.peer_room_gb leaves of its room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from app.config.schema import Config
from app.db.tables import assets, batches, deliveries
from app.model import OPEN_BATCH, AssetStatus
from app.model.counting import size_in_words

GIB = 2**30

#: Members of an open batch that the peer has, or gets. What is archived already the peer keeps, or loses as well.
AT_PEER = (AssetStatus.UNIQUE, AssetStatus.BATCHED, AssetStatus.DELIVERED)

#: What gives room back, under each policy.
UNTIL = {"keep": "is archived", "mirror": "is archived and removed at the peer", "release": "is released"}


class Holder(NamedTuple):
    """An open batch and the bytes of it that take room at the peer."""

    batch_id: int
    name: str
    peer_policy: str
    size_bytes: int


@dataclass(frozen=True)
class PeerRoom:
    """The room at the peer: `limit_bytes` is 0 when nobody has bounded it."""

    limit_bytes: int
    holders: tuple[Holder, ...]

    @property
    def used_bytes(self) -> int:
        """What open batches take."""
        return sum(holder.size_bytes for holder in self.holders)

    @property
    def free_bytes(self) -> int | None:
        """What is left; None when there is no bound."""
        return max(self.limit_bytes - self.used_bytes, 0) if self.limit_bytes else None

    def full_words(self) -> str:
        """Why no batch can be made now, and what has to come first."""
        used, limit = size_in_words(self.used_bytes), size_in_words(self.limit_bytes)
        first = self.holders[0]
        until = f"{first.name} {UNTIL[first.peer_policy]}"
        return f"The room at the peer is full: {used} of {limit}; waiting until {until}."

    def used_words(self) -> str:
        """How much of the room is taken."""
        used = size_in_words(self.used_bytes)
        return f"{used} of {size_in_words(self.limit_bytes)} at the peer" if self.limit_bytes else f"{used} at the peer"


def measure(conn: Connection, config: Config) -> PeerRoom:
    """The room at the peer as it is now. What the peer has released takes none, file by file."""
    of_batch = (assets.c.batch_id == batches.c.id) & assets.c.status.in_(AT_PEER)
    of_asset = (
        (deliveries.c.asset_id == assets.c.id)
        & (deliveries.c.batch_id == batches.c.id)
        & (deliveries.c.device_id == batches.c.device_id)
    )
    is_released = select(deliveries.c.asset_id).where(of_asset, deliveries.c.released_at.is_not(None)).exists()
    query = (
        select(batches.c.id, batches.c.name, batches.c.peer_policy, sql.sum(assets.c.size_bytes))
        .select_from(batches.join(assets, of_batch))
        .where(batches.c.status.in_(OPEN_BATCH), batches.c.target == "syncthing", ~is_released)
        .group_by(batches.c.id)
        .order_by(batches.c.id)
    )
    limit = int(config.sync.peer_room_gb * GIB)
    return PeerRoom(limit, tuple(Holder(*row) for row in conn.execute(query)))
