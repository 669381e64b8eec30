"""Turning decisions into rows, a few hundred contents in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.db import groups, kept_copies, rebuild_entries, rebuild_files, rebuild_rows
from app.db.clock import now
from app.db.connection import Connection
from app.db.names import name_key
from app.db.rebuild_entries import Entry
from app.db.rebuild_files import Sighting
from app.db.rebuild_rows import AssetRow, TrashRow
from app.files.belonging import group_key
from app.files.walk import is_media
from app.model import Asset, AssetStatus, Root
from app.pipeline.rebuild.areas import Area
from app.pipeline.rebuild.claims import Claim
from app.pipeline.rebuild.contents import WORDS, Decision, Finding, Placed, standing
from app.pipeline.rebuild.parted import Numbered

#: The purpose under which the journal knows sources that a rebuild found in the trash.
PURPOSE = "rebuild"
LOST = "It is in the manifest of its batch, and was found nowhere."


@dataclass
class Writer:
    """Writes decisions. `taken_ids` may not be given to anybody else, `next_id` is free."""

    ingest: Root
    next_id: int
    heads: Mapping[int, str]
    #: By key, the group of manifests that has it; other groups came with the same names before (reused_names.py).
    newest: Mapping[tuple[bytes, bytes], int] = field(default_factory=dict)
    #: Groups that were parted by their days, and the day in their keys.
    days: Mapping[Numbered, str] = field(default_factory=dict)
    #: By batch and group, the folder and key of the photo of sidecars that came later.
    homes: Mapping[tuple[int, int], tuple[bytes, bytes]] = field(default_factory=dict)
    group_keys: dict[tuple[int, int], tuple[bytes, bytes]] = field(default_factory=dict)

    def write(self, conn: Connection, decisions: Sequence[Decision]) -> None:
        """Write all of this in the caller's transaction."""
        known = self._known(conn, decisions)
        ids = self._ids(decisions, known)
        group_ids = self._groups(conn, decisions)
        rows = [
            self._row(placed, ids, group_ids, _original(decision, placed, ids))
            for decision in decisions
            for placed in sorted(decision.placed, key=lambda p: p.leans)
        ]
        lost = [(claim, self._lost_row(claim, ids, group_ids)) for d in decisions for claim in d.lost]
        new = [row for claim, row in lost if row is not None and not _is_of(claim.entry, known)]
        rebuild_rows.write(conn, [*rows, *new])
        self._write_copies(conn, decisions, ids)
        rebuild_files.write_findings(conn, _findings(decisions, ids))
        entries = [(c.entry.id, ids[id(c)], LOST) for c, row in lost if c.entry is not None]
        rebuild_entries.write_lost(conn, entries)

    # --- ids

    def _known(self, conn: Connection, decisions: Sequence[Decision]) -> dict[int, Asset]:
        """The assets, wherever they are, with the ids that manifests give to claims without a row."""
        claims = [p.claim for d in decisions for p in d.placed if p.claim] + [c for d in decisions for c in d.lost]
        wanted = [c.entry.asset_id for c in claims if c.row is None and c.entry is not None]
        return rebuild_rows.list_by_id(conn, wanted)

    def _ids(self, decisions: Sequence[Decision], known: Mapping[int, Asset]) -> dict[int, int]:
        """The asset id of every placed file and of every lost claim, by the object's identity."""
        taken = set(known)
        ids: dict[int, int] = {}
        for decision in decisions:
            for placed in decision.placed:
                ids[id(placed)] = self._id(placed.claim, taken)
            for claim in decision.lost:
                entry = claim.entry
                is_known = claim.row is None and entry is not None and _is_of(entry, known)
                ids[id(claim)] = entry.asset_id if is_known and entry is not None else self._id(claim, taken)
        return ids

    def _id(self, claim: Claim | None, taken: set[int]) -> int:
        if claim is not None and claim.row is not None:
            return claim.row.id
        if claim is not None and claim.entry is not None and claim.entry.asset_id not in taken:
            taken.add(claim.entry.asset_id)
            return claim.entry.asset_id
        self.next_id += 1
        return self.next_id - 1

    # --- groups

    def _groups(self, conn: Connection, decisions: Sequence[Decision]) -> dict[tuple[bytes, bytes], int]:
        keys = [self._key(p.claim, p.sighting) for d in decisions for p in d.placed]
        keys += [self._key(claim, None) for d in decisions for claim in d.lost]
        return groups.ensure(conn, self.ingest.id, [key for key in keys if key is not None])

    def _key(self, claim: Claim | None, file: Sighting | None) -> tuple[bytes, bytes] | None:
        """The group by where the file came from; all files of one group of a manifest have the key of its first."""
        if claim is not None and claim.row is not None and claim.row.group_id is not None:
            return None
        if claim is not None and claim.entry is not None:
            key = _split(claim.entry.origin)
            if claim.entry.group_key is None:
                return key
            key = self.homes.get((claim.entry.batch_id, claim.entry.group_key), key)
            newest = self.newest.get(key)
            if newest is not None:
                key = key if newest == claim.entry.group_key else (key[0], b"%b\0%d" % (key[1], claim.entry.group_key))
            elif (day := self.days.get((*key, claim.entry.group_key))) is not None:
                key = key[0], b"%b\0%b" % (key[1], day.encode())
            return self.group_keys.setdefault((claim.entry.batch_id, claim.entry.group_key), key)
        if file is not None and file.area in (Area.INGEST, Area.DUPLICATES):
            folder, _, name = file.path.rpartition(b"/")
            return folder, group_key(file.group_name or name)
        return None

    # --- rows

    def _row(
        self,
        placed: Placed,
        ids: Mapping[int, int],
        group_ids: Mapping[tuple[bytes, bytes], int],
        original_id: int | None,
    ) -> AssetRow:
        file, claim, row = placed.sighting, placed.claim, placed.claim.row if placed.claim else None
        key = self._key(claim, file)
        origin_root_id, origin_path = self._origin(claim, file)
        taken = _taken(claim) if placed.status is not AssetStatus.DISCOVERED else (None, None, None)
        return AssetRow(
            id=ids[id(placed)],
            root_id=file.root_id,
            path=file.path,
            name=name_key(origin_path or file.path),
            status=placed.status.value,
            size_bytes=file.size_bytes,
            mtime_ns=file.mtime_ns,
            ctime_ns=file.ctime_ns,
            device=file.device,
            inode=file.inode,
            digest=file.digest,
            digest_algorithm=file.digest_algorithm,
            sha256=file.sha256,
            original_id=row.original_id if placed.is_as_before and row is not None else original_id,
            group_id=row.group_id if row is not None and row.group_id is not None else group_ids[key] if key else None,
            batch_id=placed.batch_id,
            taken_at=taken[0],
            taken_local=taken[1],
            taken_from=taken[2],
            content_identifier=row.content_identifier if row is not None else None,
            inspected_at=_inspected(placed, row, taken),
            origin_root_id=origin_root_id,
            origin_path=origin_path,
            attempts=row.attempts if placed.is_as_before and row is not None else 0,
            reason=placed.reason,
            first_seen_at=self._first_seen(claim),
            updated_at=now(),
        )

    def _origin(self, claim: Claim | None, file: Sighting | None) -> tuple[int | None, bytes | None]:
        if claim is not None and claim.row is not None and claim.row.origin_path is not None:
            return claim.row.origin_root_id, claim.row.origin_path
        if claim is not None and claim.entry is not None:
            return self.ingest.id, claim.entry.origin
        if file is not None and file.area == Area.INGEST:
            return file.root_id, file.path
        return None, None

    def _first_seen(self, claim: Claim | None) -> str:
        if claim is not None and claim.row is not None:
            return claim.row.first_seen_at
        return self.heads.get(claim.entry.batch_id, now()) if claim is not None and claim.entry is not None else now()

    def _lost_row(
        self, claim: Claim, ids: Mapping[int, int], group_ids: Mapping[tuple[bytes, bytes], int]
    ) -> AssetRow | None:
        """A line of a manifest without a file: the asset is known, and gone. A row from before is given up later."""
        entry = claim.entry
        if claim.row is not None or entry is None:
            return None
        key = self._key(claim, None)
        return AssetRow(
            id=ids[id(claim)], root_id=self.ingest.id, path=entry.origin, name=name_key(entry.origin),
            status=AssetStatus.GONE.value, size_bytes=entry.size_bytes, mtime_ns=0, ctime_ns=0, device=0, inode=0,
            digest=entry.digest, digest_algorithm=entry.digest_algorithm, sha256=entry.sha256, original_id=None,
            group_id=group_ids[key] if key else None, batch_id=entry.batch_id, taken_at=entry.taken_at,
            taken_local=entry.taken_local, taken_from=entry.taken_from, content_identifier=None, inspected_at=now(),
            origin_root_id=self.ingest.id, origin_path=entry.origin, attempts=0, reason=rebuild_rows.NOT_FOUND,
            first_seen_at=self._first_seen(claim), updated_at=now(),
        )  # fmt: skip

    # --- what belongs to rows

    def _write_copies(self, conn: Connection, decisions: Sequence[Decision], ids: Mapping[int, int]) -> None:
        kept = [(file, ids[id(d.placed[owner])]) for d in decisions for file, owner in d.kept]
        kept_copies.add(conn, [(asset_id, file.root_id, file.path, file.signature) for file, asset_id in kept])
        trashed = [_trash_row(file, ids[id(d.placed[owner])]) for d in decisions for file, owner in d.trashed]
        rebuild_rows.note_trash(conn, trashed, PURPOSE)
        _forget_copies_at(conn, [p.sighting for d in decisions for p in d.placed])


def _is_of(entry: Entry | None, known: Mapping[int, Asset]) -> bool:
    """Whether a line of a manifest is of the asset that has its id already, be it gone or under a former folder."""
    asset = known.get(entry.asset_id) if entry is not None else None
    if asset is None or entry is None:
        return False
    is_same_file = (asset.batch_id, asset.origin_path) == (entry.batch_id, entry.origin)
    return asset.sha256 == entry.sha256 or is_same_file


def _forget_copies_at(conn: Connection, placed: Iterable[Sighting]) -> None:
    """What is the place of an asset is no copy of another one."""
    by_root: dict[int, list[bytes]] = defaultdict(list)
    for file in placed:
        by_root[file.root_id].append(file.path)
    for root_id, paths in by_root.items():
        stale = kept_copies.list_at(conn, root_id, paths)
        kept_copies.remove(conn, [row_id for row_id, _, _ in stale.values()])


def newest_groups(conn: Connection) -> dict[tuple[bytes, bytes], int]:
    """For each key whose names have come more than once with other photos, the group of the newest manifest."""
    reused = ((_split(origin), group) for origin, _, group in rebuild_entries.list_reused_origins(conn)
              if is_media(origin))
    return dict(reused)


def _split(origin: bytes) -> tuple[bytes, bytes]:
    folder, _, name = origin.rpartition(b"/")
    return folder, group_key(name)


def _original(decision: Decision, placed: Placed, ids: Mapping[int, int]) -> int | None:
    if not placed.leans:
        return None
    original = standing(decision.placed)
    return ids[id(original)] if original is not None else None


def _taken(claim: Claim | None) -> tuple[str | None, str | None, str | None]:
    if claim is None:
        return None, None, None
    if claim.row is not None and claim.row.taken_local is not None:
        return claim.row.taken_at, claim.row.taken_local, claim.row.taken_from
    if claim.entry is not None:
        return claim.entry.taken_at, claim.entry.taken_local, claim.entry.taken_from
    return None, None, None


def _inspected(placed: Placed, row: Asset | None, taken: tuple[str | None, str | None, str | None]) -> str | None:
    """Since when it has its date; what waits to be inspected anew, as its group has become another one, still does."""
    if taken[1] is None:
        return None
    if row is not None and row.inspected_at is None and placed.is_as_before and placed.status is AssetStatus.UNIQUE:
        return None
    return row.inspected_at if row is not None and row.inspected_at is not None else now()


def _trash_row(file: Sighting, asset_id: int) -> TrashRow:
    return TrashRow(
        asset_id,
        file.root_id,
        file.path,
        file.digest or "",
        file.digest_algorithm or "",
        file.size_bytes,
        file.inode,
        file.mtime_ns,
        file.device,
    )


def _findings(
    decisions: Sequence[Decision], ids: Mapping[int, int]
) -> list[tuple[int, int | None, str | None, str | None]]:
    found: list[tuple[int, int | None, str | None, str | None]] = []
    for decision in decisions:
        for placed in decision.placed:
            words = WORDS.get(placed.finding) if placed.finding is not None else None
            found.append((placed.sighting.id, ids[id(placed)], placed.finding, words))
        for files, finding in ((decision.kept, Finding.KEPT_COPY), (decision.trashed, Finding.TRASH)):
            for file, owner in files:
                asset_id = ids[id(decision.placed[owner])]
                found.append((file.id, None, finding, f"{WORDS[finding]} See file {asset_id}."))
        found += [(file.id, None, finding, words) for file, finding, words in decision.loose]
    return found

