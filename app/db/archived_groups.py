"""Which groups are filed anew: those in the archive, or of these the ones that somebody names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from app.db.dated_groups import by_group
from app.db.rows import build, columns_for
from app.db.tables import assets, batches, date_decisions
from app.model import Asset, AssetStatus, BatchStatus

CONVERTERS = {"status": AssetStatus}


@dataclass(frozen=True)
class Scope:
    """What is filed anew: with neither of these all of the archive, else these files and those whose date a person
    decided at this instant or later, each with its group. `review` is the folder of files that wait for a review."""

    asset_ids: Sequence[int] = ()
    decided_since: str | None = None
    review: bytes = b"review"

    @property
    def is_narrow(self) -> bool:
        """Whether other files of the archive stay where they are."""
        return bool(self.asset_ids) or self.decided_since is not None


def list_archived_groups(conn: Connection, archive_id: int, scope: Scope) -> Iterator[list[Asset]]:
    """Group by group, the dated files in the archive and those that wait there for a review. What belongs to a batch
    that is being taken back is left to that."""
    c, b = assets.c, batches.c
    taken_back = select(b.id).where(
        or_(b.status == BatchStatus.UNDOING.value, b.error_from == BatchStatus.UNDOING.value)
    )
    here = and_(
        c.root_id == archive_id,
        c.taken_local.is_not(None),
        or_(c.status == AssetStatus.ARCHIVED.value, _is_reviewed(scope.review)),
        or_(c.batch_id.is_(None), c.batch_id.not_in(taken_back)),
    )
    return by_group(conn, and_(here, _is_meant(scope)) if scope.is_narrow else here)


def _is_reviewed(folder: bytes) -> ColumnElement[bool]:
    """In the review folder; "0" is the character after the slash."""
    c = assets.c
    return and_(c.status == AssetStatus.SET_ASIDE.value, c.path > folder + b"/", c.path < folder + b"0")


def _is_meant(scope: Scope) -> ColumnElement[bool]:
    c, d = assets.c, date_decisions.c
    named: list[ColumnElement[bool]] = [c.id.in_(list(scope.asset_ids))] if scope.asset_ids else []
    if scope.decided_since is not None:
        named.append(c.id.in_(select(d.asset_id).where(d.decided_at >= scope.decided_since)))
    groups = select(c.group_id).where(or_(*named), c.group_id.is_not(None)).correlate(None)
    return or_(*named, c.group_id.in_(groups))


def count_archived(conn: Connection, archive_id: int) -> int:
    """How many files lie in the archive."""
    c = assets.c
    query = select(func.count()).where(c.root_id == archive_id, c.status == AssetStatus.ARCHIVED.value)
    return int(conn.execute(query).scalar_one())


def list_by_id(conn: Connection, ids: Sequence[int]) -> dict[int, Asset]:
    """Those of these assets that there are, a few hundred at most."""
    query = select(*columns_for(assets, Asset)).where(assets.c.id.in_(list(ids)))
    return {row[0]: build(Asset, row, CONVERTERS) for row in conn.execute(query)}


def mend_reasons(conn: Connection, archive_id: int, review: bytes, reason: str) -> None:
    """What waits for a review says so, and what is archived does not: moves that recovery finished tell neither."""
    conn.exec_driver_sql(
        "UPDATE assets SET reason = ? WHERE root_id = ? AND path > ? AND path < ? AND status = 'set_aside' "
        "AND reason IS NULL",
        (reason, archive_id, review + b"/", review + b"0"),
    )
    conn.exec_driver_sql(
        "UPDATE assets SET reason = NULL WHERE root_id = ? AND status = 'archived' AND reason = ?", (archive_id, reason)
    )
