"""A finding as it is at this moment, and what every word about one has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.db import assets, batches, findings, journal, kept_copies
from app.db.connection import Connection
from app.errors import Conflict, FileError, printable
from app.files.nested_disks import mount_point_without_disk
from app.files.roots import check_roots
from app.files.walk import signature_at
from app.jobs.actor import works_for
from app.model import OPEN_BATCH, Asset, AssetStatus, Finding, FindingKind, Place, Root, Signature
from app.services import Services

CHANGED_AGAIN = "It is not as the verification has seen it any more; verify again, then decide."


@dataclass(frozen=True)
class Accepted:
    """What was done about a finding, in a sentence, and the asset that it is about now."""

    finding_id: int
    kind: FindingKind
    done: str
    asset_id: int | None

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "finding_id": self.finding_id, "kind": self.kind.value, "done": self.done, "asset_id": self.asset_id
        }  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A finding, its folders, and what lies at its places at this moment."""

    finding: Finding
    known: Mapping[int, Root]
    here: Signature | None
    there: Signature | None

    def place(self, root_id: int, path: bytes) -> str:
        """A whole path, for people."""
        return printable(Place(self.known[root_id], path).absolute)

    @property
    def words(self) -> str:
        """The place that the finding is about, for people."""
        return self.place(self.finding.root_id, self.finding.path)


def look_again(services: Services, finding: Finding, known: Mapping[int, Root]) -> Look:
    """Look at the places of a finding. Raises RootUnavailable, and FileError when the system cannot tell."""
    places = [Place(known[finding.root_id], finding.path)]
    if finding.new_root_id is not None and finding.new_path is not None:
        places.append(Place(known[finding.new_root_id], finding.new_path))
    check_roots(services.db, [place.root for place in places])
    seen = [_signature(place) for place in places]
    return Look(finding, known, seen[0], seen[1] if len(seen) > 1 else None)


def _signature(place: Place) -> Signature | None:
    try:
        return signature_at(place.root, place.path)
    except OSError as error:
        raise FileError("look at", place.absolute, error.strerror or str(error)) from error


def asset_here(conn: Connection, look: Look) -> Asset | None:
    """The asset whose own file should be here; None when it is a copy. Raises Conflict when it is neither."""
    finding = look.finding
    asset = assets.find_at(conn, finding.root_id, finding.path)
    if asset is not None and asset.id == finding.asset_id:
        return asset
    if kept_copies.list_at(conn, finding.root_id, [finding.path]):
        return None
    raise Conflict(CHANGED_AGAIN)


def refuse_disk_away(look: Look, asset: Asset) -> None:
    """A file on a disk that is not mounted is not gone. Raises Conflict, and FileError when the system cannot tell."""
    place = Place(look.known[asset.root_id], asset.path)
    try:
        mount_point = mount_point_without_disk(place, asset.device)
    except OSError as error:
        raise FileError("look at", place.absolute, error.strerror or str(error)) from error
    if mount_point is not None:
        where = printable(mount_point)
        raise Conflict(
            f"{look.words} may be on a disk that is not mounted: {where} is empty and on another disk "
            "than it was. Mount it and verify again; if the file is gone all the same, remove that empty folder first."
        )


def refuse_in_batch(conn: Connection, asset: Asset) -> None:
    """The manifest of a batch on its way names what its files hold; that cannot be changed any more."""
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    if batch is not None and batch.status in OPEN_BATCH and asset.status is not AssetStatus.ARCHIVED:
        raise Conflict(
            f"It is in batch {batch.name} (id {batch.id}), which is {batch.status}. Put the file back as it was, or "
            "let the batch end or be undone first."
        )


def end(
    conn: Connection, look: Look, done: str, asset_id: int | None, detail: Mapping[str, Any] | None = None
) -> Accepted:
    """The finding is settled: drop it, and tell the journal."""
    findings.drop(conn, [look.finding.id])
    record(conn, "finding.accepted", look.finding, done, asset_id=asset_id, place=look.words, more=detail)
    return Accepted(look.finding.id, look.finding.kind, done, asset_id)


def record(
    conn: Connection,
    event: str,
    finding: Finding,
    done: str,
    *,
    place: str,
    asset_id: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Tell the journal what was done about a finding, and who did it."""
    detail = {"finding_id": finding.id, "kind": finding.kind.value, "path": place, "actor": works_for(), **(more or {})}
    level = "warning" if event == "finding.accepted" else "info"
    journal.record(conn, event, done, level=level, asset_id=asset_id, detail=detail)
