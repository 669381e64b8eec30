"""Which folder of the archive a group goes to."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.schema import Sorter
from app.filing.choose import (
    REVIEW_FOLDER,
    UNKNOWN_DATE_FOLDER,
    Filing,
    archive_folder,
    choose_filing,
    is_weak,
)
from app.filing.group_values import Circumstances
from app.filing.safe_names import NATIVE
from app.model import Asset, AssetStatus

TODAY = date(2025, 6, 1)
MTIME = datetime(2022, 3, 4, 23, 30, tzinfo=UTC)


def an_asset(number: int = 1, taken: str | None = "2024-05-06T07:08:09", taken_from: str | None = "exif") -> Asset:
    return Asset(number, 1, b"a.jpg", AssetStatus.DELIVERED, 1, int(MTIME.timestamp()) * 10**9, 0, 0, 0,
                 taken_local=taken, taken_from=taken_from)


def filing(*members: Asset, zone: tzinfo = UTC, **settings: object) -> Filing:
    return choose_filing(members, Sorter.model_validate(settings), Circumstances(TODAY, zone))


def folder(*members: Asset, zone: tzinfo = UTC, **settings: object) -> bytes:
    return filing(*members, zone=zone, **settings).folder


def test_a_photo_goes_to_the_folder_of_its_day() -> None:
    assert filing(an_asset()) == Filing(b"2024/05/06", names=(b"a.jpg",))


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("{year}/{month:02d}/{day:02d}", b"2024/05/06"),
        ("{year}/{year}-{month:02}", b"2024/2024-05"),
        ("{year}/{month}", b"2024/5"),
        ("/photos/../{year}/./", b"photos/2024"),
        ("../../etc", b"etc"),
        (".mp-trash/{year}", b"2024"),
        ("Fotos ü/{year}", "Fotos ü/2024".encode()),
        ("", b""),
        ("{{{year}}}", b"{2024}"),
        ("{year.__class__}", b"{year.__class__}"),
    ],
)
def test_a_folder_pattern_is_filled_in_and_stays_inside_the_archive(pattern: str, folder: bytes) -> None:
    assert archive_folder(pattern, (("year", 2024), ("month", 5), ("day", 6)), NATIVE) == folder


@given(st.text(max_size=60), st.dates())
def test_no_pattern_leads_out_of_the_archive(pattern: str, taken: date) -> None:
    values = (("year", taken.year), ("month", taken.month), ("day", taken.day))
    folder = archive_folder(pattern, values, NATIVE)
    assert not folder.startswith(b"/")
    assert not {b"..", b"."} & set(folder.split(b"/"))


@pytest.mark.parametrize(
    ("taken", "taken_from", "weak"),
    [
        ("2024-05-06T07:08:09", "exif", False),
        ("2024-05-06T07:08:09.123", "filename", False),
        ("2024-05-06T07:08:09", "mtime", True),
        (None, None, True),
        ("1904-01-01T00:00:00", "mvhd", True),
        ("1989-12-31T23:59:59", "exif", True),
        ("2025-06-02T10:00:00", "exif", False),
        ("2025-06-03T10:00:00", "exif", True),
    ],
)
def test_a_date_is_weak_when_it_is_a_guess(taken: str | None, taken_from: str | None, weak: bool) -> None:
    assert is_weak(an_asset(taken=taken, taken_from=taken_from), TODAY) is weak


def test_a_weak_date_is_filed_by_the_files_time_in_the_configured_zone() -> None:
    weak = an_asset(taken="1904-01-01T00:00:00", taken_from="mvhd")
    assert folder(weak) == b"2022/03/04"
    assert folder(weak, zone=ZoneInfo("Asia/Tokyo")) == b"2022/03/05"


def test_weak_dates_go_where_the_setting_says() -> None:
    weak = an_asset(taken_from="mtime")
    assert filing(weak, weak_dates="unknown_folder") == Filing(UNKNOWN_DATE_FOLDER, names=(b"a.jpg",))
    assert filing(weak, weak_dates="review") == Filing(REVIEW_FOLDER, needs_review=True, names=(b"a.jpg",))


def test_without_exif_fallback_a_file_without_a_date_waits_for_a_review() -> None:
    assert filing(an_asset(taken_from="mtime"), exif_fallback=False).needs_review
    assert not filing(an_asset(), exif_fallback=False).needs_review


def test_a_group_goes_together_by_its_surest_member() -> None:
    photo = an_asset(2)
    video = an_asset(1, "2020-01-01T00:00:00", "mtime")
    sidecar = an_asset(3, "2019-01-01T00:00:00", "sibling")
    assert folder(video, sidecar, photo) == b"2024/05/06"
