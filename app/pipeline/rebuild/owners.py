"""Which lines of manifests and which rows from before speak of one asset: one claim for each, and never two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from app.db import assets, rebuild_entries, rebuild_rows, rebuild_unread
from app.db.connection import Connection
from app.db.rebuild_entries import Entry
from app.db.rebuild_files import Sighting
from app.model import Asset, AssetStatus, RootKind
from app.pipeline.rebuild.batch_verdicts import BatchVerdict
from app.pipeline.rebuild.claims import Claim

#: Why a row is gone that a rebuild itself put aside; such a row is still an owner.
PUT_ASIDE = (rebuild_rows.DISPLACED, rebuild_rows.NOT_FOUND)


class Owners:
    """The owners of contents, from what the database and the manifests say.

    `unread` are rows that were never read and that a manifest names: their content, by their id.
    """

    def __init__(
        self, verdicts: Mapping[int, BatchVerdict], kinds: Mapping[int, RootKind], unread: Mapping[int, str]
    ) -> None:
        self._verdicts, self._kinds, self._unread = verdicts, kinds, unread
        self._unread_of: dict[str, list[int]] = defaultdict(list)
        for asset_id, content in unread.items():
            self._unread_of[content].append(asset_id)

    def claims(self, conn: Connection, files: Mapping[str, Sequence[Sighting]]) -> dict[str, list[Claim]]:
        """The owners of each of these contents, given the files that hold it."""
        entries, rows = rebuild_entries.list_of(conn, list(files)), self._rows(conn, files)
        return {content: self._join(entries[content], rows.get(content, ())) for content in files}

    def _rows(self, conn: Connection, files: Mapping[str, Sequence[Sighting]]) -> dict[str, list[Asset]]:
        """The assets from before with these contents; also those that were never read, where something else tells."""
        found: dict[str, list[Asset]] = defaultdict(list)
        for asset in rebuild_rows.list_by_content(conn, list(files)):
            if asset.root_id in self._kinds:
                found[asset.sha256 or ""].append(asset)
        named = [asset_id for content in files for asset_id in self._unread_of.get(content, ())]
        for asset_id, asset in rebuild_rows.list_by_id(conn, named).items():
            if asset.root_id in self._kinds:
                found[self._unread[asset_id]].append(asset)
        self._add_by_place(conn, files, found)
        self._add_by_file(conn, files, found)
        return found

    def _add_by_place(
        self, conn: Connection, files: Mapping[str, Sequence[Sighting]], found: dict[str, list[Asset]]
    ) -> None:
        """Rows that were never read, and that no manifest names, hold what lies at their place, when its size fits."""
        by_root: dict[int, dict[bytes, Sighting]] = defaultdict(dict)
        for held in files.values():
            for file in held:
                by_root[file.root_id][file.path] = file
        for root_id, seen in by_root.items():
            for path, asset in assets.list_at(conn, root_id, list(seen)).items():
                is_unread = asset.sha256 is None and asset.id not in self._unread
                if is_unread and asset.size_bytes == seen[path].size_bytes:
                    found[seen[path].sha256 or ""].append(asset)

    def _add_by_file(
        self, conn: Connection, files: Mapping[str, Sequence[Sighting]], found: dict[str, list[Asset]]
    ) -> None:
        """Rows that were never read go with their files, when these lie elsewhere now."""
        held = {(f.size_bytes, f.inode, f.mtime_ns): f.sha256 or "" for files_of in files.values() for f in files_of}
        known = {asset.id for assets_of in found.values() for asset in assets_of}
        unread = rebuild_unread.list_files(conn, {size_bytes for size_bytes, _, _ in held})
        wanted = {asset_id: held[key] for key, ids in unread.items() if key in held for asset_id in ids}
        left = [asset_id for asset_id in wanted if asset_id not in known and asset_id not in self._unread]
        for asset_id, asset in rebuild_rows.list_by_id(conn, left).items():
            if asset.root_id in self._kinds:
                found[wanted[asset_id]].append(asset)

    def _join(self, entries: Sequence[Entry], rows: Sequence[Asset]) -> list[Claim]:
        """Of several manifests that name one asset, the newest batch counts. Living rows choose first: a file that
        was lost and came again is not given to the row that was given up."""
        newest = {entry.asset_id: entry for entry in entries}
        left = {row.id: row for row in rows}
        joined = {asset_id: left.pop(asset_id, None) for asset_id in newest}
        for asset_id, entry in newest.items():
            if joined[asset_id] is None:
                joined[asset_id] = _take_same(entry, left)
        claims = [self._claim(entry, joined[asset_id]) for asset_id, entry in newest.items()]
        owners = [row for row in left.values() if not _is_gone(row) or row.reason in PUT_ASIDE]
        return sorted(claims + [self._claim(None, row) for row in owners], key=_precedence)

    def _claim(self, entry: Entry | None, row: Asset | None) -> Claim:
        batch = self._verdicts.get(entry.batch_id) if entry is not None else None
        return Claim(entry, batch, row, self._kinds.get(row.root_id) if row is not None else None)


def _take_same(entry: Entry, rows: dict[int, Asset]) -> Asset | None:
    """The living row of the same file, which had to get an id other than the one that the manifest names."""
    same = [row for row in rows.values() if not _is_gone(row) and row.origin_path == entry.origin]
    row = next((row for row in same if row.batch_id == entry.batch_id), None)
    return rows.pop(row.id) if row is not None else None


def _is_gone(row: Asset) -> bool:
    return row.status is AssetStatus.GONE


def _precedence(claim: Claim) -> int:
    return int(claim.row is None) + 2 * int(claim.row is not None and _is_gone(claim.row))
