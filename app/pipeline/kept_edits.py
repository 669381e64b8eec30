"""Copies that stayed in the batch folder (`sorter.transfer_mode: copy`) and are not what they were: told by name.

In a folder that both sides write to, a peer's change comes here and takes the copy's place. The archive has what was
sent, and nothing here is written over either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.db import assets, facts, kept_copies, left_in_place
from app.db.connection import Connection
from app.db.kept_copies import KeptCopy
from app.files.walk import signature_at
from app.model import Place, Root, Signature
from app.pipeline.failing import holds
from app.services import Services

#: So many copies are looked at by one look of the tick; the next one goes on behind them.
LOOKED_AT_ONCE = 2_000
REACHED = "kept_edits_reached"


def list_edited(services: Services, root: Root) -> list[bytes]:
    """The paths of all such copies under a root. Raises OSError when the disk gives no answer."""
    with services.db.reading() as conn:
        every = kept_copies.list_after(conn, root.id, 0, None)
    return list(_edited(services, root, every, ()))


def look_at_some(services: Services, root: Root) -> tuple[list[bytes], list[bytes]]:
    """The next copies under a root: which of them are not what they were, and which are. Raises OSError."""
    with services.db.reading() as conn:
        reached = int(facts.find(conn, REACHED) or 0)
        some = kept_copies.list_after(conn, root.id, reached, LOOKED_AT_ONCE)
        noted = left_in_place.paths_of(conn, root.id)
    edited = list(_edited(services, root, some, noted))
    if some or reached:
        with services.db.transaction() as conn:
            _note_reached(conn, some)
    return edited, sorted({copy.path for copy in some} - set(edited))


def _note_reached(conn: Connection, some: list[KeptCopy]) -> None:
    facts.put(conn, REACHED, str(some[-1].id if len(some) == LOOKED_AT_ONCE else 0))


def _edited(
    services: Services, root: Root, copies: Iterable[KeptCopy], noted: Iterable[bytes]
) -> Iterator[bytes]:
    """Those with another content. One that was noted already and is not as it was written is not read once more."""
    known = set(noted)
    for copy in copies:
        seen = signature_at(root, copy.path)
        if seen is None or _is_same(seen, copy.signature):
            continue
        is_read = seen.size_bytes == copy.signature.size_bytes and copy.path not in known
        if not (is_read and _holds_the_same(services, root, copy, seen)):
            yield copy.path


def _is_same(seen: Signature, written: Signature) -> bool:
    return (seen.size_bytes, seen.mtime_ns) == (written.size_bytes, written.mtime_ns)


def _holds_the_same(services: Services, root: Root, copy: KeptCopy, seen: Signature) -> bool:
    """Whether only the times differ; then the row is put right, so that the file is not read again."""
    with services.db.reading() as conn:
        asset = assets.find(conn, copy.asset_id)
    if asset is None or not holds(Place(root, copy.path), asset):
        return False
    with services.db.transaction() as conn:
        kept_copies.add(conn, [(copy.asset_id, root.id, copy.path, seen)])
    return True
