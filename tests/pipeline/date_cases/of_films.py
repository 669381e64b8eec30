"""Films: Apple's creation date, headers in UTC or in what cameras take for it, and names that tell which it is."""

from __future__ import annotations

from tests.files import camera_files
from tests.pipeline.date_cases import BY_MTIME, Case, film, one

LATE = "2023-07-01 22:30:00"

OF_PLACES = [
    one("the name of an evening in New York", "VID_20230805_220000.mp4", film("2023-08-06 02:00:00"), "2023/08/05",
        "filename"),
    one("its header tells the end", "VID_20230805_221000.mp4", film("2023-08-06 02:52:40"), "2023/08/05", "filename"),
    one("the name of a night in Tokyo", "20230802_003000.mp4", film("2023-08-01 15:30:12"), "2023/08/02", "filename"),
    one("a night in Kathmandu", "20230802_003001(0).mp4", film("2023-08-01 18:45:10"), "2023/08/02", "filename"),
    one("a midnight passed while it was taken", "VID_20230704_235000.mp4", film("2023-07-04 22:10:00"), "2023/07/04",
        "filename"),
    one("an afternoon in New York", "VID_20230805_150000.mp4", film("2023-08-05 19:00:00"), "2023/08/05", "filename"),
    one("a QuickTime date in UTC and the name of the place", "VID_20230805_220002.mov",
        film("", "2023-08-06T02:00:02Z"), "2023/08/05", "filename"),
    one("a QuickTime date with its offset before the name", "VID_20230805_220003.mov",
        film("", "2023-08-06T02:00:03+0200"), "2023/08/06", "quicktime"),
    one("a name of a messenger is no clock of the place", "video_2023-08-05_22-00-04.mp4", film("2023-08-06 02:00:04"),
        "2023/08/06", "mvhd"),
    one("a name of OneDrive is in UTC", "20230701_223000000_iOS.mp4", film(LATE), "2023/07/02", "mvhd"),
    one("UTC by setting, whatever place the name tells", "VID_20230805_220005.mp4", film("2023-08-06 02:00:05"),
        "2023/08/06", "mvhd", "films in UTC"),
]  # fmt: skip
OF_CLOCKS = [
    one("a clock that was reset, and a name", "VID_20190505_120000.mp4", film("2000-01-01 00:00:10"), "2019/05/05",
        "filename"),
    one("a clock that was reset, and nothing else", "MOV_1.mp4", film("2000-01-01 00:00:11"), "2000/01/01", "mvhd"),
    one("a clock that was reset to 2012, and a name", "VID_20190505_120001.mp4", film("2012-01-01 00:00:12"),
        "2019/05/05", "filename"),
    one("a New Year's Eve", "VID_20120101_003000.mp4", film("2011-12-31 23:30:10"), "2012/01/01", "mvhd"),
]  # fmt: skip

CASES: list[Case] = [
    one("Apple's date with its zone", "a.mov", film(LATE, "2023-07-02T00:30:00+0200"), "2023/07/02", "quicktime"),
    one("Apple's date in a zone far away", "a.mov", film(LATE, "2023-07-01T12:30:00-1000"), "2023/07/01", "quicktime"),
    one("Apple's date in UTC", "a.mov", film(LATE, "2023-07-01T22:30:00Z"), "2023/07/02", "quicktime"),
    one("Apple's date of zeros", "a.mov", film(LATE, "0000-00-00T00:00:00Z"), "2023/07/02", "mvhd"),
    one("the day of other cameras", "a.mp4", film(LATE, day="2023-07-03T10:00:00+0200"), "2023/07/03", "quicktime"),
    one("a header of summer", "a.mp4", film(LATE), "2023/07/02", "mvhd"),
    one("a header of winter", "a.m4v", film("2023-01-01 22:30:00"), "2023/01/01", "mvhd"),
    one("a header past midnight in winter", "a.3gp", film("2023-01-01 23:30:00"), "2023/01/02", "mvhd"),
    one("a header before the clocks go forward", "a.mp4", film("2023-03-26 00:59:00"), "2023/03/26", "mvhd"),
    one("a header on the day the clocks go back", "a.mp4", film("2023-10-29 23:30:00"), "2023/10/30", "mvhd"),
    one("no time in the header", "a.mp4", film(), *BY_MTIME),
    one("no time in the header, but in the name", "VID_20230701_235959.mp4", film(), "2023/07/01", "filename"),
    one("a header of 1970", "b.mp4", film("1970-01-01 00:00:00", make="x"), *BY_MTIME),
    one("a header of the future", "a.mp4", film("2039-01-01 00:00:00"), *BY_MTIME),
    one("a header before the name", "VID_20230705_120000.mp4", film("2023-07-06 12:00:00"), "2023/07/06", "mvhd"),
    one("a Canon's header", "MVI_1.mov", film(LATE, make="Canon"), "2023/07/01", "mvhd"),
    one("a Nikon's header", "DSC_1.mov", film(LATE, make="NIKON CORPORATION"), "2023/07/01", "mvhd"),
    one("a GoPro's header", "GX010001.mp4", film(LATE, make="GoPro"), "2023/07/01", "mvhd"),
    one("a phone's header", "a.mp4", film(LATE, make="Google"), "2023/07/02", "mvhd"),
    one("a header that says what the name says", "DJI_20230701223000_0001_D.MP4", film(LATE), "2023/07/01", "mvhd"),
    one("a header of a minute later than the name", "VID_20230701_222900.mp4", film(LATE), "2023/07/01", "mvhd"),
    one("a header in UTC by the name", "VID_20230702_003000.mp4", film(LATE), "2023/07/02", "mvhd"),
    one("a Pixel's name is in UTC too", "PXL_20230701_223000123.mp4", film(LATE), "2023/07/02", "mvhd"),
    one("a date alone in the name says nothing", "VID-20230701-WA0001.mp4", film("2023-07-01 23:00:00"), "2023/07/02",
        "mvhd"),
    one("a date in an AVI", "a.avi", camera_files.avi("2023:07:01 23:30:00"), "2023/07/01", "exif"),
    one("a date in words in an AVI", "a.avi", camera_files.avi("Sat Jul 01 23:30:01 2023"), "2023/07/01", "exif"),
    one("an AVI without", "a.avi", camera_files.avi("garbage"), *BY_MTIME),
    one("an AVI without, but with a name", "20230701_120000.avi", camera_files.avi(""), "2023/07/01", "filename"),
    one("a header in New York", "a.mp4", film("2023-07-02 03:30:00"), "2023/07/01", "mvhd", "New York"),
    one("Apple's zone in New York", "a.mov", film(LATE, "2023-07-02T00:30:00+0200"), "2023/07/02", "quicktime",
        "New York"),
    one("a header in Auckland", "a.mp4", film("2023-07-01 12:30:00"), "2023/07/02", "mvhd", "Auckland"),
    one("UTC by setting, for a Canon too", "a.mp4", film(LATE, make="Canon"), "2023/07/02", "mvhd", "films in UTC"),
    one("UTC by setting, whatever the name", "VID_20230701_223000.mp4", film(LATE), "2023/07/02", "mvhd",
        "films in UTC"),
    one("local by setting", "a.mp4", film(LATE, make="Google"), "2023/07/01", "mvhd", "films in local time"),
    one("Apple's zone under local", "a.mov", film(LATE, "2023-07-02T00:30:00+0200"), "2023/07/02", "quicktime",
        "films in local time"),
    *OF_PLACES,
    *OF_CLOCKS,
]  # fmt: skip
