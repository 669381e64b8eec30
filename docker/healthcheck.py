"""Is the service ready? Exit 0 when it is, else 1 and one sentence. Standard library only.

Ready means: the web process answers that configuration and database can be used, and the worker has given a
sign of life lately.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


def check_web() -> None:
    """Ask /ready."""
    url = f"{noted('api.url')}/ready"
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        raise NotReadyError(f"{url} answers {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except OSError as error:
        raise NotReadyError(f"{url} does not answer: {error}") from error


def check_worker() -> None:
    """Look at the worker's last sign of life."""
    path = noted("db.path")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=TIMEOUT_SECONDS)) as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'worker_heartbeat_at'").fetchone()
    except sqlite3.Error as error:
        raise NotReadyError(f"{path} cannot be read: {error}") from error
    if row is None or datetime.now(UTC) - datetime.fromisoformat(row[0]) > HEARTBEAT_MAX_AGE:
        raise NotReadyError(f"the worker gives no sign of life (last: {row[0] if row else 'never'})")


def main() -> int:
    """Check both."""
    try:
        check_web()
        check_worker()
    except NotReadyError as error:
        print(error)
        return 1
    print("ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
