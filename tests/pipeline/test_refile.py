"""Filing the archive anew: each group goes to where it belongs by today's settings, dates and decisions."""

from __future__ import annotations

from collections.abc import Callable

from app.services import Services
from tests.conftest import make_jpeg
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.refiling import archive, plan, refile, report_of, take_back, tree

Opener = Callable[..., Services]

LIBRARY = {
    "a/IMG_1.jpg": make_jpeg("2024:05:06 10:00:00", seed=1),
    "a/IMG_1.MOV": b"film of one",
    "a/IMG_1.jpg.xmp": b"<x/>",
    "b/IMG_1.jpg": make_jpeg("2024:05:07 10:00:00", seed=2),
    "c/IMG_2.jpg": make_jpeg("2023:01:02 10:00:00", seed=3),
}


def test_a_changed_template_moves_groups_and_suffixes_them_alike(open_test_services: Opener) -> None:
    before = archive(open_test_services(), LIBRARY)
    assert "2024/05/06/IMG_1.jpg" in before
    services = open_test_services(sorter={"folder_pattern": "{year}"})
    planned = plan(services)
    assert tree(services) == before
    assert report_of(services, planned)["files"] == 5
    run = refile(services)
    after = tree(services)
    assert [*after] == ["2023/IMG_2.jpg", "2024/IMG_1.MOV", "2024/IMG_1.jpg", "2024/IMG_1.jpg.xmp", "2024/IMG_1_1.jpg"]
    assert sorted(after.values()) == sorted(before.values())
    assert_rows_agree(services)
    assert report_of(services, refile(services))["moved"] == 0
    take_back(services, run)
    assert tree(services) == before
    assert_rows_agree(services)
