"""Trying again every file that failed, or was set aside: in slices, so that no other writer waits for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.db import assets, roots
from app.db.connection import Connection
from app.db.doubtful_dates import list_assets
from app.jobs.retry import RETRIED, reopen
from app.model import Asset, AssetStatus, RootKind
from app.overview.retrying import is_ours, why_not
from app.services import Services

#: Files in one transaction.
SLICE = 1_000
#: Why all files cannot be tried again at once, in few words: by where they are and what they are.
OBSTACLES = {
    **{(kind, AssetStatus.FAILED): "it missed the delivery of its batch" for kind in RootKind},
    **{(kind, AssetStatus.SET_ASIDE): f"it lies in the {kind} folder, not in an ingest folder" for kind in RootKind},
    (RootKind.ARCHIVE, AssetStatus.SET_ASIDE): "it waits for a review in the archive",
    (RootKind.ARCHIVE, AssetStatus.FAILED): "its place is in the archive, and no run takes files from there",
}
#: The same of a file at one of our private names.
HIDDEN = "it lies in our trash, or is a copy that was cut off"


@dataclass
class Retried:
    """How many files will be taken up again, and why the others were left, by reason. `next_after_id`: where to go
    on, when there are more; `remaining` is how many these are.
    """

    count: int = 0
    left: Counter[str] = field(default_factory=Counter)
    next_after_id: int | None = None
    remaining: int = 0

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "count": self.count,
            "left": sum(self.left.values()),
            "left_by_reason": [{"reason": reason, "files": files} for reason, files in self.left.most_common()],
            "remaining": self.remaining,
            "next_after_id": self.next_after_id,
        }


def retry_failed_assets(services: Services) -> int:
    """Let the next run take up again every failed file that a run can take up; returns how many there are."""
    return retry_all_assets(services, AssetStatus.FAILED).count


def retry_all_assets(
    services: Services, status: AssetStatus, after_id: int = 0, limit: int | None = None
) -> Retried:
    """Let the next run take up again every file that failed, or every one that was set aside, if a run can take it up;
    of those after an id, and only about so many of them, if that is given.

    Done in slices: what was reopened stays so when this is cut off.
    """
    assert status in RETRIED
    looked_at, retried = 0, Retried()
    while limit is None or looked_at < limit:
        with services.db.transaction() as conn:
            found = assets.list_by_status(conn, status, after_id, SLICE)
            _reopen_slice(conn, status, found, retried)
        if not found:
            return retried
        looked_at, after_id = looked_at + len(found), found[-1].id
    with services.db.reading() as conn:
        retried.remaining = assets.count(conn, status, after_id)
    retried.next_after_id = after_id if retried.remaining else None
    return retried


def retry_assets(services: Services, asset_ids: Sequence[int]) -> Retried:
    """Let the next run take up again those of these files that failed or were set aside, if a run can take them up."""
    retried = Retried()
    with services.db.transaction() as conn:
        meant = list_assets(conn, sorted(set(asset_ids)))
        for status in RETRIED:
            _reopen_slice(conn, status, [asset for asset in meant if asset.status is status], retried)
    return retried


def _reopen_slice(conn: Connection, status: AssetStatus, found: list[Asset], retried: Retried) -> None:
    known = {root.id: root for root in roots.list_all(conn)}
    reopened = [asset for asset in found if why_not(conn, asset, known) is None]
    reopen(conn, reopened, known)
    retried.count += len(reopened)
    taken = {asset.id for asset in reopened}
    for asset in found:
        if asset.id not in taken:
            retried.left[HIDDEN if is_ours(asset.path) else OBSTACLES[known[asset.root_id].kind, status]] += 1
