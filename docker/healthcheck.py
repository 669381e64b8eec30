"""Is the service ready? Exit 0 when it is, else 1 and one sentence. Standard library only.

Ready means: the web process answers that configuration, database and folders can be used, and the worker has
given a sign of life lately. With --started a folder that is away is told, and no reason for exit 1: the service
is up and goes on by itself when the disk is back.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 8

#: The worker renews its sign every few seconds, also while it works.
HEARTBEAT_MAX_AGE = timedelta(seconds=60)


class NotReadyError(Exception):
    """The service cannot do its work; the sentence says why."""


def noted(name: str) -> str:
    """What the last start noted under this name: api.url or db.path."""
    try:
        return (Path(os.environ.get("MP_RUN_DIR", "run")) / name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NotReadyError(f"nothing was started: {error}") from error


def check_web() -> str:
    """Ask /ready; what it says of a folder that is away, or nothing."""
    url = f"{noted('api.url')}/ready"
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        problem = parsed(error.read(20_000))
        if problem.get("cause") == "folder":
            return str(problem["detail"])
        raise NotReadyError(f"{url} answers {error.code}: {problem.get('detail', 'no reason')}") from error
    except OSError as error:
        raise NotReadyError(f"{url} does not answer: {error}") from error
    return ""


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; empty when it is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def check_worker() -> None:
    """Look at the worker's last sign of life."""
    path = noted("db.path")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=TIMEOUT_SECONDS)) as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'worker_heartbeat_at'").fetchone()
    except sqlite3.Error as error:
        raise NotReadyError(f"{path} cannot be read: {error}") from error
    # A worker that stopped as it was asked leaves an empty sign.
    if row is None or not row[0] or datetime.now(UTC) - datetime.fromisoformat(row[0]) > HEARTBEAT_MAX_AGE:
        raise NotReadyError(f"the worker gives no sign of life (last: {row[0] if row and row[0] else 'never'})")


def main() -> int:
    """Check both."""
    try:
        away = check_web()
        check_worker()
    except NotReadyError as error:
        print(error)
        return 1
    print(away or "ready")
    return 1 if away and "--started" not in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
