"""What is to lie beside each file: an XMP file with the date that was decided, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.db import assets, date_decisions
from app.db.connection import Connection
from app.db.date_sidecars import DateSidecar
from app.db.dated_groups import list_others
from app.files.capture_time.sidecar_writer import name_beside, packet
from app.files.walk import is_media
from app.model import Asset, AssetStatus

TOO_LONG = "its name is too long for a sidecar's name"


@dataclass(frozen=True)
class Wanted:
    """A sidecar: its path in the archive and its bytes."""

    path: bytes
    data: bytes

    @property
    def sha256(self) -> str:
        """The checksum of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Look:
    """A file, what we wrote beside it and lies in the archive as far as the rows know, what is to lie there, and why
    nothing can. `gone`: what we wrote has left the archive, and the row does not know it yet."""

    row: DateSidecar
    subject: Asset
    lying: Asset | None
    wanted: Wanted | None
    is_decided: bool
    obstacle: str = ""
    gone: Asset | None = None

    @property
    def is_right(self) -> bool:
        """Whether nothing has to be done."""
        if self.lying is None or self.wanted is None:
            return self.lying is None and self.wanted is None
        return (self.lying.path, self.row.sha256) == (self.wanted.path, self.wanted.sha256)


def look_at(conn: Connection, rows: Sequence[DateSidecar]) -> list[Look]:
    """What the rows say of these."""
    subjects = {row.asset_id: assets.get(conn, row.asset_id) for row in rows}
    decided = _decided(conn, list(subjects.values()))
    return [_look(conn, row, subjects[row.asset_id], decided) for row in rows]


def wanted_beside(subject: Asset) -> Wanted | None:
    """The sidecar of a file with its present date; None when it has none, or its name is too long."""
    folder, slash, name = subject.path.rpartition(b"/")
    called = name_beside(name)
    if called is None or subject.taken_local is None or not is_media(subject.path):
        return None
    return Wanted(folder + slash + called, packet(subject.taken_local, subject.taken_at))


def _look(conn: Connection, row: DateSidecar, subject: Asset, decided: Mapping[int, bool]) -> Look:
    known = assets.find(conn, row.sidecar_id) if row.sidecar_id is not None else None
    lying = known if known is not None and known.status is AssetStatus.ARCHIVED else None
    gone = known if known is not None and known.status is AssetStatus.GONE else None
    if subject.status is not AssetStatus.ARCHIVED or not decided[subject.id]:
        return Look(row, subject, lying, None, decided[subject.id], gone=gone)
    wanted = wanted_beside(subject)
    return Look(row, subject, lying, wanted, True, "" if wanted is not None else TOO_LONG, gone)


def _decided(conn: Connection, subjects: Sequence[Asset]) -> dict[int, bool]:
    """Of each of these, whether a decision stands about it or what it belongs to."""
    others = list_others(conn, subjects)
    group_ids = {asset.group_id for asset in subjects if asset.group_id is not None}
    members = [*subjects, *(asset for group_id in group_ids for asset in others.get(group_id, ()))]
    known = date_decisions.list_of(conn, [asset.id for asset in members])
    groups = {asset.group_id for asset in members if asset.id in known and asset.group_id is not None}
    return {asset.id: asset.id in known or asset.group_id in groups for asset in subjects}
