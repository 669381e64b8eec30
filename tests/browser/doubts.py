"""Rows with doubtful dates of many cameras and folders, in ingest and in the archive."""

from __future__ import annotations

from app.db import assets, capture_records, totals
from app.db.capture_records import CaptureRecord, Told
from app.db.doubtful_dates import DateFilter
from app.db.tables import assets as assets_table
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.model import RootKind, Signature
from app.services import Services

CAMERAS = ((None, None), ("Canon", "Canon EOS R6"), ("Google", "Pixel 7"))
SOURCES = ("mtime", "mtime", "folder", "exif_modified")
COPIED_NS = 1_625_735_411_000_000_000
FOLDERS = (b"scans/album 1974 (grandmother's)", b"camera", b"WhatsApp/Media/WhatsApp Images/Sent")


def fill_dates(services: Services, files: int = 120) -> None:
    """So many doubtful dates, every third in the archive, and one more file about which was decided."""
    add_doubtful(services, files + 1)
    with services.db.reading() as conn:
        last = assets.last_id(conn)
    decide_dates(services, DateWish("set", "1974-12-24", [last]), "anna")


def add_doubtful(services: Services, files: int) -> None:
    """So many files with a doubtful date, every third of them in the archive."""
    ingest, archive = services.root(RootKind.INGEST), services.root(RootKind.ARCHIVE)
    with services.db.transaction() as conn:
        first = assets.last_id(conn) + 1
        for n in range(first, first + files):
            _add(conn, n, ingest.id, archive.id)
        capture_records.write(conn, [_record(n) for n in range(first, first + files)])
        totals.recount(conn)


def find(services: Services, *names: str) -> dict[str, int]:
    """The ids of files by the names that they came with."""
    with services.db.reading() as conn:
        rows = conn.execute(assets_table.select()).mappings()
        ids = {row["origin_path"].decode(): row["id"] for row in rows}
    return {name: ids[name] for name in names}


def doubtful(services: Services, only: DateFilter) -> int:
    """How many dates a filter finds."""
    from app.db import doubtful_dates

    with services.db.reading() as conn:
        return len(doubtful_dates.list_ids(conn, only, doubtful=True, limit=10_000))


def _add(conn, n: int, ingest_id: int, archive_id: int) -> None:  # type: ignore[no-untyped-def]
    came = FOLDERS[n % 3] + b"/IMG_%04d.jpg" % n
    is_archived = n % 3 == 0
    day = n % 28 + 1
    taken = f"2021-07-{day:02d}T11:10:11"
    path = b"2021/07/%02d/IMG_%04d.jpg" % (day, n) if is_archived else came
    root_id = archive_id if is_archived else ingest_id
    assets.insert_discovered(conn, root_id, [(path, Signature(1, n, 3_000_000 + n, COPIED_NS, 1), None)])
    columns = {"taken_local": taken, "taken_at": taken + "+00:00", "taken_from": SOURCES[n % 4], "origin_path": came,
               "origin_root_id": ingest_id, "status": "archived" if is_archived else "unique"}  # fmt: skip
    conn.execute(assets_table.update().where(assets_table.c.id == n).values(**columns))


def _record(n: int) -> CaptureRecord:
    make, model = CAMERAS[n % 3]
    told = (Told("exif", "0000:00:00 00:00:00", rejected="is all zeros"),)
    return CaptureRecord(n, told, make, model, "weak")
