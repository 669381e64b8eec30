"""The first half of dedup: every discovered file is read once, whole, and its digests are written down.

A file that a preview has read, and that is still the very same file, is not read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.db import assets, known_digests, undecided
from app.files.digest import Digested, Digests, Wanted, digest_files
from app.model import Asset, AssetStatus, Place, Root, Signature
from app.pipeline.step import StepContext
from app.pipeline.tally import Tally
from app.services import Services

#: Rows in one transaction.
CHUNK = 1_000


class Digesting:
    """One pass over the discovered files that have no digest. What was written stays when the pass is stopped."""

    def __init__(self, services: Services, step: StepContext, tally: Tally) -> None:
        self.db, self.step, self.tally = services.db, step, tally
        self.settings = services.config.dedup
        self.roots: dict[int, Root] = {root.id: root for roots in services.roots.values() for root in roots}
        self.reading: dict[int, Asset] = {}
        self.read: list[Digested] = []
        self.known: list[Signature] = []

    def run(self) -> None:
        """Read them all. A file that cannot be read is noted and never stops the rest."""
        with self.db.reading() as conn:
            total = assets.count(conn, AssetStatus.DISCOVERED)
        if not total:
            return
        settings = self.settings
        try:
            for result in digest_files(self._wanted(), settings.hash_algorithm, settings.threads):
                if result is not None:
                    self._take(result)
                done = self.tally.counts["read"] + self.tally.counts["known"]
                self.step.safe_point(done, total, self.tally.size_bytes)
        finally:
            self._write()

    def _wanted(self) -> Iterator[Wanted]:
        last = 0
        while True:
            with self.db.reading() as conn:
                page = undecided.list_without_digest(conn, last, CHUNK)
            if not page:
                return
            last = page[-1].id
            for asset in self._without_known(page):
                root = self.roots.get(asset.root_id)
                if root is not None:
                    self.reading[asset.id] = asset
                    yield Wanted(asset.id, Place(root, asset.path), asset.signature)

    def _without_known(self, page: Sequence[Asset]) -> list[Asset]:
        """Take the digests that are known already; the others have to be read."""
        here = [asset for asset in page if asset.root_id in self.roots]
        with self.db.reading() as conn:
            known = known_digests.find(conn, here, self.settings.hash_algorithm)
        for asset in here:
            if (found := known.get(asset.id)) is not None:
                self.reading[asset.id] = asset
                self.known.append(found.signature)
                self._take(Digested(asset.id, Digests(found.digest, found.sha256, found.signature)), "known")
        return [asset for asset in page if asset.id not in known]

    def _take(self, result: Digested, counted: str = "read") -> None:
        self.read.append(result)
        self.tally.counts[counted] += 1
        self.tally.size_bytes += self.reading[result.key].size_bytes
        if len(self.read) >= CHUNK:
            self._write()

    def _write(self) -> None:
        rows = []
        with self.db.transaction() as conn:
            for result in self.read:
                asset = self.reading.pop(result.key)
                if result.digests is not None:
                    found = {"digest": result.digests.digest, "sha256": result.digests.sha256}
                    found["digest_algorithm"] = self.settings.hash_algorithm
                    rows.append((asset.id, {**found, "attempts": 0, "reason": None}))
                elif result.error is not None:
                    self.tally.note_failure(conn, asset, result.error, self.step.run_id)
            assets.set_columns(conn, rows)
            known_digests.drop(conn, self.known)
        self.read.clear()
        self.known.clear()
