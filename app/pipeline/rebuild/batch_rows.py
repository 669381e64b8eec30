"""Finding out where the files of each batch are, and writing the rows of batches."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from app.db import batches, rebuild_entries, rebuild_files, rebuild_rows
from app.db.clock import now
from app.db.connection import Connection
from app.db.rebuild_entries import Entry
from app.model import AssetStatus, Batch, BatchStatus, RootKind
from app.pipeline.rebuild.altered import Altered
from app.pipeline.rebuild.areas import ARCHIVED, LASTING
from app.pipeline.rebuild.batch_verdicts import (
    NOTHING_FOUND,
    ORDER,
    BatchVerdict,
    Known,
    Whereabouts,
    judge,
    reconcile,
)
from app.pipeline.rebuild.manifests import Head
from app.pipeline.step import StepContext
from app.services import Services

PRESENT = tuple(status for status in AssetStatus if status is not AssetStatus.GONE)


def settle_batches(
    services: Services, step: StepContext, heads: Sequence[Head], altered: Altered
) -> dict[int, BatchVerdict]:
    """Write the row of every batch that a manifest tells of; what is decided of each, by its id."""
    verdicts: dict[int, BatchVerdict] = {}
    folders = _folders(services)
    for head in heads:
        step.safe_point(0, 0)
        with services.db.reading() as conn:
            entries = rebuild_entries.list_of_batch(conn, head.batch_id)
            where = _whereabouts(services, conn, head, entries, altered)
            known = batches.find(conn, head.batch_id)
        sort_copies = services.config.sorter.transfer_mode == "copy"
        found = judge(where, is_undone=head.undone_at is not None, sort_copies=sort_copies)
        status, is_published, reason = reconcile(found, _known(known))
        verdict = BatchVerdict(head.batch_id, head.name, status, is_published, reason, head.returned_as)
        verdicts[head.batch_id] = verdict
        with services.db.transaction() as conn:
            _put(services, conn, head, verdict, known, os.fsencode(head.name) in folders)
    return verdicts


def _known(batch: Batch | None) -> Known | None:
    if batch is None:
        return None
    error_from = BatchStatus(batch.error_from) if batch.error_from else None
    return Known(batch.status, batch.published_at is not None, error_from)


def _folders(services: Services) -> set[bytes]:
    """The names at the top of the folders that batches lie in."""
    roots = [services.root(RootKind.STAGING), services.root(RootKind.BATCH)]
    return {name for root in roots for name in os.listdir(root.path)}


def _whereabouts(
    services: Services, conn: Connection, head: Head, entries: Sequence[Entry], altered: Altered
) -> Whereabouts:
    """Where the files are. An altered one counts as what it should be: its batch stands where it stood."""
    contents = [entry.sha256 for entry in entries]
    paths = [os.fsencode(head.name) + b"/" + entry.path for entry in entries]
    batch_id, staging_id = services.root(RootKind.BATCH).id, services.root(RootKind.STAGING).id
    published = rebuild_files.find_paths(conn, batch_id, paths) | altered.contents_at(batch_id)
    staged = rebuild_files.find_paths(conn, staging_id, paths) | altered.contents_at(staging_id)
    origins = rebuild_files.find_paths(conn, services.root(RootKind.INGEST).id, [entry.origin for entry in entries])
    archived = rebuild_files.contents_in(conn, contents, ARCHIVED) | altered.contents_in(ARCHIVED)
    lasting = rebuild_files.contents_in(conn, contents, LASTING) | altered.contents_in(LASTING)
    where = Whereabouts()
    for entry, path in zip(entries, paths, strict=True):
        is_published = published.get(path) == entry.sha256
        where.published += is_published
        where.staged += staged.get(path) == entry.sha256
        where.archived += entry.sha256 in archived
        where.moved_out += entry.sha256 in archived and not is_published
        where.at_origin += origins.get(entry.origin) == entry.sha256
        where.nowhere += entry.sha256 not in lasting
    return where


def _put(
    services: Services, conn: Connection, head: Head, verdict: BatchVerdict, known: Batch | None, has_folder: bool
) -> None:
    values: dict[str, Any] = {"status": verdict.status.value, "manifest_path": head.path, **_reached(verdict, known)}
    if known is None:
        config = services.config
        values |= {
            "name": head.name,
            "created_at": head.created_at,
            "target": head.target,
            "transfer_mode": config.batch.transfer_mode,
            "peer_policy": config.sync.peer_policy,
            "device_id": config.syncthing.device_id or None,
        }
    if verdict.status in (BatchStatus.SORTED, BatchStatus.CANCELLED) and not has_folder:
        values["cleaned_at"] = (known.cleaned_at if known is not None else None) or now()
    elif has_folder:
        values["cleaned_at"] = None
    if verdict.error is not None:
        values["error"] = verdict.error
    if head.undone_at is not None:
        values["undone_at"] = known.undone_at if known is not None and known.undone_at else head.undone_at
        values["returns_as"] = (head.returned_as or AssetStatus.SET_ASIDE).value
    rebuild_rows.put_batch(conn, verdict.batch_id, values)


def _reached(verdict: BatchVerdict, known: Batch | None) -> dict[str, str | None]:
    """When each status was reached: as the row says, else now, when it was found out."""
    at = now()
    reached: dict[str, str | None] = {
        "published_at": ((known.published_at if known is not None else None) or at) if verdict.is_published else None
    }
    if verdict.status in ORDER:
        passed = ORDER.index(verdict.status)
        for status, column in ((BatchStatus.SYNCED, "synced_at"), (BatchStatus.SORTED, "sorted_at")):
            if passed >= ORDER.index(status):
                reached[column] = (getattr(known, column) if known is not None else None) or at
    return reached


def count_batches(conn: Connection, verdicts: Mapping[int, BatchVerdict]) -> dict[int, BatchVerdict]:
    """Write what is in each batch, now that its files have rows; one that came to nothing is cancelled."""
    counted = dict(verdicts)
    for verdict in verdicts.values():
        rebuild_rows.count_batch(conn, verdict.batch_id, PRESENT)
        found = batches.get(conn, verdict.batch_id)
        if verdict.is_being_built and not found.file_count:
            values = {"status": BatchStatus.CANCELLED.value, "error": NOTHING_FOUND}
            rebuild_rows.put_batch(conn, verdict.batch_id, values)
            counted[verdict.batch_id] = BatchVerdict(
                verdict.batch_id, verdict.name, BatchStatus.CANCELLED, False, NOTHING_FOUND
            )
    rebuild_rows.drop_empty_reservations(conn)
    return counted
