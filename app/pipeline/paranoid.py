"""Under dedup.paranoid a duplicate is compared byte for byte with its original before anything is done to it."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import duplicates, reference_files
from app.errors import ContentDiffers, FileError, printable
from app.model import Asset, Failure, Place, Root
from app.pipeline.doubted import take_label_back
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services


def list_certain(
    services: Services, step: StepContext, tally: Tally, labelled: Sequence[Asset], references: Sequence[Root]
) -> list[Asset]:
    """Those of these duplicates that hold what their originals hold; what cannot be compared is left as it is."""
    roots = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    roots.update({root.id: root for root in references})
    originals = _originals(services, labelled)
    certain: list[Asset] = []
    taken_back: set[int] = set()
    for asset in labelled:
        step.safe_point(tally.counts["compared"], tally.counts["compared"], tally.size_bytes)
        original = originals.get(asset.id)
        root = roots.get(original.root_id) if original is not None else None
        if original is None or root is None:
            reason = "There is no file to compare it with; it stays where it is (dedup.paranoid)."
            tally.leave_alone(Failure(printable(asset.path), reason, asset.id))
            continue
        try:
            if _is_same(services, tally, asset, Place(root, original.path), roots[asset.root_id]):
                certain.append(asset)
        except ContentDiffers as error:
            taken_back |= take_label_back(services, step, tally, asset, error)
    return [asset for asset in certain if asset.id not in taken_back]


def _originals(services: Services, labelled: Sequence[Asset]) -> dict[int, Asset]:
    with services.db.reading() as conn:
        known = duplicates.list_by_ids(conn, list({a.original_id for a in labelled if a.original_id is not None}))
        found = reference_files.originals_of(conn, [a.id for a in labelled if a.original_id is None])
    found.update({a.id: known[a.original_id] for a in labelled if a.original_id in known})
    return found


def _is_same(services: Services, tally: Tally, asset: Asset, original: Place, root: Root) -> bool:
    try:
        services.disk.compare_bytes(original, Place(root, asset.path))
    except ContentDiffers:
        raise
    except FileError as error:
        tally.leave_alone(Failure(printable(asset.path), f"It stays where it is: {error}", asset.id))
        return False
    tally.counts["compared"] += 1
    return True
