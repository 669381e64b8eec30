"""Groups whose files come in several runs, are duplicates in part, or are taken back: never parted, always told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.services import Services
from tests.conftest import make_jpeg, make_services, write_tree
from tests.pipeline.live_photo import film, still
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows
from tests.pipeline.test_preview_equals_reality import check_library

PHOTO = make_jpeg(taken="2024:05:06 10:00:00", seed=1)
NEW_YEAR = 1577880000  # 2020-01-01


def put(services: Services, tree: Mapping[str, bytes]) -> None:
    """Files in the ingest folder, last changed at New Year 2020."""
    ingest = services.config.paths.source_dir
    write_tree(ingest, tree)
    for path in tree:
        os.utime(os.path.join(ingest, path), (NEW_YEAR, NEW_YEAR))


def waiting(services: Services) -> list[bytes | None]:
    return [a.origin_path for a in rows(services).values() if a.status.value in ("unique", "discovered")]


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_group_that_is_joined_to_a_duplicate_half_does_not_wait(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode})
    put(services, {"a/IMG_3.HEIC": still("ID1")})
    workflow(services)
    put(services, {"b/IMG_3.HEIC": still("ID1"), "b/IMG_3.MP4": b"new film"})
    workflow(services)
    put(services, {"b/IMG_9.MOV": film("ID1"), "b/IMG_9.xmp": b"<x/>"})
    workflow(services)
    workflow(services)
    assert waiting(services) == []


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_preview_dates_a_half_that_it_thinks_of_in_the_duplicates_folder(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode}, dedup={"duplicate_policy": "quarantine"})
    put(services, {"old/IMG_A.HEIC": still("ID1")})
    workflow(services)
    put(services, {"new/IMG_B.HEIC": still("ID1"), "new/IMG_C.MOV": film("ID1")})
    check_library(services, (tmp_path, tmp_path))
