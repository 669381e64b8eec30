"""Files beside each other: XMP, Takeout and thumbnails that date a photo, and groups that share one date."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.files import camera_files
from tests.files.camera_files import xmp_packet
from tests.files.tiff_data import Shot
from tests.pipeline.date_cases import BY_MTIME, Case, film, photo, plain

TAKEN = "2024:05:06 07:08:09"
#: In Berlin this is on 2023-07-02.
LATE = datetime(2023, 7, 1, 22, 30, tzinfo=UTC)
XMP, EXIF, TAKEOUT = ("2023/07/01", "xmp_sidecar"), ("2024/05/06", "exif"), ("2023/07/02", "takeout")


def xmp(text: str) -> bytes:
    return xmp_packet(exif_DateTimeOriginal=text)


def takeout(taken: object = LATE, **more: object) -> bytes:
    stamp = str(int(taken.timestamp())) if isinstance(taken, datetime) else taken
    return json.dumps({"photoTakenTime": {"timestamp": stamp}, **more}).encode()


def beside(name: str, photo_name: str, content: bytes, sidecar: str, says: bytes, expected: tuple[str, str]) -> Case:
    return Case(name, {photo_name: content, sidecar: says}, {photo_name: expected})


CASES: list[Case] = [
    beside("XMP by the stem", "a.jpg", plain(1), "a.xmp", xmp("2023-07-01T12:00:00"), XMP),
    beside("XMP by the full name", "a.jpg", plain(2), "a.jpg.xmp", xmp("2023-07-01T12:00:00"), XMP),
    beside("XMP in capitals", "A.JPG", plain(3), "A.XMP", xmp("2023-07-01T12:00:00"), XMP),
    beside("XMP beside with a zone", "a.jpg", plain(4), "a.xmp", xmp("2023-07-01T23:59:00-09:00"), XMP),
    beside("XMP beside in UTC", "a.jpg", plain(5), "a.xmp", xmp("2023-06-30T22:30:00Z"), XMP),
    beside("XMP of a year alone", "a.jpg", plain(6), "a.xmp", xmp("2023"), BY_MTIME),
    beside("XMP that is no XML", "a.jpg", plain(7), "a.xmp", b"no XML", BY_MTIME),
    beside("XMP with entities", "a.jpg", plain(8), "a.xmp", b"<!DOCTYPE x [<!ENTITY y 'z'>]>" + xmp("2023-07-01"),
        BY_MTIME),
    beside("EXIF before the XMP beside it", "a.jpg", photo(taken=TAKEN), "a.xmp", xmp("2023-07-01"), EXIF),
    beside("the XMP beside before satellites", "a.jpg", photo(gps_date="2020:01:01", gps_time=(1, 1, 1)), "a.xmp",
           xmp("2023-07-01"), XMP),
    beside("XMP of a film before its header", "a.mp4", film("2020-01-01 10:00:00"), "a.xmp", xmp("2023-07-01"), XMP),
    beside("XMP beside what a clock told that was reset", "a.jpg", photo(taken="2000:01:01 00:03:12", model="x"),
        "a.xmp", xmp("2023-07-01T12:00:00"), XMP),
    beside("Takeout of what a clock told that was reset", "a.jpg", photo(taken="2000:01:01 00:03:12", model="y"),
        "a.jpg.json", takeout(), TAKEOUT),
    Case("two XMP files: the full name first", {"a.jpg": plain(9), "a.jpg.xmp": xmp("2023-07-01"),
        "a.xmp": xmp("2020-01-01")},
         {"a.jpg": XMP, "a.xmp": ("2023/07/01", "sibling"), "a.jpg.xmp": ("2023/07/01", "sibling")}),
    Case("each half has its own XMP, and both one date",
         {"a.jpg": plain(10), "a.dng": camera_files.dng(Shot()), "a.jpg.xmp": xmp("2023-07-01")},
         {"a.jpg": XMP, "a.dng": ("2023/07/01", "sibling")}),
    beside("Takeout", "a.jpg", plain(20), "a.jpg.json", takeout(), TAKEOUT),
    beside("Takeout of these days", "a.jpg", plain(21), "a.jpg.supplemental-metadata.json", takeout(), TAKEOUT),
    beside("Takeout, its mark cut off", "a.jpg", plain(22), "a.jpg.suppl.json", takeout(), TAKEOUT),
    beside("Takeout of a copy", "a(1).jpg", plain(23), "a.jpg.supplemental-metadata(1).json", takeout(), TAKEOUT),
    beside("Takeout by its title", "a&b.jpg", plain(50), "a_b.jpg.json", takeout(title="a&b.jpg"), TAKEOUT),
    beside("Takeout by its title alone", "a&b.jpg", plain(51), "c.jpg.json", takeout(title="a&b.jpg"), TAKEOUT),
    beside("Takeout of what has one more ending", "I.HEIC.jpg", plain(52), "I.HEIC.json", takeout(title="I.HEIC"),
        TAKEOUT),
    Case("films of two cameras with one number, and the small copy of one of them",
         {"GH010001.MP4": film("2023-07-01 10:00:00", make="GoPro"), "GL010001.LRV": b"small",
          "GX010001.MP4": film("2023-07-02 09:00:00", make="GoPro")},
         {"GH010001.MP4": ("2023/07/01", "mvhd"), "GX010001.MP4": ("2023/07/02", "mvhd"),
          "GL010001.LRV": ("2023/07/02", "sibling")}),
    beside("Takeout of a film", "a.mp4", film(), "a.mp4.json", takeout(), TAKEOUT),
    beside("Takeout that counts from 0", "a.jpg", plain(24), "a.jpg.json", takeout("0"), BY_MTIME),
    beside("Takeout of a time far away", "a.jpg", plain(25), "a.jpg.json", takeout("99999999999999999999"), BY_MTIME),
    beside("Takeout without a time", "a.jpg", plain(26), "a.jpg.json", takeout(None), BY_MTIME),
    beside("Takeout that is a list", "a.jpg", plain(27), "a.jpg.json", b"[1, 2]", BY_MTIME),
    beside("Takeout that is cut off", "a.jpg", plain(28), "a.jpg.json", takeout()[:20], BY_MTIME),
    beside("the upload is no date", "a.jpg", plain(29), "a.jpg.json",
        b'{"creationTime": {"timestamp": "1688250600"}}', BY_MTIME),
    beside("EXIF before Takeout", "a.jpg", photo(taken=TAKEN, model="t"), "a.jpg.json", takeout(), EXIF),
    beside("Takeout before the name", "IMG_20200101_120000.jpg", plain(30), "IMG_20200101_120000.jpg.json", takeout(),
        TAKEOUT),
    Case("an edited photo shares the JSON", {"a.jpg": plain(31), "a-edited.jpg": plain(32), "a.jpg.json": takeout()},
         {"a.jpg": ("2023/07/02", "takeout"), "a-edited.jpg": ("2023/07/02", "sibling")}),
    beside("the thumbnail of a film", "a.avi", camera_files.avi(""), "a.thm", photo(taken=TAKEN, model="thm"), EXIF),
    beside("a drone's old subtitles", "DJI_0001.MP4", film(), "DJI_0001.SRT",
        b"1\n00:00:00,000 --> 00:00:01,000\nHOME(13.40,52.51) 2023.07.01 23:45:51\n"
        b"GPS(13.40,52.51,16) BAROMETER:1.9\nISO:100 Shutter:60 EV: Fnum:2.2\n\n2\n00:00:01,000 --> 00:00:02,000\n"
        b"HOME(13.40,52.51) 2023.07.02 00:00:01\n", ("2023/07/01", "srt")),
    beside("a drone's newer subtitles", "DJI_0002.MP4", film(), "DJI_0002.SRT",
        b'\xef\xbb\xbf1\r\n00:00:00,000 --> 00:00:00,033\r\n<font size="36">SrtCnt : 1, DiffTime : 33ms\r\n'
        b"2023-07-01 23:59:59,853,123\r\n[iso : 110] [shutter : 1/200.0] </font>\r\n\r\n", ("2023/07/01", "srt")),
    beside("a drone's newest subtitles, before its name", "DJI_20230702001500_0001_D.MP4", film(),
        "DJI_20230702001500_0001_D.SRT", b'1\n00:00:00,000 --> 00:00:00,016\n<font size="28">FrameCnt: 1, DiffTime: '
        b"16ms\n2023-07-01 13:59:07.157\n[iso: 100] [shutter: 1/640.0]</font>\n\n", ("2023/07/01", "srt")),
    beside("the film's own date before a drone's subtitles", "DJI_0003.MP4", film(created="2023-07-03 10:00:00"),
        "DJI_0003.SRT", b"1\n00:00:00,000 --> 00:00:00,016\n<font>FrameCnt: 1\n2023-07-01 13:59:07.157\n[iso: 100]\n",
        ("2023/07/03", "mvhd")),
    beside("subtitles show that the header is no UTC", "DJI_0004.MP4", film(created="2023-07-01 23:30:00"),
        "DJI_0004.SRT", b"1\n00:00:00,000 --> 00:00:00,016\n<font>FrameCnt: 1\n2023-07-01 23:30:00.157\n[iso: 100]\n",
        ("2023/07/01", "mvhd")),
    beside("subtitles that speak of a date", "a.mp4", film(), "a.srt",
        b"1\n00:00:01,000 --> 00:00:02,000\nBerlin, 1999-07-01 12:00:00\n", BY_MTIME),
    beside("a drone's subtitles of an impossible date", "DJI_0005.MP4", film(), "DJI_0005.SRT",
        b"1\n00:00:00,000 --> 00:00:01,000\nHOME(0,0) 2023.13.41 25:00:00\nGPS(0,0,1)\n", BY_MTIME),
    beside("a drone's subtitles without a date", "DJI_0006.MP4", film(), "DJI_0006.SRT",
        b"1\n00:00:00,000 --> 00:00:01,000\nF/2.8, SS 206.14, ISO 150, EV 0, GPS (8.3, 49.1, 17), D 24.4m\n", BY_MTIME),
    beside("subtitles that are no text", "DJI_0007.MP4", film(), "DJI_0007.SRT", bytes(range(256)) * 200, BY_MTIME),
    Case("a Live Photo", {"I.HEIC": camera_files.heif(Shot(TAKEN)), "I.MOV": film("2024-05-06 23:30:00")},
         {"I.HEIC": EXIF, "I.MOV": ("2024/05/06", "sibling")}),
    Case("a raw file with its JPEG", {"I.JPG": photo(taken=TAKEN, model="r"), "I.DNG": camera_files.dng(Shot(TAKEN))},
         {"I.DNG": EXIF, "I.JPG": ("2024/05/06", "sibling")}),
    Case("a raw file without a date, and an older one in the JSON of its JPEG", {"I.JPG": photo(taken=TAKEN, model="t"),
        "I.CR2": plain(48), "I.JPG.json": takeout()}, {"I.JPG": EXIF, "I.CR2": ("2024/05/06", "sibling")}),
    Case("a still without a date, a film with one", {"I.JPG": plain(40),
        "I.MOV": film(apple="2023-07-01T12:00:00+0200")},
         {"I.JPG": ("2023/07/01", "sibling"), "I.MOV": ("2023/07/01", "quicktime")}),
    Case("sidecars go with their photo", {"I.JPG": photo(taken=TAKEN, model="s"), "I.AAE": b"x",
        "I.JPG.xmp": xmp("2020-01-01")},
         {"I.JPG": EXIF, "I.AAE": ("2024/05/06", "sibling"), "I.JPG.xmp": ("2024/05/06", "sibling")}),
    Case("a group without any date", {"I.JPG": plain(41), "I.AAE": b"y"}, {"I.JPG": BY_MTIME, "I.AAE": BY_MTIME}),
]  # fmt: skip
