"""What a peer still lacks by Syncthing's own account: it spares asking for files that cannot have arrived yet.

It is never a proof. A file that the peer is not said to lack is asked for, and only its own answer counts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.syncthing.answers import Completion
from app.syncthing.client import SyncthingClient

PER_PAGE = 1000
#: One look reads no more pages than this; what lies behind them is taken to be lacking until a later look.
MAX_PAGES = 20
#: Nor does it begin with another page after so long.
READ_SECONDS = 30.0


@dataclass(frozen=True)
class Need:
    """The files of the folder that a peer lacks, by name; of those after `read_to` nothing is known."""

    names: frozenset[str] = frozenset()
    read_to: str | None = None

    def lacks(self, name: str) -> bool:
        """Whether the peer is said to lack the file, or nothing is known of it."""
        return name in self.names or (self.read_to is not None and name > self.read_to)


def read_need(client: SyncthingClient, folder_id: str, device_id: str, completion: Completion) -> Need:
    """What this device lacks. Raises SyncthingError.

    A count of nothing is believed only of a peer that has told what it has: before that, the count is always nothing.
    """
    if completion.need_items == 0 and completion.sequence > 0:
        return Need()
    names: list[str] = []
    ends_at = time.monotonic() + READ_SECONDS
    for page in range(1, MAX_PAGES + 1):
        found = client.remote_need(folder_id, device_id, page, PER_PAGE)
        names += found
        if len(found) < PER_PAGE:
            return Need(frozenset(names))
        if time.monotonic() >= ends_at:
            break
    return Need(frozenset(names), max(names))
