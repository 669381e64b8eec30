"""Sidecars with decided dates that this program wrote, known again by what they hold: nobody else writes just that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.db import assets, date_sidecars, rebuild_files
from app.db.connection import Connection
from app.files.capture_time.choose import SIBLING
from app.model import Asset, AssetStatus
from app.pipeline.sidecars.wanted import wanted_beside


def adopt(conn: Connection, members: Sequence[Asset], taken_local: str, taken_at: str) -> None:
    """Those that lie beside these files and tell this date belong to their group, and are ours to take away."""
    archived = [asset for asset in members if asset.status is AssetStatus.ARCHIVED]
    dated = [replace(asset, taken_local=taken_local, taken_at=taken_at) for asset in archived]
    wanted = {(a.root_id, one.path): (a, one) for a in dated if (one := wanted_beside(a)) is not None}
    for root_id in {root_id for root_id, _ in wanted}:
        lying = assets.list_at(conn, root_id, [path for other, path in wanted if other == root_id])
        for path, sidecar in lying.items():
            subject, one = wanted[root_id, path]
            if sidecar.sha256 == one.sha256 and sidecar.status is AssetStatus.ARCHIVED:
                _adopt(conn, subject, sidecar)


def _adopt(conn: Connection, subject: Asset, sidecar: Asset) -> None:
    date_sidecars.adopt(conn, subject.id, sidecar.id, sidecar.sha256 or "")
    columns = {
        "group_id": subject.group_id, "taken_local": subject.taken_local, "taken_at": subject.taken_at,
        "taken_from": SIBLING, "inspected_at": subject.inspected_at,
    }  # fmt: skip
    assets.set_columns(conn, [(sidecar.id, columns)])
    rebuild_files.forget_finding(conn, sidecar.root_id, sidecar.path)
