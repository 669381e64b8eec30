"""A name that comes again with another content is another photo: cameras count anew, and several have one numbering.

IMG_1.JPG of today has nothing to do with the IMG_1.JPG that came to the same folder last year and is archived. It
begins a group of its own, together with what waits beside it; what comes later belongs to that newer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import assets, groups
from app.db.connection import Connection
from app.files.walk import is_media
from app.model import Asset, AssetStatus
from app.pipeline.verdicts import Verdict


def newcomers(
    members: Sequence[Asset], gone_on: Sequence[Asset], verdicts: Mapping[int, Verdict]
) -> list[Asset]:
    """The waiting members of a group that are a group of their own: a photo or video of them has the name that one of
    those which have gone on came with. None when all of them belong together."""
    former = {_came_as(asset) for asset in gone_on if is_media(asset.path)}
    here = [asset for asset in members if _waits(asset, verdicts.get(asset.id))]
    if any(is_media(asset.path) and _came_as(asset) in former for asset in here):
        return here
    return []


def _waits(asset: Asset, verdict: Verdict | None) -> bool:
    if verdict is None:
        return asset.status is AssetStatus.UNIQUE and asset.batch_id is None
    return verdict.status is AssetStatus.UNIQUE and verdict.joins is None


def _came_as(asset: Asset) -> bytes:
    return asset.origin_path or asset.path


def part_newcomers(
    conn: Connection,
    waiting: Mapping[int, Sequence[Asset]],
    gone_on: Mapping[int, Sequence[Asset]],
    verdicts: Sequence[Verdict],
) -> None:
    """Give the newcomers of each of these groups a group of their own."""
    by_asset = {verdict.asset.id: verdict for verdict in verdicts}
    for group_id, former in gone_on.items():
        parted = newcomers(waiting.get(group_id, ()), former, by_asset)
        if parted:
            new_id = groups.begin_anew(conn, group_id)
            columns = {"group_id": new_id, "inspected_at": None}
            assets.set_columns(conn, [(asset.id, columns) for asset in parted])
