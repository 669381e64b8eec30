"""Every table, as SQLAlchemy Core sees it. Migrations live in app/db/migrations; this is the newest shape.

Paths are BLOBs (bytes end to end); instants are UTC ISO 8601 text; statuses are the words of app/model/.
"""

from __future__ import annotations

from app.db.tables_of_charts import activity, room_samples
from app.db.tables_of_dates import capture_records, date_decisions, date_sidecars, decision_notes
from app.db.tables_of_duplicates import reference_files, reference_labels, shared_room
from app.db.tables_of_media import (
    assets,
    batch_devices,
    batches,
    deliveries,
    delivery_obstacles,
    groups,
    kept_copies,
    left_in_place,
    made_folders,
    metadata,
    moves,
    present_names,
    roots,
)
from app.db.tables_of_notices import notices
from app.db.tables_of_work import (
    config_revisions,
    events,
    facts,
    findings,
    idempotency_keys,
    known_digests,
    rebuild_entries,
    rebuild_files,
    refile_entries,
    runs,
    steps,
    sync_samples,
    totals,
)

__all__ = [
    "activity",
    "assets",
    "batch_devices",
    "batches",
    "capture_records",
    "config_revisions",
    "date_decisions",
    "date_sidecars",
    "decision_notes",
    "deliveries",
    "delivery_obstacles",
    "events",
    "facts",
    "findings",
    "groups",
    "idempotency_keys",
    "kept_copies",
    "known_digests",
    "left_in_place",
    "made_folders",
    "metadata",
    "moves",
    "notices",
    "present_names",
    "rebuild_entries",
    "rebuild_files",
    "reference_files",
    "reference_labels",
    "refile_entries",
    "room_samples",
    "roots",
    "runs",
    "shared_room",
    "steps",
    "sync_samples",
    "totals",
]
