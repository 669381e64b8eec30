"""Groups whose files come in several runs, are duplicates in part, or are taken back: never parted, always told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.model import Stage
from app.pipeline import batch
from app.services import Services
from tests.conftest import make_jpeg, make_services, write_tree
from tests.pipeline.library import a_step
from tests.pipeline.live_photo import film, still
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows, states, take_stock
from tests.pipeline.test_preview_equals_reality import check_library
from tests.pipeline.undoing import end_runs

PHOTO = make_jpeg(taken="2024:05:06 10:00:00", seed=1)
NEW_YEAR = 1577880000  # 2020-01-01


def put(services: Services, tree: Mapping[str | bytes, bytes]) -> None:
    """Files in the ingest folder, last changed at New Year 2020."""
    ingest = services.config.paths.source_dir
    write_tree(ingest, tree)
    for path in tree:
        os.utime(os.path.join(os.fsencode(ingest), os.fsencode(path)), (NEW_YEAR, NEW_YEAR))


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


# --- a name that Syncthing would not carry


@pytest.fixture
def to_a_peer(tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, sync={"target": "syncthing"})
    put(services, {"IMG_1.jpg": still("ONE"), b"film\xff.MOV": film("ONE"), "IMG_1.AAE": b"edits"})
    prepare_batch(services)
    yield services
    services.close()


def prepare_batch(services: Services) -> None:
    take_stock(services)
    batch.run(services, a_step(services, Stage.BATCH))
    end_runs(services)


def test_what_waits_with_a_bad_name_goes_on_when_that_has_a_new_one(to_a_peer: Services) -> None:
    assert set(states(to_a_peer).values()) == {"set_aside"}
    ingest = os.fsencode(to_a_peer.config.paths.source_dir)
    os.rename(ingest + b"/film\xff.MOV", ingest + b"/film.MOV")
    prepare_batch(to_a_peer)
    found = {a.origin_path: (a.status.value, a.batch_id) for a in rows(to_a_peer).values() if a.status.value != "gone"}
    assert found == {b"IMG_1.jpg": ("batched", 1), b"IMG_1.AAE": ("batched", 1), b"film.MOV": ("batched", 1)}


def test_what_waits_with_a_bad_name_goes_on_when_that_is_taken_away(to_a_peer: Services) -> None:
    os.unlink(os.fsencode(to_a_peer.config.paths.source_dir) + b"/film\xff.MOV")
    prepare_batch(to_a_peer)
    assert {a.status.value for a in rows(to_a_peer).values() if a.status.value != "gone"} == {"batched"}


def test_what_comes_late_to_a_bad_name_waits_with_it(to_a_peer: Services) -> None:
    put(to_a_peer, {"IMG_1.xmp": b"<x/>"})
    prepare_batch(to_a_peer)
    assert set(states(to_a_peer).values()) == {"set_aside"}
    assert rows(to_a_peer)[b"IMG_1.xmp"].reason == rows(to_a_peer)[b"IMG_1.AAE"].reason
