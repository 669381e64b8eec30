"""Services: what they hold and when they are rebuilt."""

from __future__ import annotations

from app.model import RootKind
from app.services import Services


def test_fresh_services_have_every_root_that_work_needs(services: Services) -> None:
    kinds = {RootKind.INGEST, RootKind.BATCH, RootKind.STAGING, RootKind.ARCHIVE, RootKind.DUPLICATES}
    assert set(services.roots) == kinds
    assert services.root(RootKind.STAGING).path.endswith(b"/.mp-staging")
