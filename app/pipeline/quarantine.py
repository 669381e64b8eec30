"""Under dedup.duplicate_policy: quarantine, duplicates move to the duplicates folder and keep their structure there."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import assets
from app.errors import TargetExists, printable
from app.files.move import Move, Moved
from app.model import Asset, AssetStatus, Failure, Place, Root, RootKind
from app.pipeline.naming import suffixed_paths
from app.pipeline.paranoid import list_certain
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

PAGE = 512
#: How many names are tried when others have taken them.
MAX_NAMES = 1_000


def quarantine_duplicates(services: Services, step: StepContext, tally: Tally, references: Sequence[Root]) -> None:
    """Move every duplicate that is still in an ingest folder; what cannot be moved stays and is reported."""
    target = services.root(RootKind.DUPLICATES)
    for source in services.roots[RootKind.INGEST]:
        last = 0
        while page := _page(services, source, last):
            last = page[-1].id
            if services.config.dedup.paranoid:
                page = list_certain(services, step, tally, page, references)
            _move(services, step, [(asset, source) for asset in page], target, tally)
            step.safe_point(tally.counts["quarantined"], tally.counts["quarantined"], tally.size_bytes)


def _page(services: Services, source: Root, last: int) -> list[Asset]:
    with services.db.reading() as conn:
        return assets.list_by_status(conn, AssetStatus.DUPLICATE, last, PAGE, source.id)


def _move(
    services: Services, step: StepContext, waiting: Sequence[tuple[Asset, Root]], target: Root, tally: Tally
) -> None:
    moves = [_plan(asset, source, target, 0) for asset, source in waiting]
    for number in range(1, MAX_NAMES):
        moved = services.disk.move_files(services.db, moves, run_id=step.run_id)
        tally.counts["quarantined"] += sum(1 for m in moved if m.outcome != "failed")
        taken = [m for m in moved if m.outcome == "failed" and isinstance(m.error, TargetExists)]
        tally.failures += [_failure(m) for m in moved if m.outcome == "failed" and m not in taken]
        if not taken:
            return
        moves = [_plan(m.move.asset, m.move.source.root, target, number) for m in taken]


def _plan(asset: Asset, source: Root, target: Root, number: int) -> Move:
    path = suffixed_paths({asset.id: asset.path}, number)[asset.id]
    return Move(asset, Place(source, asset.path), Place(target, path), "duplicate", None)


def _failure(moved: Moved) -> Failure:
    return Failure(printable(moved.move.source.path), str(moved.error), moved.move.asset.id)
