"""The rows of files that came to the ingest folder, each chunk in one transaction with its journal events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from app.db import assets, compared, groups, kept_copies
from app.db.assets import NewAsset
from app.db.connection import Connection, Database
from app.db.names import name_key
from app.files.head_reader import DIGEST_BYTES, HEAD_DIGEST_BYTES
from app.model import AssetStatus, Root, Signature
from app.pipeline.alike import UNIQUE, Alike
from app.pipeline.intake import WAITING, record_each, rediscover

#: Every index has a page for most of these rows: with less room pages are written again and again.
CACHE_BYTES = 48 << 20
#: Rows in one transaction: others want to write too, and the write-ahead log holds all that a transaction changed.
CHUNK = 5_000
#: Of a digest as rows hold it.
DIGEST_CHARACTERS = 2 * DIGEST_BYTES
CHANGED = "changed in the ingest folder and is looked at again"


class Rows:
    """Writes the rows of files that came: of those that are new at their place, and of those that changed there.

    `is_first`: the library was empty, and as long as nobody else writes rows, all are new.
    """

    def __init__(self, db: Database, root: Root, run_id: int, alike: Alike, *, is_first: bool) -> None:
        self._db, self._root, self._run_id, self._alike = db, root, run_id, alike
        self._is_first = is_first
        self._original_ids: dict[int, int] = {}
        self._groups: dict[int, int] = {}
        self.written = 0

    def make_groups(self, keys: Sequence[int]) -> None:
        """Make the groups of these files, which get their rows later; a group without members is nothing to anybody."""
        left = [key for key in keys if self._alike.paths[key] is not None]
        with self._db.transaction() as conn:
            self._groups.update(zip(left, self._group_ids(conn, left), strict=True))

    def write(self, keys: Sequence[int]) -> Counter[str]:
        """Write these, in one transaction, and take them out of the files that came; returns how many of each kind.
        An original is written with its duplicates or before them."""
        by_path = {path: key for key in keys if (path := self._alike.paths[key]) is not None}
        with self._db.transaction(CACHE_BYTES) as conn:
            self._is_first = self._is_first and assets.last_id(conn) == self.written
            paths = [] if self._is_first else list(by_path)
            known = assets.list_at(conn, self._root.id, paths)
            kept = kept_copies.list_at(conn, self._root.id, [path for path in paths if path not in known])
            changed = [asset for path, asset in known.items() if asset.status in WAITING]
            for asset in changed:
                rediscover(conn, asset, Signature(*self._alike.facts(by_path[asset.path])))
            # The asset whose copy stayed here lives on elsewhere; what lies here now is another photo.
            kept_copies.remove(conn, [row[0] for row in kept.values()])
            new = [key for path, key in by_path.items() if path not in known]
            self._insert(conn, self._alike.originals_first(new))
            told = {asset.path: asset.id for asset in changed} | {path: row[1] for path, row in kept.items()}
            record_each(conn, "asset.changed", CHANGED, told, self._run_id)
        self._alike.take_out(keys)
        self.written += len(keys)
        return Counter(new=len(new) - len(kept), changed=len(changed) + len(kept))

    def _insert(self, conn: Connection, ordered: Sequence[int]) -> None:
        originals = self._alike.copied
        first_id = assets.last_id(conn) + 1
        self._original_ids.update((key, first_id + i) for i, key in enumerate(ordered) if key in originals)
        late = [key for key in ordered if key not in self._groups]
        self._groups.update(zip(late, self._group_ids(conn, late), strict=True))
        counts = assets.insert_new(conn, self._root.id, list(self._rows(ordered, first_id)))
        del counts[AssetStatus.DISCOVERED.value]
        compared.note(conn, counts)

    def _group_ids(self, conn: Connection, keys: Sequence[int]) -> list[int]:
        paths, stems = self._alike.paths, self._alike.stems
        places = [((paths[key] or b"").rpartition(b"/")[0], stems[key]) for key in keys]
        ids = groups.ensure(conn, self._root.id, places)
        return [ids[place] for place in places]

    def _rows(self, keys: Sequence[int], first_id: int) -> Iterator[NewAsset]:
        alike, ends = self._alike, 2 * HEAD_DIGEST_BYTES
        for asset_id, key in enumerate(keys, first_id):
            path, verdict, answer = alike.paths[key], alike.verdicts[key], alike.answers[key]
            assert path is not None
            original = self._original_ids.get(verdict, 0) if verdict >= 0 else 0
            # One whose original got no row of its own, as somebody else has written it, is left to dedup.
            status = "duplicate" if original else "unique" if verdict == UNIQUE else "discovered"
            head = digest = ""
            if answer is not None:
                said = answer.hex()
                head = said[:ends]
                # What is unlike all others needs no digest yet, and an index of digests costs more than all the rest.
                if original or key in alike.copied:
                    digest = said[-DIGEST_CHARACTERS:]
            device, inode, size, mtime, ctime = alike.facts(key)
            yield (
                asset_id, bytearray(path), bytearray(name_key(path)), status, device, inode, size, mtime, ctime,
                self._groups.pop(key), head, digest, original,
            )  # fmt: skip
