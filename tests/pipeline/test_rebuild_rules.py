"""The rules of a rebuild, over values: no file is forgotten, no owner is given two files, and batches stand right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db.rebuild_entries import Entry
from app.db.rebuild_files import Sighting
from app.model import AssetStatus, BatchStatus
from app.pipeline.rebuild.areas import ARCHIVED, LASTING, Area
from app.pipeline.rebuild.batch_verdicts import NOTHING_FOUND, BatchVerdict, Known, Whereabouts, judge, reconcile
from app.pipeline.rebuild.claims import Claim, Modes
from app.pipeline.rebuild.contents import Decision, decide

ROOTS = {area: number for number, area in enumerate(Area, 1)}
PATHS = {
    Area.ARCHIVE: "2024/05/06/{}.jpg",
    Area.REVIEW: "review/{}.jpg",
    Area.BATCH: "batch_00{}/{}.jpg",
    Area.STAGING: "batch_00{}/{}.jpg",
    Area.DUPLICATES: "{}.jpg",
    Area.INGEST: "{}.jpg",
    Area.TRASH: ".mp-trash/{}",
    Area.TEMPORARY: "2024/.mp-{}.part",
}


def sighting(area: Area, number: int, size_bytes: int = 9) -> Sighting:
    name = PATHS[area].format(1, number) if area in (Area.BATCH, Area.STAGING) else PATHS[area].format(number)
    group_name = b"" if area in (Area.TRASH, Area.TEMPORARY) else name.rpartition("/")[2].encode()
    return Sighting(0, ROOTS[area], name.encode(), area, group_name, size_bytes, 1, 1, 1, number, "d", "blake3", "s")


def claim(number: int, status: BatchStatus, published: bool) -> Claim:
    path = f"{number}.jpg".encode()
    entry = Entry(number, 1, number, path, 9, "s", "d", "blake3", path, None, None, "2024-05-06T07:08:09", "exif")
    return Claim(entry, BatchVerdict(1, "batch_001", status, published))


FILES = st.lists(
    st.tuples(st.sampled_from(sorted(PATHS)), st.integers(1, 4)).map(lambda one: sighting(Area(one[0]), one[1])),
    max_size=8, unique_by=lambda file: (file.root_id, file.path),
).map(lambda files: [replace(file, id=number) for number, file in enumerate(files)])  # fmt: skip
CLAIMS = st.lists(st.integers(1, 4), unique=True, max_size=4)
STATUSES = st.sampled_from([BatchStatus.PENDING, BatchStatus.SORTING, BatchStatus.SORTED, BatchStatus.CANCELLED])
MODES = st.builds(Modes, st.booleans(), st.booleans())


def files_of(decision: Decision) -> list[int]:
    """Every file that the decision speaks of."""
    found = [placed.sighting.id for placed in decision.placed]
    found += [file.id for file, _ in (*decision.kept, *decision.trashed)]
    return sorted([*found, *(file.id for file, _, _ in decision.loose)])


@settings(max_examples=400, deadline=None)
@given(FILES, CLAIMS, STATUSES, st.booleans(), MODES, st.sampled_from([0, 9]))
def test_every_file_is_spoken_of_once_and_every_owner_has_at_most_one(
    files: list[Sighting], numbers: list[int], status: BatchStatus, published: bool, modes: Modes, size_bytes: int
) -> None:
    files = [replace(file, size_bytes=size_bytes) for file in files]
    claims = [claim(number, status, published) for number in numbers]
    decision = decide(claims, files, modes)
    assert files_of(decision) == [file.id for file in files]
    owners = Counter(id(placed.claim) for placed in decision.placed if placed.claim is not None)
    assert set(owners.values()) <= {1}
    assert len(owners) + len(decision.lost) == len(claims)


@settings(max_examples=400, deadline=None)
@given(FILES, CLAIMS, STATUSES, st.booleans(), MODES)
def test_a_content_that_is_anywhere_has_an_asset_unless_it_is_only_a_nameless_leftover(
    files: list[Sighting], numbers: list[int], status: BatchStatus, published: bool, modes: Modes
) -> None:
    decision = decide([claim(number, status, published) for number in numbers], files, modes)
    if any(file.area != Area.TEMPORARY for file in files) or (files and numbers):
        assert decision.placed
    for _, owner in (*decision.kept, *decision.trashed):
        assert decision.placed[owner].sighting.area in LASTING


@settings(max_examples=400, deadline=None)
@given(FILES, CLAIMS, STATUSES, st.booleans(), MODES)
def test_nothing_goes_on_to_be_delivered_whose_content_its_batch_has_archived(
    files: list[Sighting], numbers: list[int], status: BatchStatus, published: bool, modes: Modes
) -> None:
    decision = decide([claim(number, status, published) for number in numbers], files, modes)
    for placed in decision.placed:
        if placed.sighting.area in ARCHIVED:
            assert placed.status in (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
        if placed.leans:
            assert placed.status is AssetStatus.DUPLICATE
        if placed.sighting.area in (Area.TRASH, Area.TEMPORARY):
            assert placed.status is AssetStatus.SET_ASIDE


@pytest.mark.parametrize(
    ("where", "copies", "status", "published"),
    [
        (Whereabouts(published=5), False, BatchStatus.PENDING, True),
        (Whereabouts(published=5, archived=2), False, BatchStatus.PENDING, True),
        (Whereabouts(published=3, archived=2, moved_out=2), False, BatchStatus.SORTING, True),
        (Whereabouts(published=5, archived=2), True, BatchStatus.SORTING, True),
        (Whereabouts(published=5, archived=5), True, BatchStatus.SORTED, True),
        (Whereabouts(staged=2, at_origin=3), False, BatchStatus.PENDING, False),
        (Whereabouts(at_origin=5), False, BatchStatus.PENDING, False),
        (Whereabouts(archived=5, moved_out=5), False, BatchStatus.SORTED, True),
        (Whereabouts(archived=4, moved_out=4, nowhere=1), False, BatchStatus.SORTED, True),
        (Whereabouts(nowhere=5), False, BatchStatus.CANCELLED, False),
    ],
)
def test_where_a_batch_stands_follows_from_where_its_files_lie(
    where: Whereabouts, copies: bool, status: BatchStatus, published: bool
) -> None:
    assert judge(where, is_undone=False, sort_copies=copies)[:2] == (status, published)
    assert judge(where, is_undone=True, sort_copies=copies)[0] is BatchStatus.CANCELLED


@pytest.mark.parametrize(
    ("found", "known", "status"),
    [
        (BatchStatus.PENDING, Known(BatchStatus.SYNCED, True), BatchStatus.SYNCED),
        (BatchStatus.PENDING, Known(BatchStatus.ERROR, True, BatchStatus.SYNCING), BatchStatus.ERROR),
        (BatchStatus.SORTING, Known(BatchStatus.SYNCED, True), BatchStatus.SORTING),
        (BatchStatus.SORTED, Known(BatchStatus.PENDING, True), BatchStatus.SORTED),
        (BatchStatus.SORTED, Known(BatchStatus.SORTED, True), BatchStatus.SORTED),
        (BatchStatus.SORTED, Known(BatchStatus.CANCELLED, True), BatchStatus.CANCELLED),
        (BatchStatus.SORTED, Known(BatchStatus.UNDOING, True), BatchStatus.UNDOING),
        (BatchStatus.PENDING, Known(BatchStatus.PENDING, False), BatchStatus.PENDING),
    ],
)
def test_a_row_from_before_holds_as_far_as_the_disk_agrees(
    found: BatchStatus, known: Known, status: BatchStatus
) -> None:
    assert reconcile((found, True, None), known)[0] is status


def test_a_sorted_batch_whose_files_were_all_removed_stays_sorted() -> None:
    found = judge(Whereabouts(nowhere=3), is_undone=False, sort_copies=False)
    assert found[2] == NOTHING_FOUND
    assert reconcile(found, Known(BatchStatus.SORTED, True))[0] is BatchStatus.SORTED
    assert reconcile(found, Known(BatchStatus.PENDING, True))[0] is BatchStatus.CANCELLED
