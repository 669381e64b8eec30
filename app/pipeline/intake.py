"""The rows of a scan: new, changed and vanished files, each chunk in one transaction with its journal events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from app.db import assets, compared, groups, journal, kept_copies, new_content, waiting
from app.db import roots as root_rows
from app.db.assets import NewAsset
from app.db.connection import Connection, Database
from app.db.moved_files import VANISHED
from app.errors import printable
from app.files.head_reader import HEAD_DIGEST_BYTES
from app.files.roots import check_roots
from app.files.walk import Found, signature_at
from app.model import Asset, AssetStatus, Failure, Root, RootKind, Signature
from app.model.counting import counted
from app.pipeline.alike import UNDECIDED, Judged
from app.pipeline.step import StepContext

CHUNK = 1_000
#: Beyond this many of one kind in a chunk, the journal counts instead of naming each file.
NAMED_EVENTS = 20

#: Assets that have not left the ingest folder; only these may change or vanish there.
WAITING = frozenset(
    {AssetStatus.DISCOVERED, AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.FAILED, AssetStatus.SET_ASIDE}
)


class Arrival(NamedTuple):
    """A file that is to have a row: `stem` says its group in its folder, `answer` is what was read of it (by
    app/files/head_readers.py), `judged` the verdict on it, if there is one."""

    found: Found
    stem: bytes
    answer: bytes | None = None
    judged: Judged = UNDECIDED


def write_found(
    db: Database, root: Root, arrived: Sequence[Arrival], run_id: int, ids: dict[int, int], last_id: int | None
) -> Counter[str]:
    """Write files that are new at their place or changed there; returns how many of each. The ids of originals are
    kept in `ids`, by their keys. As long as `last_id` is the highest id, nobody else has written rows."""
    by_path = {one.found.path: one for one in arrived}
    with db.transaction() as conn:
        paths = [] if last_id == assets.last_id(conn) else list(by_path)
        known = assets.list_at(conn, root.id, paths)
        kept = kept_copies.list_at(conn, root.id, [p for p in paths if p not in known])
        changed = [asset for path, asset in known.items() if asset.status in WAITING]
        for asset in changed:
            _rediscover(conn, asset, by_path[asset.path].found.signature)
        # The asset whose copy stayed here lives on elsewhere; what lies here now is another photo.
        kept_copies.remove(conn, [row[0] for row in kept.values()])
        new = [one for path, one in by_path.items() if path not in known]
        _insert(conn, root, new, ids)
        told = {asset.path: asset.id for asset in changed} | {path: row[1] for path, row in kept.items()}
        _record_each(conn, "asset.changed", "changed in the ingest folder and is looked at again", told, run_id)
    return Counter(new=len(new) - len(kept), changed=len(changed) + len(kept))


def write_vanished(db: Database, root: Root, seen: bytearray, step: StepContext) -> Counter[str]:
    """Mark as gone what the scan did not see and what is certainly not there; doubt leaves a row as it is."""
    vanished = 0
    with db.reading() as conn:
        unseen = assets.list_unseen(conn, root.id, seen)
    missing = [path for path, status in unseen if status in WAITING]
    for start in range(0, len(missing), CHUNK):
        absent = [path for path in missing[start : start + CHUNK] if is_absent(root, path)]
        # An unmounted share also lacks every file: its marker is looked for again before anything is believed.
        check_roots(db, [root])
        vanished += _mark_gone(db, root, absent, step.run_id)
        step.safe_point(start, len(missing))
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


def _mark_gone(db: Database, root: Root, absent: Sequence[bytes], run_id: int) -> int:
    with db.transaction() as conn:
        gone = [a for a in assets.list_at(conn, root.id, absent).values() if a.status in WAITING]
        assets.mark(conn, gone, AssetStatus.GONE, reason=VANISHED)
        paths = {asset.path: asset.id for asset in gone}
        _record_each(conn, "asset.vanished", f"is {VANISHED}", paths, run_id)
    return len(gone)


def _rediscover(conn: Connection, asset: Asset, signature: Signature | None) -> None:
    assert signature is not None
    new_content.take_content(conn, asset, signature)
    resized = replace(asset, size_bytes=signature.size_bytes)
    # A file that came back when its batch was taken back has nothing to do with that batch once it is another one.
    columns = {"batch_id": None} if asset.status is AssetStatus.SET_ASIDE else {}
    assets.mark(conn, [resized], AssetStatus.DISCOVERED, original_id=None, attempts=0, **columns)


def _insert(conn: Connection, root: Root, new: Sequence[Arrival], ids: dict[int, int]) -> None:
    keys = [(one.found.path.rpartition(b"/")[0], one.stem) for one in new]
    group_ids = groups.ensure(conn, root.id, keys)
    first_id = assets.last_id(conn) + 1
    ids.update((one.judged.key, first_id + i) for i, one in enumerate(new) if one.judged.has_copies)
    rows = [_row(first_id + i, one, group_ids[keys[i]], ids) for i, one in enumerate(new)]
    assets.insert_new(conn, root.id, rows)
    compared.note(conn, Counter(row.status for row in rows if row.status != AssetStatus.DISCOVERED))


def _row(asset_id: int, one: Arrival, group_id: int, ids: dict[int, int]) -> NewAsset:
    assert one.found.signature is not None
    status, original = AssetStatus.DISCOVERED, ids.get(one.judged.original or 0)
    if one.judged.is_decided and (one.judged.original is None) == (original is None):
        status = AssetStatus.UNIQUE if original is None else AssetStatus.DUPLICATE
    digests = _digests(one.answer)
    return NewAsset(asset_id, one.found.path, status, one.found.signature, group_id, *digests, original)


def _digests(answer: bytes | None) -> tuple[str | None, str | None]:
    """Head digest and digest."""
    if answer is None:
        return None, None
    said = answer.hex()
    return said[: 2 * HEAD_DIGEST_BYTES], said if len(answer) > HEAD_DIGEST_BYTES else None


def _record_each(conn: Connection, kind: str, what: str, paths: dict[bytes, int], run_id: int) -> None:
    for path, asset_id in list(paths.items())[:NAMED_EVENTS]:
        journal.record(conn, kind, f"{printable(path)} {what}.", run_id=run_id, asset_id=asset_id)
    if len(paths) > NAMED_EVENTS:
        rest = len(paths) - NAMED_EVENTS
        journal.record(conn, kind, f"{rest} more files: each {what}.", run_id=run_id, detail={"count": rest})
