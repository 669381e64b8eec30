"""Whether an original is accounted for now: a file is a duplicate only of something that is certainly somewhere.

* Its file lies at its place with the signature of its row, or reads to the same SHA-256 again: accounted for.
* Its file lies in a reference folder, is as it was or reads to the same SHA-256 again: accounted for.
* Its file waits in the archive for a review of its date: accounted for, as every file of the archive.
* Its file is back in ingest because its batch was taken back: accounted for.
* Its row says `gone`, but a peer was proven to have it and keeps it: accounted for; it left this disk on purpose.
  Of a file that was lost, or is said not to be missed, no delivery is known any more: not accounted for.
* A person has said that it is not missed, and dedup.remember_removed is set: what was removed is to stay away.
* Anything else, an archived file that somebody deleted too: not accounted for, and the new file is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.db import reference_files, undecided
from app.errors import FileError
from app.files.digest import full_digest
from app.files.walk import signature_at
from app.model import GONE_ON_PURPOSE, Asset, AssetStatus, Place, Root, RootKind
from app.model.original_order import rank_by
from app.pipeline.verdicts import Original, same_content
from app.services import Services


class Originals:
    """The assets that may be originals of one slice of files. Raises FileError when the disk gives no answer."""

    def __init__(self, services: Services, has_other_algorithm: bool, references: Sequence[Root] = ()) -> None:
        self.db, self.algorithm = services.db, services.config.dedup.hash_algorithm
        self.remembers_removed = services.config.dedup.remember_removed
        self.rank = rank_by(services.config.dedup.original_order)
        self.has_other_algorithm = has_other_algorithm
        # Only mounted roots of the configuration were checked; what lies under a retired root counts as away.
        self.roots: Mapping[int, Root] = {root.id: root for kind in services.roots.values() for root in kind} | {
            root.id: root for root in references
        }
        self.has_references = bool(references)
        self._by_sha256: dict[str, dict[int, Asset]] = {}
        self._repeated: set[str] = set()
        self._kept_by_peer: set[int] = set()
        self._accounted: dict[int, Original | None] = {}

    def load(self, wanted: Sequence[Asset]) -> None:
        """Fetch every asset that holds what one of these holds."""
        self._by_sha256.clear()
        self._accounted.clear()
        digests = list({a.digest for a in wanted if a.digest is not None})
        with self.db.reading() as conn:
            found = undecided.list_possible_originals(conn, digests)
            if self.has_other_algorithm:
                sizes = list({a.size_bytes for a in wanted})
                found += undecided.list_of_other_algorithm(conn, self.algorithm, sizes)
            if self.has_references:
                found += reference_files.list_originals(conn, list({a.sha256 for a in wanted if a.sha256 is not None}))
            gone = [a.id for a in found if a.status is AssetStatus.GONE]
            self._kept_by_peer = undecided.list_kept_by_peer(conn, gone)
        for asset in found:
            if asset.sha256 is not None and self._may_stand(asset):
                self._by_sha256.setdefault(asset.sha256, {})[asset.id] = asset
        times = Counter(a.sha256 for a in wanted)
        self._repeated = {sha256 for sha256, count in times.items() if sha256 is not None and count > 1}

    def _may_stand(self, asset: Asset) -> bool:
        """What was set aside in the archive is safe there, and what came back with its batch waits for a person, who
        must not be overtaken by a copy; what was set aside before it got so far goes nowhere."""
        if asset.status is not AssetStatus.SET_ASIDE:
            return True
        root = self.roots.get(asset.root_id)
        came_back = root is not None and root.kind is RootKind.INGEST and asset.batch_id is not None
        return came_back or (root is not None and root.kind is RootKind.ARCHIVE)

    def keep(self, asset: Asset) -> None:
        """This asset was just found to be unique: it may be the original of another one in the slice."""
        if asset.sha256 in self._repeated:
            kept = replace(asset, status=AssetStatus.UNIQUE)
            self._by_sha256.setdefault(asset.sha256 or "", {})[asset.id] = kept

    def find(self, asset: Asset, group_ids: set[int]) -> list[Original]:
        """The originals of an asset among those outside its group that are accounted for, the better first."""
        candidates = [c for c in self._by_sha256.get(asset.sha256 or "", {}).values() if c.id not in group_ids]
        return [found for c in same_content(asset, candidates, self.rank) if (found := self.account(c)) is not None]

    def account(self, asset: Asset) -> Original | None:
        """The asset as an original, when it is accounted for now."""
        if asset.id not in self._accounted:
            self._accounted[asset.id] = self._look(asset)
        return self._accounted[asset.id]

    def _look(self, asset: Asset) -> Original | None:
        if asset.status is AssetStatus.GONE:
            is_remembered = self.remembers_removed and asset.reason == GONE_ON_PURPOSE
            return Original(asset, None) if is_remembered or asset.id in self._kept_by_peer else None
        root = self.roots.get(asset.root_id)
        if root is None:
            return None
        try:
            seen = signature_at(root, asset.path)
        except OSError as error:
            raise FileError("look at", Place(root, asset.path).absolute, error.strerror or str(error)) from error
        if seen is None:
            return None
        if seen._replace(device=asset.device) != asset.signature:
            digests = full_digest(Place(root, asset.path))
            if digests.sha256 != asset.sha256:
                return None
        return Original(asset, seen)
