"""Groups of thousands of files, and folders of thousands of groups: the work grows evenly with them, counted."""

from __future__ import annotations

from collections.abc import Callable

from app.model import Asset, AssetStatus
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
