"""Which of several files with one content is the original: the rules of the setting, whatever comes when."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.model import Asset, AssetStatus
from app.model.original_order import DEFAULT_ORDER, check_order, rank_by
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.stages import ingest, rows, run_dedup, run_scan

Open = Callable[..., Services]

ARCHIVED = Asset(1, 1, b"archive/long/name.jpg", AssetStatus.ARCHIVED, 9, 9, 9, 1, 1)
BATCHED = replace(ARCHIVED, id=2, path=b"batch/name.jpg", status=AssetStatus.BATCHED)
REFERENCE = replace(ARCHIVED, id=-3, path=b"old/one.jpg", status=AssetStatus.UNIQUE)
OLD = replace(ARCHIVED, id=9, path=b"a/quite/long.jpg", status=AssetStatus.UNIQUE, mtime_ns=1)
SHORT = replace(ARCHIVED, id=8, path=b"z.jpg", status=AssetStatus.UNIQUE)
FIRST = replace(ARCHIVED, id=3, path=b"folder/name.jpg", status=AssetStatus.UNIQUE)
EVERY = (ARCHIVED, BATCHED, REFERENCE, OLD, SHORT, FIRST)


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (DEFAULT_ORDER, [1, 2, -3, 9, 8, 3]),
        (("batched", "archived", "reference", "earliest_mtime"), [2, 1, -3, 9, 3, 8]),
        (("reference", "shortest_path"), [-3, 8, 2, 3, 9, 1]),
        (("earliest_mtime", "shortest_path"), [9, 8, -3, 2, 3, 1]),
        (("first_seen", "archived"), [-3, 1, 2, 3, 8, 9]),
    ],
)
def test_the_first_rule_that_tells_two_files_apart_decides(order: tuple[str, ...], wanted: list[int]) -> None:
    for arrival in itertools.permutations(EVERY):
        assert [asset.id for asset in sorted(arrival, key=rank_by(order))] == wanted


@pytest.mark.parametrize(
    ("order", "words"), [((), "at least one"), (("newest",), "newest"), (("batched",) * 2, "twice")]
)
def test_an_order_that_says_nothing_is_refused(order: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_order(order)


ORDERS = {
    ("earliest_mtime",): b"b/new name of it.jpg",
    ("shortest_path", "earliest_mtime"): b"c.jpg",
    ("archived", "batched", "reference", "first_seen"): b"a/from the phone.jpg",
    DEFAULT_ORDER: b"b/new name of it.jpg",
}


@pytest.mark.parametrize("order", ORDERS)
def test_files_that_come_together_have_the_original_that_the_setting_says(
    open_test_services: Open, order: tuple[str, ...]
) -> None:
    services = open_test_services(dedup={"original_order": list(order)})
    folder = Path(os.fsdecode(ingest(services)))
    times = {"b/new name of it.jpg": 1, "c.jpg": 5, "a/from the phone.jpg": 5}
    write_tree(folder, {"a": {}, "b": {}, **dict.fromkeys(times, b"one content")})
    for name, at in times.items():
        os.utime(folder / name, (at, at))
    run_scan(services)
    run_dedup(services)
    originals = [path for path, asset in rows(services).items() if asset.status is AssetStatus.UNIQUE]
    assert originals == [ORDERS[order]]


def test_a_file_that_comes_later_takes_no_original_its_place(open_test_services: Open) -> None:
    services = open_test_services()
    folder = Path(os.fsdecode(ingest(services)))
    write_tree(folder, {"long name.jpg": b"one content"})
    run_scan(services)
    run_dedup(services)
    write_tree(folder, {"a.jpg": b"one content"})
    os.utime(folder / "a.jpg", (1, 1))
    run_scan(services)
    run_dedup(services)
    found = rows(services)
    assert (found[b"long name.jpg"].status, found[b"a.jpg"].original_id) == ("unique", found[b"long name.jpg"].id)
