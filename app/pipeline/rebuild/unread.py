"""Files whose content is not known: those left in place, and those that could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import assets, left_in_place, rebuild_files, rebuild_rows
from app.db.clock import now
from app.db.connection import Connection
from app.db.names import name_key
from app.db.rebuild_files import Sighting
from app.db.rebuild_rows import AssetRow
from app.errors import printable
from app.model import AssetStatus, Failure
from app.pipeline.rebuild.areas import Area
from app.pipeline.rebuild.contents import NOT_MEDIA, Finding
from app.pipeline.step import StepContext
from app.services import Services

CHUNK = 1_000
UNREAD = "It could not be read."


def settle_unread(services: Services, step: StepContext) -> list[Failure]:
    """List what is left in place, and give unreadable files a row; returns the latter with the reason of each."""
    failures: list[Failure] = []
    last = 0
    while True:
        step.safe_point(0, 0)
        with services.db.transaction() as conn:
            page = rebuild_files.list_without_content(conn, last, CHUNK)
            if not page:
                return failures
            last = page[-1].id
            _leave(conn, [file for file in page if file.area == Area.LEFT])
            failures += _note_unreadable(conn, [file for file in page if file.area != Area.LEFT])


def _leave(conn: Connection, files: Sequence[Sighting]) -> None:
    at = now()
    for root_id in {file.root_id for file in files}:
        here = [(file.path, file.note or NOT_MEDIA) for file in files if file.root_id == root_id]
        left_in_place.note(conn, root_id, here, at)
    found = [(file.id, None, Finding.LEFT_IN_PLACE.value, file.note or NOT_MEDIA) for file in files]
    rebuild_files.write_findings(conn, found)


def _note_unreadable(conn: Connection, files: Sequence[Sighting]) -> list[Failure]:
    """A row from before stays as it is. A new file in ingest is read again by the next dedup; others have failed."""
    next_id = assets.last_id(conn) + 1
    rows, findings, failures = [], [], []
    for file in files:
        row = assets.find_at(conn, file.root_id, file.path)
        reason = file.note or UNREAD
        asset_id = row.id if row is not None else None
        if row is None and file.area not in (Area.TRASH, Area.TEMPORARY):
            rows.append(_row(file, next_id, reason))
            asset_id = next_id
            next_id += 1
        findings.append((file.id, asset_id, Finding.UNREADABLE.value, reason))
        failures.append(Failure(printable(file.path), reason))
    rebuild_rows.write(conn, rows)
    rebuild_files.write_findings(conn, findings)
    return failures


def _row(file: Sighting, asset_id: int, reason: str) -> AssetRow:
    is_new = file.area == Area.INGEST
    status = AssetStatus.DISCOVERED if is_new else AssetStatus.FAILED
    origin = (file.root_id, file.path) if is_new else (None, None)
    return AssetRow(
        id=asset_id, root_id=file.root_id, path=file.path, name=name_key(file.path), status=status.value,
        size_bytes=file.size_bytes, mtime_ns=file.mtime_ns, ctime_ns=file.ctime_ns, device=file.device,
        inode=file.inode, digest=None, digest_algorithm=None, sha256=None, original_id=None, group_id=None,
        batch_id=None, taken_at=None, taken_local=None, taken_from=None, content_identifier=None, inspected_at=None,
        origin_root_id=origin[0], origin_path=origin[1], attempts=0, reason=None if is_new else reason,
        first_seen_at=now(), updated_at=now(),
    )  # fmt: skip

