"""A worker that starts, goes on with what is queued, and may die on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from app.db import runs
from app.model import RunStatus
from app.pipeline.workflow import execute
from tests.conftest import make_services
from tests.pipeline.test_batch_cut_off import counted_events
from worker.recover import recover_files, requeue_interrupted


def go_on(base: Path, sections: dict[str, Any], moment: int | None) -> None:
    """What a worker does at its start, and then with the queued run; dies at the n-th call of the layers below."""
    services, left = make_services(base, **sections), moment or 0

    def on_event() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment is not None:
        sys.setprofile(counted_events(on_event))
    requeue_interrupted(services)
    recover_files(services)
    with services.db.reading() as conn:
        queued = runs.list_by_status(conn, [RunStatus.QUEUED])
    for run in queued:
        execute(services, run.id, threading.Event())
