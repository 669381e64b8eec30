"""Files that were filed anew are found again by their content when the database is lost."""

from __future__ import annotations

from collections.abc import Callable

from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.model import AssetStatus
from app.services import Services
from tests.conftest import make_jpeg
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.refiling import archive, refile, tree
from tests.pipeline.stages import rows

Opener = Callable[..., Services]

LIBRARY = {
    "a/IMG_1.jpg": make_jpeg("2024:05:06 10:00:00", seed=1),
    "a/IMG_1.MOV": b"film of one",
    "b/IMG_1.jpg": make_jpeg("2024:05:07 10:00:00", seed=2),
    "scan_a.jpg": make_jpeg(seed=3),
    "scan_b.jpg": make_jpeg(seed=4),
}


def test_a_rebuild_finds_every_file_where_it_was_filed_anew(open_test_services: Opener) -> None:
    archive(open_test_services(sorter={"weak_dates": "review"}), LIBRARY)
    services = open_test_services(sorter={"folder_pattern": "{year}", "weak_dates": "review"})
    wish = DateWish("set", "1985-06-01", [rows(services)[b"review/scan_a.jpg"].id])
    decide_dates(services, wish, "anna")
    refile(services)
    filed = tree(services)
    before = {path: (asset.id, asset.status, asset.sha256) for path, asset in rows(services).items()}
    assert [*filed] == ["1985/scan_a.jpg", "2024/IMG_1.MOV", "2024/IMG_1.jpg", "2024/IMG_1_1.jpg", "review/scan_b.jpg"]
    config = services.config
    services.close()
    lose_database(config)
    rebuilt, _ = rebuild(config)
    after = {path: (asset.id, asset.status, asset.sha256) for path, asset in rows(rebuilt).items()}
    assert (after, tree(rebuilt)) == (before, filed)
    assert after[b"review/scan_b.jpg"][1] is AssetStatus.SET_ASIDE
    assert_rows_agree(rebuilt)
    rebuilt.close()
