"""What was recorded of a file leads to the date that its inspection found."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.db.capture_records import CaptureRecord, Told, packed, unpacked
from app.files.capture_time import Claim, choose
from app.files.capture_time.choose import SOURCES
from app.filing.dating import Dated, choose_lead, columns, disagreement, record
from app.filing.redating import redate
from app.model import Asset, AssetStatus

PRESENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
INSIDE = [source for source in SOURCES if source not in ("person", "filename", "folder", "mtime")]

texts = st.sampled_from(
    ["2024:05:06 07:08:09", "2024:05:06 23:30:00.25", "2024-05-05 21:08:09", "0000:00:00 00:00:00",
     "2019-07-14 02:30:00", "1904:01:01 00:00:00", "2020:10:25 02:30:00", "2031:01:01 00:00:00", "nonsense",
     "2000:01:01 00:03:12", "2024:01:01 00:00:09"]
)  # fmt: skip
claims = st.builds(Claim, st.sampled_from(INSIDE), texts, st.sampled_from(["local", "utc", "+09:00", "-03:30"]))
names = st.sampled_from(
    [b"IMG_20190714_153000", b"scan", b"PXL_20210708_091011123", b"IMG-20200102-WA0001", b"2018-03-04 12.13.14",
     b"20240506_190000"]
)
folders = st.sampled_from([b"", b"2017/", b"2016-05/", b"a/2015-06-07 party/", b"deep/"])
mtimes = st.integers(0, 2_000_000_000).map(lambda second: second * 1_000_000_000 + 123_456_789)
files = st.tuples(st.lists(claims, max_size=5), mtimes)


def asset(asset_id: int, path: bytes, mtime_ns: int) -> Asset:
    return Asset(asset_id, 1, path, AssetStatus.UNIQUE, 1, mtime_ns, 1, 1, 1, group_id=7)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(folders, names, st.lists(files, min_size=1, max_size=3))
def test_a_group_gets_again_the_date_records_and_reason_of_its_inspection(
    folder: bytes, name: bytes, told: list[tuple[list[Claim], int]]
) -> None:
    endings = (b".jpg", b".mov", b".dng")
    members = [asset(n + 1, folder + name + endings[n], mtime) for n, (_, mtime) in enumerate(told)]
    dated = [
        Dated(a, choose(found, a.path, a.mtime_ns, ZONE, PRESENT), "Canon", None)
        for a, (found, _) in zip(members, told, strict=True)
    ]
    lead = choose_lead(dated)
    differ = disagreement(dated, lead)
    kept = {one.asset.id: record(one, lead, differ) for one in dated}
    person = Told("person", "1985-06-01 12:00", "local")
    stored = {
        n: one._replace(candidates=unpacked(packed((person, *one.candidates))), confidence="sure")
        for n, one in kept.items()
    }
    again = redate(members, stored, ZONE, PRESENT)
    assert again is not None
    for one in dated:
        expected = columns(one, lead, differ)
        assert {**expected, **again.columns[one.asset.id]} == expected
    assert list(again.records) == list(kept.values())


def test_sidecars_get_the_date_of_what_they_lie_beside() -> None:
    photo, sidecar = asset(1, b"a.jpg", 1_600_000_000_000_000_000), asset(2, b"a.xmp", 1)
    known = {1: CaptureRecord(1, (Told("exif", "2024:05:06 07:08:09"),), None, None, "sure")}
    again = redate([photo, sidecar], known, ZONE, PRESENT)
    assert again is not None
    assert again.columns[2] == {**again.columns[1], "taken_from": "sibling"}


def test_what_was_not_recorded_is_not_made_up() -> None:
    photo, film = asset(1, b"a.jpg", 1), asset(2, b"a.mov", 1)
    known = {1: CaptureRecord(1, (), None, None, "weak")}
    assert redate([photo, film], known, ZONE, PRESENT) is None
    assert redate([asset(3, b"a.xmp", 1)], {}, ZONE, PRESENT) is None
    alone = redate([photo], known, ZONE, PRESENT)
    assert alone is not None
    assert alone.columns[1]["taken_from"] == "mtime"
