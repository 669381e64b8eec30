"""Groups of thousands of files, and folders of thousands of groups: the work grows evenly with them, counted."""

from __future__ import annotations

from collections.abc import Callable

from app.model import Asset, AssetStatus
from app.pipeline.filing import Filing
from app.pipeline.inspect import SLICE, Slices
from app.pipeline.placing import GivenSuffixes, Target, place_group
from app.pipeline.verdicts import Original, Verdict, Whole, judge
from tests.work import assert_grows_evenly


def frame(number: int, content: int, status: AssetStatus = AssetStatus.DISCOVERED) -> Asset:
    return Asset(number, 1, b"in/IMG_1_BURST%05d.jpg" % number, status, 1, number, 0, 0, number, group_id=1,
                 digest=f"{content}", sha256=f"{content}")


def verdicts_of(frames: int) -> list[Verdict]:
    """A burst in which every second frame is the one before, and of which a part has gone on."""
    waiting = [frame(number, number // 2) for number in range(2, frames)]
    gone_on = [frame(frames + number, number * 2, AssetStatus.ARCHIVED) for number in range(1, frames // 4)]
    originals = {asset.sha256: [Original(asset, None)] for asset in gone_on}
    return judge(Whole(waiting, (), gone_on), lambda asset: originals.get(asset.sha256, ()))


def test_of_a_burst_what_it_holds_twice_or_held_before_is_a_duplicate() -> None:
    found = {v.asset.id: (v.status, v.original.id if v.original else None) for v in verdicts_of(12)}
    unique, duplicate = (AssetStatus.UNIQUE, None), AssetStatus.DUPLICATE
    assert found == {
        2: unique, 3: (duplicate, 2), 4: (duplicate, 13), 5: (duplicate, 13), 6: unique, 7: (duplicate, 6),
        8: (duplicate, 14), 9: (duplicate, 14), 10: unique, 11: (duplicate, 10),
    }  # fmt: skip


def test_the_work_of_judging_a_group_grows_evenly_with_its_size() -> None:
    def judging(frames: int) -> Callable[[], object]:
        return lambda: verdicts_of(frames)

    assert_grows_evenly(judging, 100)


class Shelf:
    """Places of one folder, of which some are taken already."""

    limit_bytes = 255

    def __init__(self, *taken: bytes) -> None:
        self.given = GivenSuffixes()
        self._holders = dict.fromkeys(taken, -1)
        self.looks = 0

    def key(self, file: int) -> int:
        return file

    def look(self, file: int, path: bytes) -> tuple[Target, int | None]:
        self.looks += 1
        return (Target.FREE if self._holders.get(path, file) == file else Target.OTHER), None

    def claim(self, file: int, path: bytes, _target: Target) -> None:
        self._holders[path] = file

    def place(self, file: int, *names: bytes) -> list[bytes]:
        return [placed.path for placed in place_group(self, [file] * len(names), Filing(b"day", names=names))]


def test_groups_of_the_same_names_get_one_number_after_the_other_around_what_is_there() -> None:
    shelf = Shelf(b"day/a.jpg", b"day/a_2.mov")
    placed = [shelf.place(file, b"a.jpg", b"a.mov") for file in (1, 2, 3)]
    assert placed == [[b"day/a_%d.jpg" % n, b"day/a_%d.mov" % n] for n in (1, 3, 4)]
    assert shelf.place(4, b"a.mov") == [b"day/a.mov"]
    assert shelf.place(2, b"a.jpg", b"a.mov") == placed[1]


def test_a_day_with_many_files_of_one_name_is_looked_at_twice_for_each() -> None:
    shelf = Shelf(b"day/a.jpg")
    for file in range(1, 501):
        assert shelf.place(file, b"a.jpg") == [b"day/a_%d.jpg" % file]
    assert shelf.looks <= 2 * 500


def test_files_are_inspected_in_slices_of_files_whatever_the_size_of_their_groups() -> None:
    groups = [(1, 10), (2, SLICE * 3), *((key, 500) for key in range(3, 12)), (12, SLICE)]
    slices = Slices(groups)
    assert list(slices) == [[1], [2], [3, 4, 5, 6], [7, 8, 9, 10], [11], [12]]
    assert slices.files == sum(size for _, size in groups)
