"""A disk mounted below a root that is away: its files are not there, and nobody takes them for gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app import jobs
from app.errors import Conflict
from app.model import Asset, AssetStatus, RunStatus, Trigger
from app.services import Services
from tests.pipeline.library import get_asset
from tests.pipeline.running import go
from tests.pipeline.verifying import archive_of, path_of, root, the_finding, verify


def without_its_disk(services: Services, asset: Asset) -> Path:
    """As the rows and folders are when the year's folder was a disk of its own: its device is in the row, and of
    the disk only the empty folder is left on which it was mounted."""
    year = Path(os.fsdecode(root(services).path), os.fsdecode(asset.path.split(b"/")[0]))
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET device = device + 1000 WHERE id = ?", (asset.id,))
    shutil.rmtree(year)
    year.mkdir()
    return year


def test_a_file_on_a_disk_that_is_not_mounted_cannot_be_accepted_as_gone(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    year = without_its_disk(services, asset)
    verify(services)
    finding = the_finding(services)
    assert f"{year} is empty" in finding.reason and "its disk is not mounted" in finding.reason
    with pytest.raises(Conflict, match="Mount it and verify again"):
        jobs.accept_finding(services, finding.id)
    assert get_asset(services, asset.id).status is AssetStatus.ARCHIVED
    year.rmdir()
    jobs.accept_finding(services, finding.id)
    assert get_asset(services, asset.id).status is AssetStatus.GONE


def test_a_file_missing_among_others_is_accepted_whatever_number_its_disk_has_now(services: Services) -> None:
    asset, _ = archive_of(services, 2)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET device = device + 1000")
    os.unlink(path_of(services, asset))
    Path(os.fsdecode(path_of(services, asset))).with_name("other.jpg").write_bytes(b"another file in this folder")
    verify(services)
    with services.db.reading() as conn:
        (finding_id,) = conn.exec_driver_sql("SELECT id FROM findings WHERE kind = 'missing'").scalars()
    jobs.accept_finding(services, finding_id)
    assert get_asset(services, asset.id).status is AssetStatus.GONE


def test_a_comparison_stops_before_a_disk_that_is_not_mounted(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    year = without_its_disk(services, asset)
    run = go(services, jobs.start_comparison(services, Trigger.CLI))
    assert (run.status, str(year) in (run.error or "")) == (RunStatus.FAILED, True)
    assert "mount its disk" in (run.error or "")
    assert get_asset(services, asset.id).status is AssetStatus.ARCHIVED
