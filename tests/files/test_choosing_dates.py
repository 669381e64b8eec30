"""Which date is believed where sources tell different moments, and how sure it is; nothing is read here."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.files.capture_time import CaptureTime, Claim
from app.files.capture_time.choose import choose, choose_again

NOW = datetime(2024, 5, 6, tzinfo=UTC)
MTIME_NS = 1_600_000_000_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")
RESET = Claim("exif", "2000:01:01 00:03:12")


def chosen(name: str, *claims: Claim) -> CaptureTime:
    return choose(claims, name.encode(), MTIME_NS, BERLIN, NOW)


@pytest.mark.parametrize(
    ("name", "told", "instant"),
    [
        ("VID_20230805_220000.mp4", "2023:08:06 02:00:05", "2023-08-06T02:00:00+00:00"),
        ("VID_20230805_220000.mp4", "2023:08:06 02:41:05", "2023-08-06T02:00:00+00:00"),
        ("20230802_003000.mp4", "2023:08:01 15:31:00", "2023-08-01T15:30:00+00:00"),
        ("VID_20230802_003000.mp4", "2023:08:01 18:45:10", "2023-08-01T18:45:00+00:00"),
        ("VID_20230704_235000.mp4", "2023:07:04 22:10:00", "2023-07-04T21:50:00+00:00"),
    ],
)
def test_a_name_tells_the_clock_of_the_place_and_the_header_its_offset(name: str, told: str, instant: str) -> None:
    taken = chosen(name, Claim("mvhd", told, "utc"))
    assert (taken.source, taken.confidence, taken.taken_at.isoformat()) == ("filename", "likely", instant)
    assert taken.taken_local.strftime("%Y%m%d_%H%M%S") in name
    header = next(c for c in taken.candidates if c.claim.source == "mvhd")
    assert not header.rejected, "it tells the same moment"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("VID_20230805_220000.mp4", "2023:08:06 12:30:00"),
        ("VID_20230805_220000.mp4", "2023:08:05 05:30:00"),
        ("VID_20230805_220000.mp4", "2023:08:05 20:00:30"),
        ("VID-20230805-WA0001.mp4", "2023:08:06 02:00:00"),
        ("WhatsApp Video 2023-08-05 at 22.00.00.mp4", "2023:08:06 02:00:00"),
        ("PXL_20230805_220000123.mp4", "2023:08:05 22:00:10"),
    ],
)
def test_a_name_that_tells_no_other_place_leaves_the_header_its_day(name: str, told: str) -> None:
    assert chosen(name, Claim("mvhd", told, "utc")).source == "mvhd"


@pytest.mark.parametrize(
    ("claims", "confidence"),
    [
        ([RESET], "weak"),
        ([Claim("exif", "2000:01:01 17:03:12")], "weak"),
        ([RESET, Claim("gps", "2000-01-01 00:03:00", "utc")], "sure"),
        ([Claim("exif", "2001:01:01 00:03:12")], "sure"),
        ([Claim("mvhd", "2000:01:01 00:00:10", "utc")], "weak"),
        ([RESET, Claim("person", "2000-01-01 00:03:12")], "sure"),
        ([RESET, Claim("xmp_sidecar", "2019-09-09T10:00:00")], "likely"),
    ],
)
def test_the_day_on_which_clocks_begin_is_doubtful_unless_something_vouches_for_it(
    claims: list[Claim], confidence: str
) -> None:
    taken = chosen("DSCN0001.JPG", *claims)
    assert taken.confidence == confidence
    assert ("clocks" in taken.note) is taken.weak


def test_why_a_reset_clock_is_not_believed_is_told_with_what_knows_better() -> None:
    taken = chosen("IMG_20190505_120000.jpg", RESET)
    passed_over = next(c for c in taken.candidates if c.claim == RESET)
    assert "the file name tells 2019-05-05" in passed_over.rejected


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("VID_20230805_220000.mp4", Claim("mvhd", "2023:08:06 02:00:05", "utc")),
        ("IMG_20190505_120000.jpg", RESET),
        ("DSCN0001.JPG", RESET),
    ],
)
def test_the_date_is_the_same_when_it_is_told_again_from_what_was_recorded(name: str, claim: Claim) -> None:
    taken = chosen(name, claim)
    again = choose_again([(c.claim, c.rejected) for c in taken.candidates], MTIME_NS, BERLIN, NOW)
    assert again == taken
