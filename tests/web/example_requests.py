"""The requests whose answers are the examples of the OpenAPI document; one for every route.

A new route needs a line here, and `python -m tests.web.record_examples` to write its answer down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """A request: `path` fills the address, `situation` (see scenario.py) is what holds before it."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    media_type: str = "application/json"
    status: int = 200
    situation: str = ""
    #: An answer whose inside is described elsewhere.
    is_opaque: bool = False


def started(**path: Any) -> Example:
    """A request that starts something."""
    return Example(path=path, status=202)


SORTED, SYNCING, FAILED, SYNCED, PENDING = 1, 3, 4, 5, 7
RUN_DONE, RUN_FAILED, RUN_WAITING, RUN_PREVIEW, RUN_IN_FLIGHT = 1, 2, 3, 4, 5
DOUBT = "dates are in doubt"
PLANNED, REFILED, RUN_REFILE = "a plan for filing anew was made", "the archive was filed anew", 6

DEVICE_ID = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
OFFER = {"folder_id": "from-phone", "device_id": DEVICE_ID}

EXAMPLES: dict[str, Example] = {
    "POST /api/workflow/run": started(),
    "GET /api/workflow/status": Example(),
    "GET /api/workflow/overview": Example(),
    "POST /api/workflow/sync/{batch_id}": started(batch_id=SYNCING),
    "POST /api/workflow/sort/{batch_id}": started(batch_id=SYNCED),
    "POST /api/workflow/sync/refresh": started(),
    "POST /api/workflow/debug/advance": Example(situation="a run is paused"),
    "GET /api/dashboard": Example(),
    "POST /api/dedup/start": Example(body={"dry_run": True}, status=202),
    "GET /api/dedup/status": Example(),
    "POST /api/batch/create": Example(status=409),
    "GET /api/batch/list": Example(query={"limit": 3}),
    "GET /api/batches": Example(query={"status": "SORTED", "limit": 1}),
    "GET /api/batches/{batch_id}": Example(path={"batch_id": SORTED}),
    "GET /api/batches/{batch_id}/assets": Example(path={"batch_id": SORTED}, query={"limit": 2}),
    "GET /api/batches/{batch_id}/manifest": Example(path={"batch_id": SORTED}),
    "POST /api/batches/{batch_id}/retry": started(batch_id=FAILED),
    "GET /api/batches/{batch_id}/undo": Example(path={"batch_id": 2}),
    "POST /api/batches/{batch_id}/undo": started(batch_id=2),
    "POST /api/batches/{batch_id}/cancel": Example(path={"batch_id": PENDING}),
    "POST /api/batches/{batch_id}/take-in": Example(path={"batch_id": 2}, situation="batch 2 was taken back"),
    "POST /api/sync/start/{batch_id}": started(batch_id=SYNCING),
    "GET /api/sync/status/{batch_id}": Example(path={"batch_id": SYNCING}),
    "GET /api/sync/status/{batch_id}/missing": Example(path={"batch_id": SYNCING}, query={"limit": 2}),
    "POST /api/sync/refresh": started(),
    "GET /api/sync/policy": Example(),
    "GET /api/sync/history": Example(query={"limit": 2}),
    "GET /api/sync/diagnostics": Example(),
    "POST /api/pairing-test": Example(status=400),
    "GET /api/pairing-test": Example(),
    "GET /api/notify": Example(),
    "POST /api/notify/test": Example(status=400),
    "POST /api/sort/start/{batch_id}": started(batch_id=SYNCED),
    "GET /api/sort/status/{batch_id}": Example(path={"batch_id": SORTED}),
    "POST /api/cleanup/run": started(),
    "GET /api/runs": Example(query={"kind": "workflow"}),
    "GET /api/runs/{run_id}": Example(path={"run_id": RUN_DONE}),
    "GET /api/runs/{run_id}/events": Example(path={"run_id": RUN_DONE}, query={"limit": 2}),
    "POST /api/runs/{run_id}/pause": Example(
        path={"run_id": RUN_IN_FLIGHT}, status=202, situation="a run is in flight"
    ),
    "POST /api/runs/{run_id}/resume": started(run_id=RUN_WAITING),
    "POST /api/runs/{run_id}/cancel": started(run_id=RUN_WAITING),
    "POST /api/runs/{run_id}/retry": started(run_id=RUN_FAILED),
    "GET /api/journal": Example(query={"kind": "batch.", "limit": 2}),
    "GET /api/moves": Example(query={"batch_id": SORTED, "limit": 2}),
    "GET /api/assets": Example(query={"name": "IMG_", "status": "archived", "limit": 2}),
    "GET /api/assets/{asset_id}": Example(path={"asset_id": "{original}"}),
    "GET /api/assets/at": Example(query={"path": "DCIM/IMG_0001.JPG"}),
    "POST /api/assets/{asset_id}/retry": Example(path={"asset_id": "{failed}"}),
    "POST /api/assets/retry-failed": Example(),
    "POST /api/assets/retry-set-aside": Example(),
    "GET /api/failed": Example(),
    "GET /api/set-aside": Example(),
    "GET /api/left-in-place": Example(),
    "GET /api/duplicates": Example(),
    "GET /api/config": Example(),
    "PUT /api/config": Example(body={"batch": {"max_size_gb": 10}}),
    "GET /api/config/schema": Example(is_opaque=True),
    "GET /api/config/raw": Example(),
    "PUT /api/config/raw": Example(body="batch:\n  max_size_gb: much\n", media_type="application/yaml", status=422),
    "POST /api/config/validate": Example(body={"batch": {"max_size_gb": 12}}),
    "GET /api/config/history": Example(),
    "GET /api/config/history/{revision}": Example(path={"revision": "{revision}"}),
    "POST /api/config/rollback": Example(body={"revision": "{revision}"}),
    "GET /api/config/presets": Example(),
    "GET /api/config/presets/{name}": Example(path={"name": "copy-only"}),
    "POST /api/config/presets/{name}": Example(path={"name": "copy-only"}),
    "POST /api/setup/roots": Example(),
    "GET /api/syncthing": Example(),
    # No Syncthing runs where the examples are recorded; what a good answer holds is in the models.
    "POST /api/syncthing/setup": Example(body={}, status=502),
    "GET /api/syncthing/pending": Example(),
    "POST /api/syncthing/devices": Example(body={"device_id": DEVICE_ID, "name": "phone"}, status=502),
    "POST /api/syncthing/devices/dismiss": Example(body={"device_id": DEVICE_ID}, status=502),
    "POST /api/syncthing/folders/accept": Example(body=OFFER, status=502),
    "POST /api/syncthing/folders/dismiss": Example(body=OFFER, status=502),
    "GET /api/syncthing/device/qr.svg": Example(status=502),
    "POST /api/refile/plan": started(),
    "GET /api/refile/plan": Example(situation=PLANNED),
    "POST /api/refile": started(),
    "GET /api/refile/{run_id}": Example(path={"run_id": RUN_REFILE}, situation=REFILED),
    "GET /api/refile/{run_id}/files": Example(path={"run_id": RUN_REFILE}, query={"limit": 2}, situation=REFILED),
    "POST /api/refile/{run_id}/undo": Example(path={"run_id": RUN_REFILE}, status=202, situation=REFILED),
    "GET /api/tree": Example(query={"folder_pattern": "{year}/{month_name}", "language": "de"}),
    "GET /api/dates": Example(situation=DOUBT),
    "GET /api/dates/counts": Example(situation=DOUBT),
    "POST /api/dates/decisions": Example(
        body={"action": "shift", "value": "-1", "asset_ids": ["{original}"], "dry_run": False}
    ),
    "GET /api/dates/decisions": Example(situation=DOUBT),
    "GET /api/dates/decided": Example(situation=DOUBT),
    "POST /api/dates/decisions/undo": Example(body={"folder": "scans"}, situation=DOUBT),
    "POST /api/dates/sidecars": Example(body={"dry_run": True}, situation=DOUBT),
    "POST /api/dates/read": started(),
    "POST /api/preview": started(),
    "GET /api/preview": Example(),
    "GET /api/preview/{run_id}": Example(path={"run_id": RUN_PREVIEW}),
    "GET /api/preview/{run_id}/files": Example(path={"run_id": RUN_PREVIEW}, query={"limit": 2}),
    "GET /api/preview/{run_id}/duplicates": Example(path={"run_id": RUN_PREVIEW}),
    "GET /api/preview/{run_id}/batches": Example(path={"run_id": RUN_PREVIEW}),
    "GET /api/rebuild": Example(situation="rows were compared"),
    "POST /api/rebuild": started(),
    "POST /api/rebuild/confirm": Example(situation="rows were compared"),
    "GET /api/rebuild/files": Example(situation="rows were compared"),
    "GET /api/rebuild/missing": Example(situation="rows were compared"),
    "POST /api/verify": Example(body={"roots": ["archive"], "older_than_days": 30}, status=202),
    "GET /api/verify": Example(situation="files were verified"),
    "GET /api/findings": Example(situation="files were verified"),
    "GET /api/findings/{finding_id}": Example(path={"finding_id": "{foreign}"}, situation="files were verified"),
    "POST /api/findings/accept": Example(body={"kind": "foreign"}, situation="files were verified"),
    "POST /api/findings/{finding_id}/accept": Example(
        path={"finding_id": "{foreign}"}, body={"how": "ignore"}, situation="files were verified"
    ),
    "POST /api/findings/{finding_id}/report": Example(
        path={"finding_id": "{ignored}"}, situation="a foreign file is ignored"
    ),
    "POST /api/backup": Example(status=201),
    "GET /api/backup": Example(),
    "GET /api/backup/{name}": Example(path={"name": "{backup}"}),
    "GET /api/doctor": Example(),
    "POST /api/doctor/repair": Example(),
    "GET /api/logs": Example(query={"limit": 2}),
    "GET /api/logs/stream": Example(query={"after": "worker.-.0", "seconds": 1}),
    "GET /api/why": Example(query={"file": "IMG_0001.JPG"}),
    "GET /health": Example(),
    "GET /api/health": Example(),
    "GET /ready": Example(),
    "GET /metrics": Example(),
    "GET /api/ha/state": Example(),
}
