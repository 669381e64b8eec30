"""What Syncthing itself answers, word for word, beside what a batch says: for tests of what misleads."""

from __future__ import annotations

import os
from typing import Any

import requests

from app.db import assets
from app.model import AssetStatus, Batch, BatchStatus
from app.services import Services
from tests.syncthing.pair import FOLDER, KEY, Node, Pair, wait_for
from tests.syncthing.staging import look, reread, status_of


def completion(pair: Pair) -> dict[str, Any]:
    """What a completion-based check would go by, word for word."""
    answer = pair.ours.rest("GET", "db/completion", params={"folder": FOLDER, "device": pair.peer.device_id})
    return dict(answer)


def said_of_completion(pair: Pair) -> tuple[int, str]:
    """The raw answer about the completion: status and body, or the percentage alone."""
    parameters = {"folder": FOLDER, "device": pair.peer.device_id}
    url = f"{pair.ours.url}/rest/db/completion"
    found = requests.get(url, params=parameters, headers={"X-API-Key": KEY}, timeout=60)
    return found.status_code, str(found.json()["completion"]) if found.status_code == 200 else found.text.strip()


def in_file(node: Node, path: str) -> dict[str, Any] | None:
    """The raw answer about one file."""
    url = f"{node.url}/rest/db/file"
    found = requests.get(url, params={"folder": FOLDER, "file": path}, headers={"X-API-Key": KEY}, timeout=60)
    return dict(found.json()) if found.status_code == 200 else None


def never_synced(services: Services, batch: Batch, times: int = 3) -> str:
    """Look several times; the words in which the batch says what it waits for."""
    reports = [look(services, batch) for _ in range(times)]
    assert {report.outcome for report in reports} == {"waiting"}
    assert status_of(services, batch) in (BatchStatus.PENDING, BatchStatus.SYNCING)
    return reread(services, batch).sync_detail or ""


def status_of_asset(services: Services, batch: Batch, path: str) -> AssetStatus:
    with services.db.reading() as conn:
        return {os.fsdecode(a.path): a.status for a in assets.list_in_batch(conn, batch.id)}[path]


def pause_device(pair: Pair, paused: bool) -> None:
    pair.ours.rest("PATCH", f"config/devices/{pair.peer.device_id}", json={"paused": paused})
    wait_for(lambda: pair.connected() is not paused, "the pause is in force")
