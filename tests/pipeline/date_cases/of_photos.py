"""Photos of every format, and every way in which what they say can be right, wrong or missing."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.files import camera_files
from tests.files.camera_files import exif_segment, picture, xmp_packet
from tests.files.tiff_data import Shot, tiff
from tests.pipeline.date_cases import BY_MTIME, Case, one, photo

TAKEN = "2024:05:06 07:08:09"
SHOT = Shot(TAKEN, make="Maker", model="M1")
ON_DAY = ("2024/05/06", "exif")

FORMATS: dict[str, bytes] = {
    "a.jpg": camera_files.jpeg(SHOT), "big-endian.jpg": camera_files.jpeg(SHOT, ">"), "a.jpeg": picture("JPEG",
    exif_segment(SHOT)),
    "a.heic": camera_files.heif(SHOT), "data inside.heic": camera_files.heif(SHOT, in_data=True),
    "real.heic": picture("HEIF", exif_segment(SHOT)), "a.avif": camera_files.heif(SHOT, b"avif"),
    "real.avif": picture("AVIF", exif_segment(SHOT)), "a.png": picture("PNG", exif_segment(SHOT)),
    "text.png": camera_files.png_with_text(SHOT), "packed.png": camera_files.png_with_text(SHOT, packed=True),
    "a.webp": picture("WEBP", exif_segment(SHOT)), "a.tif": tiff(SHOT), "big-endian.tiff": tiff(SHOT, ">"),
    "a.cr2": camera_files.cr2(SHOT), "a.cr3": camera_files.cr3(SHOT), "a.nef": tiff(SHOT, ">"), "a.arw": tiff(SHOT),
    "a.pef": tiff(SHOT, ">"), "a.dng": camera_files.dng(SHOT), "a.orf": camera_files.orf(SHOT),
    "a.rw2": camera_files.rw2(SHOT), "older.rw2": camera_files.rw2_with_jpeg(SHOT), "a.raf": camera_files.raf(SHOT),
    "a.mrw": camera_files.mrw(SHOT), "a.x3f": camera_files.x3f(SHOT), "a.jxl": camera_files.jxl(SHOT),
    "a photo called.mov": camera_files.jpeg(Shot(TAKEN, make="Maker", model="M2")),
}  # fmt: skip

IMPOSSIBLE = {
    "zeros": "0000:00:00 00:00:00", "blanks": "    :  :     :  :  ", "NULs": "\0" * 19, "dashes": "----:--:-- --:--:--",
    "1904": "1904:01:01 00:00:00", "1970": "1970:01:01 00:00:00", "1980": "1980:01:01 00:00:00",
    "before 1990": "1989:12:31 23:59:59", "the future": "2087:05:06 07:08:09", "hour 24": "2024:05:06 24:00:00",
    "month 13": "2024:13:06 07:08:09", "day 0": "2024:05:00 07:08:09", "no leap year": "2023:02:29 07:08:09",
    "minute 60": "2024:05:06 07:60:00", "words": "yesterday at noon", "a year alone": "2024",
}  # fmt: skip


def _impossible() -> list[Case]:
    found = []
    for name, text in IMPOSSIBLE.items():
        other = photo(taken=text, digitized="2020:01:02 03:04:05")
        found.append(one(f"{name}, then digitized", "a.jpg", other, "2020/01/02", "exif_digitized"))
        found.append(one(f"{name} alone", "a.jpg", photo(taken=text, model=name), *BY_MTIME))
    return found


def _xmp(**said: str) -> bytes:
    return photo(xmp=xmp_packet(**said))


RESET = "2000:01:01 00:03:12"
OF_CLOCKS = [
    one("a camera's clock that was reset, and a name", "IMG_20190505_120000.jpg", photo(taken=RESET), "2019/05/05",
        "filename"),
    one("a clock that was reset hours ago, and a name of a messenger", "photo_2019-05-05_12-00-00.jpg",
        photo(taken="2000:01:01 17:00:00", digitized="2000:01:01 17:00:00"), "2019/05/05", "filename"),
    one("a clock that was reset, and satellites", "a.jpg",
        photo(taken=RESET, gps_date="2019:05:05", gps_time=(1, 2, 3)), "2019/05/05", "gps"),
    one("a camera's clock that was reset, and nothing else", "a.jpg", photo(taken=RESET), "2000/01/01", "exif"),
    one("a clock that was reset, and a folder", "2019-05-05/a.jpg", photo(taken=RESET, model="f"), "2000/01/01",
        "exif"),
    one("a clock that was reset to 2005, and a name", "IMG_20190505_120001.jpg",
        photo(taken="2005:01:01 00:00:00"), "2019/05/05", "filename"),
    one("a New Year's Eve, and a name of a later copy", "photo_2005-02-01_12-00-00.jpg",
        photo(taken="2005:01:01 00:10:00"), "2005/01/01", "exif"),
    one("a New Year's Day, and another day in the name", "IMG_20190505_120002.jpg",
        photo(taken="2005:01:01 12:00:00"), "2005/01/01", "exif"),
    one("a New Year's Eve, and its name", "IMG_20050101_001000.jpg", photo(taken="2005:01:01 00:10:00", model="e"),
        "2005/01/01", "exif"),
]  # fmt: skip

CASES: list[Case] = [
    *(one(f"format {name}", name, content, *ON_DAY) for name, content in FORMATS.items()),
    *_impossible(),
    one("an offset says where, the day is that place's", "a.jpg", photo(taken="2024:05:06 00:30:00", offset="+09:00"),
        *ON_DAY),
    one("late in the west", "a.jpg", photo(taken="2024:05:06 23:59:59", offset="-10:00"), *ON_DAY),
    one("an offset that is none", "a.jpg", photo(taken=TAKEN, offset="+99:00"), *ON_DAY),
    one("fractions", "a.jpg", photo(taken="2024:05:06 23:59:59", fraction="999"), *ON_DAY),
    one("a leap second", "a.jpg", photo(taken="2016:12:31 23:59:60"), "2016/12/31", "exif"),
    one("NULs behind", "a.jpg", photo(taken=TAKEN + "\0\0"), *ON_DAY),
    one("a date without a time", "a.jpg", photo(taken="2024:05:06"), *ON_DAY),
    one("dashes for colons", "a.jpg", photo(taken="2024-05-06 07:08:09"), *ON_DAY),
    one("the first day that can be", "a.jpg", photo(taken="1990:01:01 00:00:00"), "1990/01/01", "exif"),
    one("digitized alone", "a.jpg", photo(digitized=TAKEN), "2024/05/06", "exif_digitized"),
    one("taken before digitized", "a.jpg", photo(taken=TAKEN, digitized="2025:01:01 00:00:00"), *ON_DAY),
    one("only changed", "a.jpg", photo(modified=TAKEN), "2024/05/06", "exif_modified"),
    one("changed comes after the name", "IMG_20230102_030405.jpg", photo(modified=TAKEN), "2023/01/02", "filename"),
    one("a year is no date in EXIF", "a.jpg", photo(taken="2024", modified=TAKEN), "2024/05/06", "exif_modified"),
    one("XMP alone", "a.jpg", _xmp(exif_DateTimeOriginal="2024-05-06T07:08:09"), "2024/05/06", "xmp"),
    one("XMP with a zone", "a.jpg", _xmp(exif_DateTimeOriginal="2024-05-06T00:10:00+09:00"), "2024/05/06", "xmp"),
    one("XMP in UTC", "a.jpg", _xmp(exif_DateTimeOriginal="2024-05-05T22:30:00Z"), "2024/05/06", "xmp"),
    one("XMP by Photoshop", "a.jpg", _xmp(photoshop_DateCreated="2024-05-06"), "2024/05/06", "xmp"),
    one("XMP created", "a.jpg", _xmp(xmp_CreateDate="2024-05-06T07:08"), "2024/05/06", "xmp"),
    one("XMP of the last change", "a.jpg", _xmp(xmp_ModifyDate="2024-05-06T07:08"), *BY_MTIME),
    one("the better one in XMP", "a.jpg",
        _xmp(xmp_CreateDate="2025-01-01", exif_DateTimeOriginal="2024-05-06T07:08:09"), "2024/05/06", "xmp"),
    one("EXIF before XMP", "a.jpg", photo(taken=TAKEN, xmp=xmp_packet(exif_DateTimeOriginal="2020-01-01")), *ON_DAY),
    one("XMP in a GIF", "a.gif", camera_files.gif(xmp_packet(exif_DateTimeOriginal="2024-05-06T07:08:09")),
        "2024/05/06", "xmp"),
    one("a GIF without", "a.gif", camera_files.gif(b""), *BY_MTIME),
    one("satellites alone, the next day here", "a.jpg", photo(gps_date="2024:05:05", gps_time=(22, 30, 0)),
        "2024/05/06", "gps"),
    one("satellites of winter", "a.jpg", photo(gps_date="2024:01:05", gps_time=(22, 30, 0)), "2024/01/05", "gps"),
    one("EXIF before satellites", "a.jpg", photo(taken=TAKEN, gps_date="2024:05:05", gps_time=(22, 8, 9)), *ON_DAY),
    one("satellites that know no day", "a.jpg", photo(gps_date="0000:00:00", gps_time=(1, 2, 3)), *BY_MTIME),
    one("XMP before satellites", "a.jpg",
        photo(gps_date="2020:05:05", gps_time=(1, 2, 3), xmp=xmp_packet(xmp_CreateDate="2024-05-06")), "2024/05/06",
        "xmp"),
    one("damaged", "a.jpg", photo(taken=TAKEN)[:30], *BY_MTIME),
    one("empty", "a.jpg", b"", *BY_MTIME),
    one("no photo at all", "a.heic", b"This is a text. " * 20, *BY_MTIME),
    one("a picture without anything", "a.png", picture("PNG"), *BY_MTIME),
    Case("its own time on the other side of midnight", {"a.jpg": photo(model="m")}, {"a.jpg": ("2021/12/31", "mtime")},
         mtime=datetime(2021, 12, 31, 22, 59, tzinfo=UTC)),
    Case("its own time in the next year here", {"a.jpg": photo(model="n")}, {"a.jpg": ("2022/01/01", "mtime")},
         mtime=datetime(2021, 12, 31, 23, 1, tzinfo=UTC)),
    Case("in the hour that comes twice", {"a.jpg": photo(taken="2023:10:29 02:30:00")}, {"a.jpg": ("2023/10/29",
        "exif")}),
    Case("in the hour that is left out", {"a.jpg": photo(taken="2023:03:26 02:30:00")}, {"a.jpg": ("2023/03/26",
        "exif")}),
    Case("satellites before the clocks go back", {"a.jpg": photo(gps_date="2023:10:28", gps_time=(22, 30, 0))},
         {"a.jpg": ("2023/10/29", "gps")}),
    Case("satellites after the clocks went back", {"a.jpg": photo(gps_date="2023:10:29", gps_time=(22, 59, 0))},
         {"a.jpg": ("2023/10/29", "gps")}),
    Case("satellites in New York", {"a.jpg": photo(gps_date="2024:05:06", gps_time=(3, 30, 0))},
         {"a.jpg": ("2024/05/05", "gps")}, "New York"),
    Case("satellites in Auckland", {"a.jpg": photo(gps_date="2024:05:05", gps_time=(13, 0, 0))},
         {"a.jpg": ("2024/05/06", "gps")}, "Auckland"),
    Case("EXIF is as it was written, in Auckland too", {"a.jpg": photo(taken="2024:05:06 00:00:01")},
        {"a.jpg": ON_DAY}, "Auckland"),
    Case("EXIF is as it was written, in New York too", {"a.jpg": photo(taken="2024:05:06 23:59:59")},
        {"a.jpg": ON_DAY}, "New York"),
    one("satellites alone, and the name of an evening in New York", "IMG_20230805_220000.jpg",
        photo(gps_date="2023:08:06", gps_time=(1, 59, 58)), "2023/08/05", "filename"),
    *OF_CLOCKS,
    Case("its own time in New York", {"a.jpg": photo(model="o")}, {"a.jpg": ("2022/02/03", "mtime")}, "New York"),
]  # fmt: skip
