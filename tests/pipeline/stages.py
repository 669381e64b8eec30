"""Running scan, dedup and inspect over a small library, and asking what its rows say."""

from __future__ import annotations

from typing import Any

from app.db import assets, journal, left_in_place
from app.model import Asset, AssetStatus, Report, RootKind, Stage
from app.pipeline import dedup, inspect, scan
from app.services import Services
from tests.pipeline.library import a_step


def run_scan(services: Services) -> Report:
    return scan.run(services, a_step(services, Stage.SCAN))


def run_dedup(services: Services) -> Report:
    return dedup.run(services, a_step(services, Stage.DEDUP))


def run_inspect(services: Services) -> Report:
    return inspect.run(services, a_step(services, Stage.INSPECT))


def take_stock(services: Services) -> None:
    """Scan, dedup and inspect, as a run does."""
    run_scan(services)
    run_dedup(services)
    run_inspect(services)


def rows(services: Services) -> dict[bytes, Asset]:
    """Every asset that is not gone, by its path."""
    with services.db.reading() as conn:
        found = [a for status in AssetStatus for a in assets.list_by_status(conn, status, limit=100_000)]
    return {a.path: a for a in found if a.status is not AssetStatus.GONE}


def states(services: Services) -> dict[bytes, str]:
    """Path to status of every asset that is not gone."""
    return {path: asset.status.value for path, asset in rows(services).items()}


def events(services: Services, kind: str) -> list[str]:
    """The messages of the journal's events of one kind, oldest first."""
    with services.db.reading() as conn:
        return [e.message for e in journal.list_events(conn, kind_prefix=kind, limit=1000)][::-1]


def left(services: Services) -> dict[bytes, str]:
    """Path to reason of everything left in place."""
    with services.db.reading() as conn:
        return {path: reason for _, _, path, reason in left_in_place.list_page(conn, limit=1000)}


def change(services: Services, asset: Asset, status: AssetStatus, **columns: Any) -> Asset:
    """Give an asset a status as a later stage would."""
    with services.db.transaction() as conn:
        assets.mark(conn, [asset], status, **columns)
        return assets.get(conn, asset.id)


def ingest(services: Services) -> bytes:
    """The ingest folder."""
    return services.root(RootKind.INGEST).path
