"""A library of any size as rows alone: files over fifteen years with their moves, batches, proofs, dates and events."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from app.db import totals
from app.db.clock import later
from app.db.connection import Connection
from app.db.names import name_key
from app.model import RootKind
from app.services import Services

AT = "2026-05-06T07:08:09.000000+00:00"
#: How many files of a thousand have each status.
SHARES = (
    ("archived", 800), ("duplicate", 120), ("unique", 40), ("batched", 10), ("delivered", 5), ("set_aside", 12),
    ("failed", 3), ("gone", 8), ("discovered", 2),
)  # fmt: skip
KINDS = (
    "batch.created", "batch.synced", "batch.sorted", "asset.set_aside", "scan.finished", "run.started", "step.failed",
)  # fmt: skip
SLICE = 20_000
Roots = dict[RootKind, int]


def build(services: Services, files: int, events: int, batches: int, runs: int = 20_000) -> None:
    """Fill a database: files over fifteen years, each with a move and an origin, their batches, deliveries, events."""
    chance = random.Random(5)
    roots = {kind: services.root(kind).id for kind in (RootKind.INGEST, RootKind.ARCHIVE)}
    with services.db.transaction() as conn:
        _insert(conn, _batch_rows(batches), "batches (id, name, status, file_count, size_bytes, target, transfer_mode, "
                "peer_policy, created_at)")  # fmt: skip
        _insert(conn, _group_rows(files, roots[RootKind.INGEST]), "groups (id, root_id, folder, stem)")
        _insert(conn, _asset_rows(files, batches, roots, chance), ASSETS)
        _insert(conn, _record_rows(files), RECORDS)
        _insert(conn, ((n + 1, "set", f"{_day(n)}T12:00:00", "local", "person", AT) for n in range(0, files, 500)),
                "date_decisions (asset_id, action, text, zone, decided_by, decided_at)")  # fmt: skip
        _insert(conn, ((n + 1, b"img_%07d.jpg" % n) for n in range(files) if _status(n) == "archived"),
                "present_names (asset_id, name)")  # fmt: skip
        _insert(conn, _move_rows(files, batches, roots), MOVES)
        _insert(conn, ((i + 1, "ABC", i % batches + 1, AT) for i in range(0, files, 2)),
                "deliveries (asset_id, device_id, batch_id, confirmed_at)")  # fmt: skip
        _insert(conn, _event_rows(events, files, batches, runs, chance), EVENTS)
        _insert(conn, ((n + 1, "stage", "schedule", "done", '["scan"]', AT) for n in range(runs)),
                "runs (id, kind, \"trigger\", status, stages, requested_at)")  # fmt: skip
        _insert(conn, ((n + 1, roots[RootKind.INGEST], b"notes/%06d.txt" % n, "not a photo, video or sidecar", AT)
                       for n in range(files // 50)), "left_in_place (id, root_id, path, reason, seen_at)")  # fmt: skip
        _insert(conn, _activity_rows(), "activity (at, what, file_count, size_bytes)")
        _insert(conn, _room_rows([root.id for of_kind in services.roots.values() for root in of_kind]),
                "room_samples (root_id, day, at, free_bytes, total_bytes, own_files, own_bytes)")
        totals.recount(conn)
    services.db.checkpoint()


ASSETS = (
    "assets (id, root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, digest, digest_algorithm, "
    "sha256, original_id, group_id, batch_id, taken_at, taken_local, taken_from, inspected_at, origin_root_id, "
    "origin_path, attempts, reason, first_seen_at, updated_at, name, content_identifier)"
)
MOVES = (
    "moves (id, purpose, state, run_id, batch_id, asset_id, src_root_id, src_path, dst_root_id, dst_path, size_bytes, "
    "created_at, updated_at)"
)
RECORDS = "capture_records (asset_id, candidates, camera_make, camera_model, confidence)"
EVENTS = "events (id, at, kind, level, message, run_id, batch_id, asset_id)"


def _insert(conn: Connection, rows: Iterator[tuple[Any, ...]], into: str) -> None:
    marks = ", ".join("?" * (into.count(",") + 1))
    while part := [row for _, row in zip(range(SLICE), rows, strict=False)]:
        conn.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", part)


def _batch_rows(batches: int) -> Iterator[tuple[Any, ...]]:
    for n in range(batches):
        yield n + 1, f"batch_{n + 1:04d}", "SYNCING" if n == batches - 1 else "SORTED", 200, 700_000_000, "syncthing", \
            "move", "keep", AT  # fmt: skip


def origin_of(number: int) -> bytes:
    """Where a file came from, below its ingest folder."""
    return b"DCIM/%04dAPPLE/IMG_%04d.JPG" % (number // 1000, number % 10_000)


def _group_rows(files: int, root_id: int) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        folder, _, name = origin_of(n).rpartition(b"/")
        yield n + 1, root_id, folder, name[:-4]


def _status(number: int) -> str:
    place = number * 7919 % 1000
    for status, share in SHARES:
        if place < share:
            return status
        place -= share
    raise AssertionError(number)


def _day(number: int) -> str:
    return f"{2010 + number % 15}-{number % 12 + 1:02d}-{number % 28 + 1:02d}"


def _record_rows(files: int) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        if _status(n) not in ("discovered", "duplicate"):
            told = f'[["exif","{_day(n)} 12:00:00"]]'
            yield n + 1, told, "Canon", ("EOS R6", "PowerShot")[n % 2], "weak" if n % 97 == 0 else "sure"


def _asset_rows(files: int, batches: int, roots: Roots, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        status, origin = _status(n), origin_of(n)
        day = _day(n)
        archived = status == "archived"
        path = day.replace("-", "/").encode() + b"/IMG_%07d.JPG" % n if archived else origin
        digest = f"{chance.getrandbits(256):064x}"
        reason = f"Could not read {path.decode()}: Input/output error." if status in ("failed", "set_aside") else None
        yield (
            n + 1, roots[RootKind.ARCHIVE if archived else RootKind.INGEST], path, status, 3_000_000 + n % 999_983, n,
            n, 1, n + 1, digest, "blake3", digest, max(n - n % 50, 1) if status == "duplicate" else None, n + 1,
            n % batches + 1 if archived else None, f"{day}T10:00:00+00:00", f"{day}T12:00:{n % 60:02d}",
            "mtime" if n % 97 == 0 else "exif", AT, roots[RootKind.INGEST], origin, 0, reason, AT, AT, name_key(origin),
            f"live-{n // 2}" if n % 10 in (4, 5) else None,
        )  # fmt: skip


def _move_rows(files: int, batches: int, roots: Roots) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        yield n + 1, "archive", "DONE", 1, n % batches + 1, n + 1, roots[RootKind.INGEST], origin_of(n), \
            roots[RootKind.ARCHIVE], b"2020/IMG_%07d.JPG" % n, 3_000_000, AT, AT  # fmt: skip


def _activity_rows() -> Iterator[tuple[Any, ...]]:
    """A busy year: four hours of work a day."""
    for days in range(365):
        day = later(-days * 86_400)[:10]
        for slot in range(16):
            for what in ("seen", "delivered", "archived"):
                yield f"{day}T{slot // 4:02d}:{slot % 4 * 15:02d}", what, 170, 510_000_000


def _room_rows(root_ids: list[int]) -> Iterator[tuple[Any, ...]]:
    for days in range(365):
        at = later(-days * 86_400)
        for root_id in root_ids:
            yield root_id, at[:10], at, 10**12 + days * 10**9, 4 * 10**12, 1_000_000, 3 * 10**12


def _event_rows(events: int, files: int, batches: int, runs: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for n in range(events):
        at = f"2026-01-01T{n * 24 // events:02d}:{n * 1440 // events % 60:02d}:00.000000+00:00"
        level = "error" if n % 1000 == 0 else "warning" if n % 200 == 0 else "info"
        # set-up has written a few events of its own
        yield n + 101, at, KINDS[n % len(KINDS)], level, f"Something happened to file {n % files}.", n % runs + 1, \
            n % batches + 1, chance.randrange(files) + 1  # fmt: skip
