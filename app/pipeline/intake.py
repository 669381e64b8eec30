"""What else a scan writes: files that changed or vanished, and folders that were left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from app.db import assets, journal, new_content, seen_files, waiting
from app.db import roots as root_rows
from app.db.connection import Connection, Database
from app.db.moved_files import VANISHED
from app.errors import printable
from app.files.lone_sidecars import ALONE
from app.files.roots import check_roots
from app.files.walk import is_media, signature_at
from app.model import Asset, AssetStatus, Failure, Root, RootKind, Signature
from app.model.counting import counted
from app.pipeline.lone_sidecars import set_aside_widowed
from app.pipeline.step import StepContext

CHUNK = 1_000
#: Beyond this many of one kind in a chunk, the journal counts instead of naming each file.
NAMED_EVENTS = 20

#: Assets that have not left the ingest folder; only these may change or vanish there.
WAITING = frozenset(
    {AssetStatus.DISCOVERED, AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.FAILED, AssetStatus.SET_ASIDE}
)


def write_vanished(db: Database, root: Root, seen: bytearray, step: StepContext) -> Counter[str]:
    """Mark as gone what the scan did not see and what is certainly not there; doubt leaves a row as it is."""
    vanished = 0
    widowed: set[int] = set()
    with db.reading() as conn:
        unseen = seen_files.list_unseen(conn, root.id, seen)
    missing = [path for path, status in unseen if status in WAITING]
    for start in range(0, len(missing), CHUNK):
        absent = [path for path in missing[start : start + CHUNK] if is_absent(root, path)]
        # An unmounted share also lacks every file: its marker is looked for again before anything is believed.
        check_roots(db, [root])
        gone = _mark_gone(db, root, absent, step.run_id)
        vanished += len(gone)
        widowed |= {asset.group_id for asset in gone if asset.group_id is not None and is_media(asset.path)}
        step.safe_point(start, len(missing))
    _set_aside_widowed(db, sorted(widowed), step.run_id)
    return Counter(vanished=vanished)


def is_absent(root: Root, path: bytes) -> bool:
    """True only when the file system says that there is no such file."""
    try:
        return signature_at(root, path) is None
    except OSError:
        return False


def list_left_behind(db: Database, ingest: Sequence[Root]) -> list[Failure]:
    """A line for each former ingest folder with files that went nowhere: nothing else would speak of them again."""
    with db.reading() as conn:
        former = {r.id: r for r in root_rows.list_all(conn) if r.kind is RootKind.INGEST and r not in ingest}
        left = waiting.count_under(conn, list(former))
    return [
        Failure(
            printable(former[root_id].path),
            f"{counted(count, 'file waits', 'files wait')} in this folder, which is no longer paths.source_dir. "
            "Nothing takes any until it is moved to the ingest folder or the setting names its folder again.",
        )
        for root_id, count in left.items()
    ]


def _mark_gone(db: Database, root: Root, absent: Sequence[bytes], run_id: int) -> list[Asset]:
    with db.transaction() as conn:
        gone = [a for a in assets.list_at(conn, root.id, absent).values() if a.status in WAITING]
        assets.mark(conn, gone, AssetStatus.GONE, reason=VANISHED)
        paths = {asset.path: asset.id for asset in gone}
        record_each(conn, "asset.vanished", f"is {VANISHED}", paths, run_id)
    return gone


def _set_aside_widowed(db: Database, group_ids: Sequence[int], run_id: int) -> None:
    """Once all is told that has vanished: of a folder that was taken away no file has to wait for another."""
    for start in range(0, len(group_ids), CHUNK):
        with db.transaction() as conn:
            widowed = set_aside_widowed(conn, group_ids[start : start + CHUNK])
            record_each(conn, "asset.set_aside", f"was set aside: it {ALONE}", widowed, run_id)


def rediscover(conn: Connection, asset: Asset, signature: Signature | None) -> None:
    """An asset whose file changed is `discovered` again."""
    assert signature is not None
    new_content.take_content(conn, asset, signature)
    resized = replace(asset, size_bytes=signature.size_bytes)
    # A file that came back when its batch was taken back has nothing to do with that batch once it is another one.
    columns = {"batch_id": None} if asset.status is AssetStatus.SET_ASIDE else {}
    assets.mark(conn, [resized], AssetStatus.DISCOVERED, original_id=None, attempts=0, **columns)


def record_each(conn: Connection, kind: str, what: str, paths: dict[bytes, int], run_id: int) -> None:
    """Tell of these files (path, asset id), one by one or, where they are many, as a number."""
    for path, asset_id in list(paths.items())[:NAMED_EVENTS]:
        journal.record(conn, kind, f"{printable(path)} {what}.", run_id=run_id, asset_id=asset_id)
    if len(paths) > NAMED_EVENTS:
        rest = len(paths) - NAMED_EVENTS
        journal.record(conn, kind, f"{rest} more files: each {what}.", run_id=run_id, detail={"count": rest})
