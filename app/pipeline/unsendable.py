"""Files that Syncthing would not carry because of their names, and those that wait with them: a group is not parted.

They are set aside where they lie. A person renames such a file; its new name is a new file, and what waited because of
the old one is taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import assets, journal, undecided
from app.db.connection import Connection
from app.errors import printable
from app.model import Asset, AssetStatus
from app.pipeline.naming import unsendable_reason

#: How the reason begins of a file that could be sent and is set aside because of another one.
WITH_ANOTHER = "it belongs to "


def list_unsendable(conn: Connection, groups: Sequence[Sequence[Asset]]) -> list[tuple[Asset, str]]:
    """Of these groups, which are to be batched, what cannot be sent and all that belongs to it, each with the reason.

    What comes late to a group of which such a file was set aside waits as well.
    """
    aside = _bad_names(conn, [group[0].group_id for group in groups if group and group[0].group_id is not None])
    refused: list[tuple[Asset, str]] = []
    for group in groups:
        reasons = {asset.id: reason for asset in group if (reason := unsendable_reason(asset.path)) is not None}
        bad = next((asset.path for asset in group if asset.id in reasons), None)
        first = bad or (aside.get(group[0].group_id or 0) if group else None)
        if first is not None:
            other = f"{WITH_ANOTHER}{printable(first)}, and that one waits for a new name"
            refused += [(asset, reasons.get(asset.id, other)) for asset in group]
    return refused


def set_aside(conn: Connection, refused: Sequence[tuple[Asset, str]], run_id: int | None) -> None:
    """Set these aside where they lie, each with its reason."""
    for asset, reason in refused:
        assets.mark(conn, [asset], AssetStatus.SET_ASIDE, reason=reason)
        words = f"{printable(asset.path)} was set aside: {reason}."
        journal.record(conn, "asset.set_aside", words, level="warning", run_id=run_id, asset_id=asset.id,
                       detail={"path": printable(asset.path), "reason": reason})


def take_up_again(conn: Connection) -> int:
    """Make what waited because of another file `discovered` when no such file is in its group any more; returns how
    many."""
    waiting = undecided.list_aside_because(conn, WITH_ANOTHER)
    held = _bad_names(conn, [asset.group_id for asset in waiting if asset.group_id is not None])
    free = [asset for asset in waiting if asset.group_id not in held]
    assets.mark(conn, free, AssetStatus.DISCOVERED, attempts=0)
    return len(free)


def _bad_names(conn: Connection, group_ids: Sequence[int]) -> Mapping[int, bytes]:
    """Of those of these groups that have one, a file that was set aside and cannot be sent."""
    found: dict[int, bytes] = {}
    for asset in undecided.list_aside_in(conn, sorted(set(group_ids))):
        if unsendable_reason(asset.path) is not None:
            found.setdefault(asset.group_id or 0, asset.path)
    return found
