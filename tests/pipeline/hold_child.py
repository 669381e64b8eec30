"""A process that is killed at one moment of a hold's life: `python -m tests.pipeline.hold_child BASE MOMENT`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from app.files import holds, move_directory, publish
from app.pipeline import holding
from app.services import Services
from tests.conftest import make_services
from tests.pipeline.running import deliver, the_batches, workflow

#: Nobody listens there, so nobody can say how the folder is shared: every file gets a hold.
SETTINGS: dict[str, dict[str, Any]] = {
    "sync": {"target": "syncthing", "peer_policy": "mirror"},
    "syncthing": {"api_url": "http://127.0.0.1:9", "api_key": "key", "folder_id": "photos", "rescan_delay_sec": 0},
}


def die(*_: Any, **__: Any) -> None:
    """As by the kernel, for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The function, and death once it has been called so often."""
    calls = 0

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        found = function(*arguments, **named)
        calls += 1
        if calls == times:
            die()
        return found

    return counted


#: What is replaced at each moment, and by what.
MOMENTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "while the holds are made": (publish, "add_name", after(publish.add_name, 2)),
    "between hold and announcement": (move_directory, "move_directory", die),
    "between archive and the drop": (holding, "drop_holds", die),
    "while the holds are dropped": (holds, "_drop", after(holds._drop, 2)),
    "between the drop and its rows": (holding, "drop_holds", after(holding.drop_holds, 1)),
}
#: Those that come when the batch is sorted.
WHEN_SORTED = ("between archive and the drop", "while the holds are dropped", "between the drop and its rows")


def carry(services: Services) -> None:
    """Run, deliver what is there to be delivered, and run again."""
    workflow(services)
    for batch in the_batches(services):
        if batch.synced_at is None:
            deliver(services, batch.id)
    workflow(services)


if __name__ == "__main__":
    base, moment = Path(sys.argv[1]), sys.argv[2]
    opened = make_services(base, **SETTINGS)
    module, name, killer = MOMENTS[moment]
    if moment in WHEN_SORTED:
        workflow(opened)
        deliver(opened, the_batches(opened)[0].id)
        holding.drop_finished(opened)
    with mock.patch.object(module, name, killer):
        workflow(opened)
