"""What would become of each file, read from the rows that a rehearsal has left, and written down one row a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.db import batches, outcomes
from app.db import roots as root_rows
from app.db.outcomes import Outcome
from app.model import Asset, Root, RootKind
from app.pipeline.filing import is_weak
from app.pipeline.preview.rehearsal import Rehearsal
from app.pipeline.preview.words import what_becomes, why_there

PAGE = 1_000
#: Roots whose files a run takes up, or would.
ON_THE_WAY = (RootKind.INGEST, RootKind.STAGING, RootKind.BATCH)


@dataclass
class Page:
    """A page of assets as the rehearsal left them, with what is needed to tell of them."""

    assets: Sequence[Asset]
    now: Mapping[int, Asset]
    originals: Mapping[int, Asset]
    originals_now: Mapping[int, Asset]
    paths_in_batches: Mapping[int, bytes]
    doubts: Mapping[int, str]
    leads: Mapping[tuple[int, str], bytes]


class Outcomes:
    """One pass over every asset that a run would take up or that lies where it looks."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal, self.copy, self.real = rehearsal, rehearsal.copy, rehearsal.real.db
        with self.copy.reading() as conn:
            self.roots: Mapping[int, Root] = {root.id: root for root in root_rows.list_all(conn)}
        kinds = [root for kind in ON_THE_WAY for root in rehearsal.services.roots.get(kind, ())]
        self.on_the_way = [root.id for root in kinds]
        self.batch_names: dict[int, str] = {}
        self.today = datetime.now(UTC).date()
        self.done = 0

    def write(self) -> None:
        """Write them page by page."""
        last = 0
        while found := self._page(last):
            last = found.assets[-1].id
            rows = [self._outcome(found, asset) for asset in found.assets]
            with self.copy.transaction() as conn:
                outcomes.add(conn, rows)
            self.done += len(rows)
            self.rehearsal.step.safe_point(self.done, self.done)

    def _page(self, after_id: int) -> Page | None:
        began_at = self.rehearsal.began_at
        with self.copy.reading() as conn:
            found = outcomes.list_concerned(conn, began_at, self.on_the_way, after_id, PAGE)
            if not found:
                return None
            ids = [asset.id for asset in found]
            originals = {asset.original_id for asset in found if asset.original_id is not None}
            groups = list({asset.group_id for asset in found if asset.group_id is not None})
            for batch_id in {a.batch_id for a in found if a.batch_id is not None} - set(self.batch_names):
                self.batch_names[batch_id] = batches.get(conn, batch_id).name
            with self.real.reading() as real:
                now, originals_now = outcomes.by_id(real, ids), outcomes.by_id(real, originals)
            return Page(
                found,
                now,
                outcomes.by_id(conn, originals),
                originals_now,
                outcomes.paths_in_batches(conn, self.rehearsal.step.run_id, ids),
                outcomes.doubts_of(conn, ids),
                outcomes.leads_of(conn, groups),
            )

    def _outcome(self, page: Page, asset: Asset) -> Outcome:
        now = page.now.get(asset.id)
        original = page.originals_now.get(asset.original_id or 0) or page.originals.get(asset.original_id or 0)
        now_root, now_path = (now.root_id, now.path) if now else _came_in(asset)
        original_root, original_path = _came_in(original, page.originals_now) if original else (None, None)
        root = self.roots.get(asset.root_id)
        folder = asset.path.rpartition(b"/")[0] if root is not None and root.kind is RootKind.ARCHIVE else None
        lead = page.leads.get((asset.group_id or 0, asset.taken_local or ""))
        ending = self.rehearsal.stops_because or self.rehearsal.ending.message
        batch_name = self.batch_names.get(asset.batch_id or 0)
        return Outcome(
            asset_id=asset.id,
            status_now=now.status.value if now else None,
            now_root_id=now_root,
            now_path=now_path,
            size_bytes=asset.size_bytes,
            status=asset.status.value,
            original_id=asset.original_id,
            original_root_id=original_root,
            original_path=original_path,
            batch_id=asset.batch_id,
            path_in_batch=self._path_in_batch(page, asset, now),
            target_root_id=asset.root_id,
            target_path=asset.path,
            folder=folder,
            taken_local=asset.taken_local,
            taken_from=asset.taken_from,
            is_weak=asset.taken_local is not None and is_weak(asset, self.today),
            why=why_there(asset, lead, page.doubts.get(asset.id), folder),
            outcome=what_becomes(asset, root.kind if root else None, batch_name, original_path, ending),
        )

    def _path_in_batch(self, page: Page, asset: Asset, now: Asset | None) -> bytes | None:
        """Below the batch's folder; of a file that lies there already, where it lies."""
        path = page.paths_in_batches.get(asset.id)
        if path is None and now is not None and now.batch_id is not None:
            is_there = self.roots[now.root_id].kind in (RootKind.STAGING, RootKind.BATCH)
            path = now.path if is_there else None
        return path.partition(b"/")[2] if path is not None else None


def _came_in(asset: Asset, now: Mapping[int, Asset] | None = None) -> tuple[int, bytes]:
    """Where a file lies now: where its row says, or, when the rehearsal has found it, where it was found."""
    if now is not None and asset.id in now:
        return asset.root_id, asset.path
    return asset.origin_root_id or asset.root_id, asset.origin_path or asset.path


def write_outcomes(rehearsal: Rehearsal) -> None:
    """Write down what would become of each file. Raises Stopped."""
    Outcomes(rehearsal).write()
