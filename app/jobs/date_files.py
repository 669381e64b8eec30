"""Which files a person means who decides about dates, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import doubtful_dates
from app.db.connection import Connection
from app.db.dated_groups import list_others
from app.db.doubtful_dates import DATED
from app.errors import Conflict, NotFound
from app.filing.numbering import group_key
from app.jobs.date_changes import DateWish
from app.model import Asset, AssetStatus

#: More would hold up everybody else for too long; a filter names fewer.
MAX_FILES = 20_000


def list_named(conn: Connection, wish: DateWish) -> list[Asset]:
    """The files that a wish names or its filter finds. Raises NotFound, and Conflict when they are too many."""
    if wish.asset_ids:
        return list_by_id(conn, wish.asset_ids)
    ids = doubtful_dates.list_ids(conn, wish.only, doubtful=wish.doubtful, limit=MAX_FILES + 1)
    refuse_too_many(ids)
    return doubtful_dates.list_assets(conn, ids)


def list_by_id(conn: Connection, asset_ids: Sequence[int]) -> list[Asset]:
    """These files. Raises NotFound for one that is not known."""
    found = doubtful_dates.list_assets(conn, sorted(set(asset_ids)))
    unknown = set(asset_ids) - {asset.id for asset in found}
    if unknown:
        raise NotFound("asset", min(unknown))
    return found


def refuse_too_many(asset_ids: Sequence[int]) -> None:
    """Raise Conflict when these are more than one decision may be about."""
    if len(asset_ids) > MAX_FILES:
        raise Conflict(f"More than {MAX_FILES:,} files are meant; decide about fewer at once, folder by folder.")


def is_dated(asset: Asset) -> bool:
    """Whether the file has a date about which can be decided."""
    return asset.status in DATED and asset.taken_local is not None


def list_groups(conn: Connection, meant: Sequence[Asset]) -> dict[int, list[Asset]]:
    """By group, these files and all others that belong to them."""
    others, groups = list_others(conn, meant), dict[int, list[Asset]]()
    for asset in meant:
        groups.setdefault(group_key(asset), []).append(asset)
    return {key: [*members, *others.get(key, ())] for key, members in groups.items()}


def why_refused(asset: Asset) -> str:
    """Why nothing can be decided about the date of a file."""
    if asset.status is AssetStatus.DUPLICATE:
        return f"it is a duplicate; decide about its original, file {asset.original_id}"
    return "it has no date yet" if asset.taken_local is None else f"it is {asset.status.replace('_', ' ')}"
