"""Reading files that dedup had no need to read, when what they hold is to be known at once."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import assets, unread
from app.errors import FileError
from app.files.digest import full_digest
from app.model import Asset, Place
from app.services import Services

#: Whoever asks waits for it; what is more is read with its batch.
MAX_BYTES = 1 << 30


def read_contents(services: Services, wanted: Sequence[Asset]) -> None:
    """Read those of these files that were not read yet, a gigabyte at most; what cannot be read is passed over."""
    roots = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    algorithm, room = services.config.dedup.hash_algorithm, MAX_BYTES
    for asset in wanted:
        if asset.sha256 is not None or asset.root_id not in roots or asset.size_bytes > room:
            continue
        room -= asset.size_bytes
        try:
            found = full_digest(Place(roots[asset.root_id], asset.path), algorithm)
        except FileError:
            continue
        with services.db.transaction() as conn:
            row = assets.find(conn, asset.id)
            if row is not None and row.signature == found.signature and row.sha256 is None:
                unread.write_digests(conn, [(asset.id, found.digest, found.sha256, found.head_digest)], algorithm)
