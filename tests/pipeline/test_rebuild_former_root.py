"""Rows are compared with the disk while some of them lie under a folder that the settings no longer name."""

from __future__ import annotations

from pathlib import Path

from app import jobs
from app.config.store import Snapshot
from app.db import assets
from app.files.roots import add_missing_roots
from app.model import Asset, AssetStatus, BatchStatus, RunStatus, Trigger
from app.services import Services, open_services
from tests.conftest import make_services
from tests.pipeline.running import go
from tests.pipeline.undoing import batch_up_to, make, undo


def every_row(services: Services) -> list[Asset]:
    with services.db.reading() as conn:
        return [a for status in AssetStatus for a in assets.list_by_status(conn, status)]


def test_a_file_under_a_former_folder_gets_no_second_row_however_often_rows_are_compared(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    make(services, {"a.jpg": b"photo one"})
    undo(services, batch_up_to(services, BatchStatus.SORTED).id)
    before = [(a.id, a.root_id, a.path, a.status) for a in every_row(services)]
    services.close()
    services = make_services(tmp_path, paths={"source_dir": str(tmp_path / "ingest2")})
    add_missing_roots(services.db, services.config)
    services.close()
    services = open_services(Snapshot(services.config, revision="test"))
    try:
        for _ in range(2):
            assert go(services, jobs.start_comparison(services, Trigger.CLI)).status is RunStatus.DONE
            jobs.confirm_rebuild(services)
            assert [(a.id, a.root_id, a.path, a.status) for a in every_row(services)] == before
    finally:
        services.close()
