"""Sidecars in an ingest folder without the photo or video that they belong to.

One that comes first is left in place until its photo comes; nothing else is known of it. One that was known already
when somebody took its photo away is set aside until that is back: it has a row, so it is counted there and is not left
in place as well. A person may have it taken in all the same; and where the settings say so, what waits for more than a
week is archived by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.db import assets, kept_copies, undecided
from app.db.connection import Connection
from app.files.kinds import TAKEOUT_SUFFIX, suffix
from app.files.lone_sidecars import ALONE, is_long, lies_since, reason_since
from app.files.walk import Found, is_media
from app.model import Asset, AssetStatus, Root
from app.services import Services


class LoneSidecars:
    """What one scan of one ingest folder makes of them."""

    def __init__(self, services: Services, root: Root) -> None:
        self._db, self._root, self._zone = services.db, root, services.config.zone
        self._archives = services.config.scan.lone_sidecars == "archive"
        self._today = datetime.now(self._zone).date()
        with self._db.reading() as conn:
            found = undecided.list_aside_because(conn, ALONE)
        self._aside = {asset.path: asset for asset in found if asset.root_id == root.id}

    def judge(self, chunk: Sequence[Found]) -> list[Found]:
        """The chunk, with those that have a row, or are archived by themselves, among what is seen; of the others the
        reason says since when they wait."""
        aside = [f for f in chunk if f.path in self._aside]
        self._take_up_again([f for f in aside if f.kind == "sidecar" or self._goes_alone(f)])
        alone = [f.path for f in chunk if _is_alone(f)]
        if not alone:
            return list(chunk)
        with self._db.reading() as conn:
            known = {*assets.list_at(conn, self._root.id, alone)}
            known |= {*kept_copies.list_at(conn, self._root.id, alone)}
        return [self._judge(f, f.path in known) if _is_alone(f) else f for f in chunk]

    def _judge(self, found: Found, is_known: bool) -> Found:
        if is_known or self._goes_alone(found):
            return found._replace(kind="sidecar", reason="")
        if found.reason != ALONE or found.signature is None:
            return found
        return found._replace(reason=reason_since(lies_since(found.signature, self._zone, self._today)))

    def _goes_alone(self, found: Found) -> bool:
        if not self._archives or found.reason != ALONE or found.signature is None:
            return False
        return is_long(lies_since(found.signature, self._zone, self._today), self._today)

    def _take_up_again(self, back: Sequence[Found]) -> None:
        """Make these `discovered`: their photo is there again, or they have waited long enough."""
        if not back:
            return
        with self._db.transaction() as conn:
            again = [self._aside.pop(found.path) for found in back]
            assets.mark(conn, again, AssetStatus.DISCOVERED, attempts=0, inspected_at=None)


def _is_alone(found: Found) -> bool:
    """Left for want of its photo; a JSON that had one may be called anything."""
    is_json = found.kind == "left" and suffix(found.path) == TAKEOUT_SUFFIX
    return found.signature is not None and (found.reason == ALONE or is_json)


def set_aside_widowed(conn: Connection, group_ids: Sequence[int]) -> dict[bytes, int]:
    """Set aside the sidecars that wait in those of these groups whose last photo or video was taken away; their ids by
    path."""
    groups: dict[int, list[Asset]] = {}
    for asset in undecided.list_accounted_in(conn, group_ids):
        groups.setdefault(asset.group_id or 0, []).append(asset)
    widowed = [a for group in groups.values() if not any(is_media(a.path) for a in group) for a in group if _waits(a)]
    assets.mark(conn, widowed, AssetStatus.SET_ASIDE, reason=ALONE)
    return {asset.path: asset.id for asset in widowed}


def _waits(asset: Asset) -> bool:
    return asset.status in (AssetStatus.DISCOVERED, AssetStatus.UNIQUE) and asset.batch_id is None
