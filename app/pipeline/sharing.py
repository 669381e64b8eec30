"""Under dedup.duplicate_policy: reflink, duplicates stay where they are and share the room of their originals.

Both files stay what they are, under their names; the kernel compares them and then lets both lie at one place on the
disk. What lies in a reference folder is not touched in this way either.
"""

from __future__ import annotations

from app.db import shared_room
from app.errors import CannotShare, ContentDiffers, FileError, SourceChanged, printable
from app.model import Asset, Failure, Place, Root, RootKind
from app.pipeline.doubted import take_label_back
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

PAGE = 512
#: Where duplicates lie.
HOLDERS = (RootKind.INGEST, RootKind.DUPLICATES)


class Sharing:
    """One pass over the duplicates that have room of their own."""

    def __init__(self, services: Services, step: StepContext, tally: Tally) -> None:
        self.services, self.step, self.tally = services, step, tally
        self.roots = {root.id: root for of_kind in services.roots.values() for root in of_kind}
        self.holders = [root.id for kind in HOLDERS for root in services.roots.get(kind, ())]
        #: Pairs of folders between which the file systems cannot do it: it is asked once, and told once.
        self.refused: set[tuple[int, int]] = set()

    def run(self) -> None:
        """Share what can be shared; whatever cannot stays as it is."""
        last = 0
        while page := self._page(last):
            last = page[-1][0].id
            shared = [(asset, original) for asset, original in page if self._share(asset, original)]
            with self.services.db.transaction() as conn:
                shared_room.note(conn, shared)
            self.step.safe_point(self.tally.counts["shared"], self.tally.counts["shared"], self.tally.size_bytes)

    def _page(self, after_id: int) -> list[tuple[Asset, Asset]]:
        with self.services.db.reading() as conn:
            return shared_room.list_waiting(conn, self.holders, after_id, PAGE)

    def _share(self, asset: Asset, original: Asset) -> bool:
        here, there = self.roots[asset.root_id], self.roots.get(original.root_id)
        if there is None or (here.id, there.id) in self.refused:
            return False
        try:
            size_bytes = self.services.disk.share_room(Place(there, original.path), Place(here, asset.path))
        except CannotShare as error:
            self._refuse(here, there, error)
            return False
        except ContentDiffers as error:
            take_label_back(self.services, self.step, self.tally, asset, error)
            return False
        except SourceChanged:
            return False  # the next scan tells what became of it
        except FileError as error:
            self.tally.leave_alone(Failure(printable(asset.path), str(error), asset.id))
            return False
        self.tally.counts["shared"] += 1
        self.tally.counts["shared_bytes"] += size_bytes
        return True

    def _refuse(self, here: Root, there: Root, error: CannotShare) -> None:
        self.refused.add((here.id, there.id))
        where = printable(here.path) if here.id == there.id else f"{printable(here.path)} and {printable(there.path)}"
        words = (
            f"Files in {where} cannot share their room on the disk ({error.reason}): only Btrfs, and XFS made with "
            "reflink, can do that, within one file system. The duplicates stay as they are, and no room is gained."
        )
        self.tally.leave_alone(Failure(printable(here.path), words))
