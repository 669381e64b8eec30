"""What the rows know of one asset, gathered for its story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from app.db import assets, batches, date_sidecars, journal, kept_copies, lists, reference_files, roots
from app.db.tables import assets as assets_table
from app.db.tables import deliveries as deliveries_table
from app.db.tables import findings
from app.errors import printable
from app.model import Asset, AssetStatus, Batch, FindingKind, Place, Root
from app.overview.batches import device_name, with_device_names
from app.overview.capture import CaptureStory, capture_story
from app.overview.delivery_devices import FOLDER
from app.overview.retrying import why_not
from app.overview.summaries import move_summary

#: What a person may have tried again.
RETRIED = (AssetStatus.FAILED, AssetStatus.SET_ASIDE)
#: So many files of a group are named.
MATES = 10
#: So many decisions about its date are told, the newest.
DECISIONS = 20
#: So many moves are told.
MOVES = 200


@dataclass(frozen=True)
class Facts:
    """An asset with everything that belongs to its story."""

    asset: Asset
    root: Root
    came_from: str | None
    original: Asset | None
    original_place: str | None
    #: Where the original lies in a reference folder, if it lies in one.
    reference_place: str | None
    original_sent: bool
    original_finding: str | None
    duplicates: int
    mates: tuple[str, ...]
    capture: CaptureStory | None
    decisions: tuple[tuple[str, str], ...]
    batch: Batch | None
    confirmed: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]
    moves: tuple[dict[str, Any], ...]
    verified_at: str | None
    finding: str | None
    retry_refused: str | None
    is_own_sidecar: bool = False

    @property
    def place(self) -> str:
        """Where the file is, for people."""
        return printable(Place(self.root, self.asset.path).absolute)


def gather(conn: Connection, asset: Asset) -> Facts:
    """Everything that the rows know of an asset."""
    known = {root.id: root for root in roots.list_all(conn)}
    original = assets.find(conn, asset.original_id) if asset.original_id is not None else None
    return Facts(
        asset=asset,
        root=known[asset.root_id],
        came_from=_came_from(asset, known),
        original=original,
        original_place=printable(Place(known[original.root_id], original.path).absolute) if original else None,
        reference_place=_reference_place(conn, asset, known),
        original_sent=original is not None and bool(_confirmed(conn, original.id)),
        original_finding=_finding_at_its_place(conn, original) if original else None,
        duplicates=_count_duplicates(conn, asset.id),
        mates=_mates(conn, asset),
        capture=capture_story(conn, asset),
        decisions=_decisions(conn, asset.id),
        batch=batches.find(conn, asset.batch_id) if asset.batch_id is not None else None,
        confirmed=_confirmed(conn, asset.id),
        kept=tuple(_absolute(known, root_id, path) for root_id, path, _ in kept_copies.list_of(conn, asset.id)),
        moves=tuple(move_summary(row, known) for row in lists.page_of_moves(conn, asset_id=asset.id, limit=MOVES)[0]),
        verified_at=conn.execute(select(assets_table.c.verified_at).where(assets_table.c.id == asset.id)).scalar(),
        finding=conn.execute(select(findings.c.reason).where(findings.c.asset_id == asset.id)).scalar(),
        retry_refused=why_not(conn, asset, known) if asset.status in RETRIED else None,
        is_own_sidecar=bool(date_sidecars.list_ours(conn, [asset.id])),
    )


def _reference_place(conn: Connection, asset: Asset, known: dict[int, Root]) -> str | None:
    found = reference_files.originals_of(conn, [asset.id]).get(asset.id)
    return _absolute(known, found.root_id, found.path) if found is not None else None


def _decisions(conn: Connection, asset_id: int) -> tuple[tuple[str, str], ...]:
    """(instant, sentence) of what people decided about its date or took back, oldest first."""
    told = journal.list_events(conn, kind_prefix="asset.date_", asset_id=asset_id, limit=DECISIONS)
    return tuple((event.at, event.message) for event in reversed(told))


def _finding_at_its_place(conn: Connection, asset: Asset) -> str | None:
    """What is wrong where the asset should be, as far as a verification has found it and nobody has settled it."""
    c = findings.c
    query = select(c.reason).where(c.root_id == asset.root_id, c.path == asset.path)
    return conn.execute(query.where(c.kind != FindingKind.IGNORED.value)).scalar()


def _absolute(known: dict[int, Root], root_id: int, path: bytes) -> str:
    return printable(Place(known[root_id], path).absolute)


def _came_from(asset: Asset, known: dict[int, Root]) -> str | None:
    """Where it was first seen, unless it is still there."""
    if asset.origin_root_id is None or asset.origin_path is None:
        return None
    if (asset.origin_root_id, asset.origin_path) == (asset.root_id, asset.path):
        return None
    return _absolute(known, asset.origin_root_id, asset.origin_path)


def _count_duplicates(conn: Connection, asset_id: int) -> int:
    a = assets_table.c
    query = select(func.count()).where(a.original_id == asset_id, a.status == AssetStatus.DUPLICATE.value)
    return int(conn.execute(query).scalar_one())


def _mates(conn: Connection, asset: Asset) -> tuple[str, ...]:
    """The names of the files that belong together with this one."""
    if asset.group_id is None:
        return ()
    a = assets_table.c
    query = select(a.path).where(a.group_id == asset.group_id, a.id != asset.id, a.status != AssetStatus.GONE.value)
    return tuple(printable(path) for path in conn.execute(query.order_by(a.id).limit(MATES)).scalars())


def _confirmed(conn: Connection, asset_id: int) -> tuple[tuple[str, str], ...]:
    """(device, instant) of every proven delivery."""
    d = deliveries_table.c
    # A delivery to a folder is told by its ID, which a peer may also bear as its name.
    name = case((device_name() == FOLDER, d.device_id), else_=device_name())
    query = select(name, d.confirmed_at).select_from(with_device_names()).where(d.asset_id == asset_id)
    return tuple((row[0], row[1]) for row in conn.execute(query.order_by(d.confirmed_at)))
