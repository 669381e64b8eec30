"""Files that hold no date: what their names tell, those of their folders, and numbers that are no dates."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.pipeline.date_cases import BY_MTIME, Case, one, plain

NAMES = {
    "IMG_20230701_235959.jpg": "2023/07/01", "MVIMG_20230701_235959.jpg": "2023/07/01",
    "PANO_20230701_120000.vr.jpg": "2023/07/01", "20230701_120000.jpg": "2023/07/01",
    "20230701_120000(0).jpg": "2023/07/01", "IMG_20230701_120000_BURST001_COVER.jpg": "2023/07/01",
    "IMG20230701120000.jpg": "2023/07/01", "20230701120000.jpg": "2023/07/01", "20230701120000123.jpg": "2023/07/01",
    "PXL_20230701_120000123.jpg": "2023/07/01", "PXL_20230701_223000123.jpg": "2023/07/02",
    "PXL_20230701_223000123.MP.jpg": "2023/07/02", "PXL_20230701_223000123~2.jpg": "2023/07/02",
    "IMG-20230701-WA0001.jpg": "2023/07/01", "WhatsApp Image 2023-07-01 at 12.34.56.jpeg": "2023/07/01",
    "WhatsApp Image 2023-07-01 at 11.34.56 PM (1).jpeg": "2023/07/01",
    "Screenshot_2023-07-01-12-34-56.png": "2023/07/01", "Screenshot_20230701-123456_Chrome.jpg": "2023/07/01",
    "Screenshot 2023-07-01 at 1.34.56 PM.png": "2023/07/01", "Screen Shot 2023-07-01 at 12.34.56.png": "2023/07/01",
    "Bildschirmfoto 2023-07-01 um 12.34.56.png": "2023/07/01", "Screenshot 2023-07-01 123456.png": "2023/07/01",
    "signal-2023-07-01-12-34-56-789.jpg": "2023/07/01", "signal-2023-07-01-123456.jpeg": "2023/07/01",
    "photo_2023-07-01_12-34-56.jpg": "2023/07/01", "DJI_20230701235959_0001_D.JPG": "2023/07/01",
    "WP_20230701_12_34_56_Pro.jpg": "2023/07/01", "WP_20230701_001.jpg": "2023/07/01",
    "C360_2023-07-01-12-34-56-789.jpg": "2023/07/01", "2023-07-01 12.34.56.jpg": "2023/07/01",
    "2023.07.01 12.34.56.jpg": "2023/07/01", "2023-07-01T12-34-56.jpg": "2023/07/01", "2023-07-01.jpg": "2023/07/01",
    "Lake 2023_07_01.jpg": "2023/07/01", "FB_IMG_1688250600000.jpg": "2023/07/02",
    "mmexport1688250600000.jpg": "2023/07/02", "photo_1@01-07-2023_23-59-59.jpg": "2023/07/01",
    "1688250600000.jpg": "2023/07/02", "IMG_1688250600000.jpg": "2023/07/02", "VID_1688250600.jpg": "2023/07/02",
    "Foto 01.07.2023, 23 59 59.jpg": "2023/07/01", "Scan 01.07.2023.jpg": "2023/07/01", "1.7.2023.jpg": "2023/07/01",
    "20230701_223000000_iOS.jpg": "2023/07/02",
}  # fmt: skip

NO_DATES = (
    "IMG_1234.jpg", "DSC20231399.jpg", "1234567890123456.jpg", "18991231.jpg", "IMG_20230231_120000.jpg",
    "20870701_120000.jpg", "19800101_000000.jpg", "3f2504e0-4f89-11d3-9a0c-20230701a301.jpg", "GOPR0123.JPG",
    "2023-7.jpg", "120230701.jpg", "received_1688250600000.jpeg", "0bd1a20190101ffee0bd1a20190101ff.jpg",
    "1688250600.jpg", "photo_1@31-02-2023_23-59-59.jpg", "Scan 07.13.2023.jpg", "Scan 31.02.2023.jpg",
    "v1.2.2023.4.jpg", "Foto 01.07.23, 23 59 59.jpg", "Photo 7-1-2023.jpg", "4006381333931.jpg",
)  # fmt: skip

FOLDERS = {
    "2023/07/01/a.jpg": "2023/07/01", "2023-07-01 Lake/a.jpg": "2023/07/01", "20230701/a.jpg": "2023/07/01",
    "2023_07_01/raw/a.jpg": "2023/07/01", "2019/2023-07-01/a.jpg": "2023/07/01", "2023-07 Italy/a.jpg": "2023/07/01",
    "2023/07/a.jpg": "2023/07/01", "Photos from 2023/a.jpg": "2023/01/01",
    "Ostsee 15.07.2003/a.jpg": "2003/07/15", "2003/Ostsee 5.7.2003/raw/a.jpg": "2003/07/05",
    "Ostsee 2003-07-15 mit Oma/a.jpg": "2003/07/15", "2003/Ostsee 31.02.2003/a.jpg": "2003/01/01",
}  # fmt: skip
IN_JULY = datetime(2023, 7, 15, 10, tzinfo=UTC)

CASES: list[Case] = [
    *(one(f"the name {name}", name, plain(n), folder, "filename") for n, (name, folder) in enumerate(NAMES.items())),
    *(one(f"no date in {name}", name, plain(100 + n), *BY_MTIME) for n, name in enumerate(NO_DATES)),
    *(one(f"the folder {path}", path, plain(200 + n), day, "folder") for n, (path, day) in enumerate(FOLDERS.items())),
    one("a folder of another kind", "IMG 12345678/a.jpg", plain(220), *BY_MTIME),
    one("a folder of 1975", "1975/a.jpg", plain(221), *BY_MTIME),
    one("the name before the folder", "2019/08/09/IMG_20230701_120000.jpg", plain(222), "2023/07/01", "filename"),
    Case("its own time within the month of the folder", {"2023-07/a.jpg": plain(223)},
        {"2023-07/a.jpg": ("2023/07/15", "mtime")},
         mtime=IN_JULY),
    Case("its own time within the year of the folder", {"2023/a.jpg": plain(224)}, {"2023/a.jpg": ("2023/07/15",
        "mtime")},
         mtime=IN_JULY),
    Case("its own time on another day than the folder", {"2023-07-01/a.jpg": plain(225)},
         {"2023-07-01/a.jpg": ("2023/07/01", "folder")}, mtime=IN_JULY),
    one("a pattern of one's own", "Scan 1.7.2023.jpg", plain(230), "2023/07/01", "filename", "own names"),
    one("a pattern of one's own in UTC", "cam-front-20230701T223000Z.jpg", plain(231), "2023/07/02", "filename",
        "own names"),
    one("a known name beside patterns", "IMG_20230701_120000.jpg", plain(232), "2023/07/01", "filename", "own names"),
    one("a Pixel's name in New York", "PXL_20230701_033000123.jpg", plain(233), "2023/06/30", "filename", "New York"),
    one("a name is as it was written in Auckland", "IMG_20230701_235959.jpg", plain(234), "2023/07/01", "filename",
        "Auckland"),
]  # fmt: skip
