"""A label that turns out to be wrong when the bytes are compared: the duplicate is a file of its own after all.

Equal digests of different contents are not to be expected; a damaged disk is. Whatever it was, nothing may be lost: all
of its group that was taken for duplicates goes on as unique.
"""

from __future__ import annotations

from dataclasses import replace

from app.db import assets, journal, undecided
from app.errors import ContentDiffers, printable
from app.model import Asset, AssetStatus, Failure
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services


def take_label_back(
    services: Services, step: StepContext, tally: Tally, asset: Asset, error: ContentDiffers
) -> set[int]:
    """Make the duplicate, and those of its group, unique; told in the journal. Returns their ids."""
    key = asset.group_id if asset.group_id is not None else -asset.id
    with services.db.transaction() as conn:
        members = undecided.list_members(conn, [key])[key]
        labelled = [member for member in members if member.status is AssetStatus.DUPLICATE]
        # The state table leads from duplicate to unique through discovered only.
        assets.mark(conn, labelled, AssetStatus.DISCOVERED, batch_id=None, original_id=None)
        discovered = [replace(member, status=AssetStatus.DISCOVERED) for member in labelled]
        assets.mark(conn, discovered, AssetStatus.UNIQUE)
        words = f"{error} It is no duplicate, whatever their digests say, and is taken in; verify the other one."
        detail = {"path": printable(asset.path), "reason": str(error)}
        journal.record(
            conn, "asset.told_apart", words, level="error", run_id=step.run_id, asset_id=asset.id, detail=detail
        )
    tally.counts["told_apart"] += len(labelled)
    tally.leave_alone(Failure(printable(asset.path), words, asset.id))
    return {member.id for member in labelled}
