"""Known files that hold something else now: their rows stay as they are, and a person is told.

A rebuild decides about such a file as if it held what its row says, so that it keeps its place, its batch and its
digest; what it really holds is in a finding, and nothing takes that for a good file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.db import findings
from app.db.connection import Connection
from app.db.findings import NewFinding
from app.db.rebuild_altered import list_altered
from app.db.rebuild_files import Sighting
from app.model import Asset, FindingKind
from app.pipeline.verify import words


@dataclass
class Altered:
    """The altered files that a rebuild saw, each with the row at whose place it lies."""

    pairs: list[tuple[Sighting, Asset]] = field(default_factory=list)
    ids: frozenset[int] = frozenset()
    by_content: Mapping[str, list[Sighting]] = field(default_factory=dict)

    @classmethod
    def find(cls, conn: Connection) -> Altered:
        """All of them, by what was seen and by the rows from before."""
        pairs = list_altered(conn)
        by_content: dict[str, list[Sighting]] = defaultdict(list)
        for file, asset in pairs:
            by_content[asset.sha256 or ""].append(_as_known(file, asset))
        return cls(pairs, frozenset(file.id for file, _ in pairs), by_content)

    def in_place(self, content: str, seen: Iterable[Sighting]) -> list[Sighting]:
        """The files that hold a content, or should."""
        return [file for file in seen if file.id not in self.ids] + self.by_content.get(content, [])

    def contents_at(self, root_id: int) -> dict[bytes, str | None]:
        """What altered files under a root should hold, by path."""
        return {file.path: asset.sha256 for file, asset in self.pairs if file.root_id == root_id}

    def contents_in(self, areas: Collection[str]) -> set[str]:
        """What altered files in these areas should hold."""
        return {asset.sha256 or "" for file, asset in self.pairs if file.area in areas}

    def tell(self, conn: Connection, run_id: int) -> None:
        """Leave an open finding about each."""
        findings.put(conn, run_id, [_finding(file, asset) for file, asset in self.pairs])


def _as_known(file: Sighting, asset: Asset) -> Sighting:
    known = asset.signature
    return replace(
        file, size_bytes=known.size_bytes, mtime_ns=known.mtime_ns, ctime_ns=known.ctime_ns, device=known.device,
        inode=known.inode, digest=asset.digest, digest_algorithm=asset.digest_algorithm, sha256=asset.sha256,
    )  # fmt: skip


def _finding(file: Sighting, asset: Asset) -> NewFinding:
    reason = words.altered(asset.signature, file.signature, is_copy=False)
    return NewFinding(
        FindingKind.ALTERED, asset.id, file.root_id, file.path, file.size_bytes, reason, file.signature,
        file.digest, file.digest_algorithm, file.sha256,
    )  # fmt: skip
